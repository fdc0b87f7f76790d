/** A framework that launches what it is given, acknowledges every update, and remembers all it was told. */
import {
  connectScheduler,
  fits,
  isTerminal,
  type FrameworkOptions,
  type Offer,
  type SchedulerEvent,
  type SchedulerSession,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  taskStateName,
  type TaskStateName,
} from "../../src/sdk/index.ts";
import { TaskStatus_Reason } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Collector } from "./collector.ts";

export interface TestSchedulerOptions extends Partial<FrameworkOptions> {
  /** Default true. */
  readonly acknowledge?: boolean;
}

interface Wanted {
  readonly task: TaskInfo;
  /** Only there. */
  readonly hostname: string | undefined;
  readonly traceparent: string | undefined;
  readonly accepted: PromiseWithResolvers<void>;
}

/** Ranks of the states an agent tells; a task never falls back (I7). */
const RANKS: readonly string[] = ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"];

export class TestScheduler implements AsyncDisposable {
  readonly session: SchedulerSession;
  readonly events = new Collector<SchedulerEvent>();
  /** Every update, repeats included. */
  readonly updates = new Collector<TaskStatus>();
  readonly failedCalls: unknown[] = [];
  /** How the loop over the events ended: undefined for a clean end. */
  readonly ended: Promise<unknown>;
  readonly #acknowledge: boolean;
  readonly #launched = new Map<string, Wanted>();
  #wanted: Wanted[] = [];

  private constructor(session: SchedulerSession, acknowledge: boolean) {
    this.session = session;
    this.#acknowledge = acknowledge;
    this.ended = this.#follow().then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  static async start(masters: readonly string[], { acknowledge = true, ...framework }: TestSchedulerOptions = {}): Promise<TestScheduler> {
    const session = await connectScheduler({ masters, framework: { name: "test", failoverTimeoutSeconds: 3_600, ...framework } });
    return new TestScheduler(session, acknowledge);
  }

  get id(): string {
    return this.session.frameworkId;
  }

  /** Launches these as offers come; resolves when each launch is durable, and rejects as the call does. */
  launch(tasks: readonly TaskInfo[], { on, traceparent }: { on?: string; traceparent?: string } = {}): Promise<void> {
    const launched = tasks.map((task) => {
      const accepted = Promise.withResolvers<void>();
      this.#wanted.push({ task, hostname: on, traceparent, accepted });
      return accepted.promise;
    });
    const all = Promise.all([...launched, this.call(this.session.revive())]).then(() => {});
    all.catch(() => {}); // whoever waits for it may do so later
    return all;
  }

  async kill(taskId: string, graceMs?: number): Promise<void> {
    await this.call(this.session.kill(taskId, graceMs === undefined ? {} : { graceMs }));
  }

  /** What was told of a task, without repeats of one update. */
  told(taskId: string): TaskStatus[] {
    const uuids = new Set<string>();
    return this.updates.items.filter(({ taskId: id, uuid }) => {
      if (id?.value !== taskId) return false;
      const hex = Buffer.from(uuid ?? []).toString("hex");
      if (hex === "") return true;
      return uuids.size < uuids.add(hex).size;
    });
  }

  states(taskId: string): string[] {
    return this.told(taskId).map(({ state }) => taskStateName(state));
  }

  /** Resolves with the first word of this state about the task. */
  async until(taskId: string, state: TaskStateName, timeoutMs?: number): Promise<TaskStatus> {
    const is = (status: TaskStatus): boolean => status.taskId?.value === taskId && taskStateName(status.state) === state;
    await this.updates.until(`${state} of ${taskId}; told: ${this.states(taskId).join(", ")}`, (items) => items.some(is), timeoutMs);
    return this.updates.items.find(is)!;
  }

  async untilAll(taskIds: readonly string[], state: TaskStateName, timeoutMs?: number): Promise<void> {
    await Promise.all(taskIds.map((id) => this.until(id, state, timeoutMs)));
  }

  async untilEvent(type: SchedulerEvent["type"], since = 0, timeoutMs?: number): Promise<void> {
    await this.events.until(`event ${type}`, (items) => items.slice(since).some((event) => event.type === type), timeoutMs);
  }

  /** Where a task went back, or went on after its end (I7). */
  disorder(): string[] {
    const ids = new Set(this.updates.items.map(({ taskId }) => taskId?.value ?? ""));
    return [...ids].filter((id) => {
      let last = 0;
      let end: string | undefined;
      for (const state of this.states(id)) {
        if (end !== undefined && state !== end) return true;
        const rank = RANKS.indexOf(state);
        if (rank >= 0 && rank < last) return true;
        last = Math.max(last, rank);
        if (["TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_GONE"].includes(state)) end = state;
      }
      return false;
    }).map((id) => `${id}: ${this.states(id).join(", ")}`);
  }

  /** Notes the call's failure. */
  async call(call: Promise<void>): Promise<void> {
    await call.catch((error: unknown) => void this.failedCalls.push(error));
  }

  /** Leaves the tasks to the cluster. */
  async close(): Promise<void> {
    await this.session.close({ timeoutMs: 0 });
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(): Promise<void> {
    for await (const event of this.session.events) {
      if (event.type === "offers") for (const offer of event.offers) this.#use(offer);
      if (event.type === "update") {
        if (this.#acknowledge) void this.call(this.session.acknowledge(event.status));
        this.#again(event.status);
        if (isTerminal(event.status.state) && this.#wanted.length > 0) void this.call(this.session.revive());
        this.updates.add(event.status);
      }
      this.events.add(event);
    }
  }

  /** What was launched on the offer of a leader that was gone meanwhile never ran, and is launched again (10.3). */
  #again({ taskId, state, reason }: TaskStatus): void {
    const launched = this.#launched.get(taskId?.value ?? "");
    if (state !== TaskState.TASK_DROPPED || reason !== TaskStatus_Reason.REASON_INVALID_OFFERS || launched === undefined) return;
    this.#launched.delete(taskId!.value!);
    this.#wanted.push(launched);
  }

  /** Fills the offer with waiting tasks that are alike. */
  #use(offer: Offer): void {
    const fitting = this.#wanted.filter(({ hostname }) => hostname === undefined || hostname === offer.hostname);
    const [first] = fitting;
    const chosen = first === undefined ? [] : fitting.slice(0, fits(offer, first.task)).filter(({ traceparent }) => traceparent === first.traceparent);
    if (first === undefined || chosen.length === 0) {
      // While something waits, the offer may be whole again soon.
      const refuseSeconds = this.#wanted.length > 0 ? 0.2 : 3_600;
      return void this.call(this.session.decline(offer, { refuseSeconds }));
    }
    this.#wanted = this.#wanted.filter((wanted) => !chosen.includes(wanted));
    const options = first.traceparent === undefined ? {} : { traceparent: first.traceparent };
    const launched = this.session.launch(offer, chosen.map(({ task }) => task), { refuseSeconds: 0, ...options });
    for (const wanted of chosen) this.#launched.set(wanted.task.taskId!.value!, wanted);
    chosen.forEach(({ accepted }) => void launched.then(accepted.resolve, accepted.reject));
    void this.call(launched);
  }
}
