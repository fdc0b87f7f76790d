/** The framework behind `mesarch run`: so many instances of one command, each run once. */
import { attributesFromMesos } from "../../model/attributes.ts";
import { satisfies, type Constraint } from "../../model/constraints.ts";
import { limits } from "../../model/limits.ts";
import { commandTask, exitStatus, fits, isTerminal, taskStateName, type CommandTaskOptions } from "../../sdk/tasks.ts";
import type { SchedulerEvent } from "../../sdk/events.ts";
import type { SchedulerSession } from "../../sdk/scheduler.ts";
import { TaskInfo, TaskState, type Offer, type TaskStatus } from "../../wire/gen/mesos/v1/mesos.ts";

export interface JobOptions {
  readonly instances: number;
  /** `name` is the job's; instances are numbered when there are several. */
  readonly task: Omit<CommandTaskOptions, "id"> & { readonly name: string };
  readonly constraints: readonly Constraint[];
  /** Launched, and whatever else people want to know; not output. */
  readonly note: (line: string) => void;
  /** A task runs or has run: its output can be read. Once per task. The job waits for the end of reading before it acknowledges. */
  readonly onOutput: (taskId: string, label: string) => Promise<void>;
}

interface Instance {
  readonly label: string;
  task: TaskInfo;
  launched: boolean;
  state: number | undefined;
  /** Since the first sign of life. */
  output: Promise<void> | undefined;
  exit: number | undefined;
}

/** A task that was never started is offered again; these never ran. */
const NEVER_RAN: ReadonlySet<number | undefined> = new Set([TaskState.TASK_DROPPED]);
/** Filter on declined offers while everything has its place. */
const LONG_REFUSAL_SECONDS = 3_600;
/** What launching adds to a task: its agent's id, its place in the call, a longer label. */
const TASK_OVERHEAD_BYTES = 512;
/** Launches and kills wait for a leader as long as the command does. */
const PATIENCE_MS = 24 * 3_600_000;

export class Job {
  readonly #session: SchedulerSession;
  readonly #options: JobOptions;
  readonly #instances: Instance[];
  readonly #idle: Promise<void>[] = [];
  /** Tasks that fit one call: elements are what counts there, and each takes a byte at least. */
  readonly #perLaunch: number;

  constructor(session: SchedulerSession, options: JobOptions) {
    this.#session = session;
    this.#options = options;
    const { name } = options.task;
    this.#instances = Array.from({ length: options.instances }, (_, i) => {
      const label = options.instances === 1 ? name : `${name}-${i}`;
      return { label, task: this.#newTask(label), launched: false, state: undefined, output: undefined, exit: undefined };
    });
    const taskBytes = TaskInfo.encode(this.#instances[0]!.task).finish().length + TASK_OVERHEAD_BYTES;
    this.#perLaunch = Math.max(1, Math.min(limits.acceptItems - 1, Math.floor(limits.callWords / taskBytes)));
  }

  get taskIds(): string[] {
    return this.#instances.map(idOf);
  }

  /** Every instance runs, or has run. */
  get placed(): boolean {
    return this.#instances.every(({ state }) => state !== undefined && state !== TaskState.TASK_STAGING);
  }

  get finished(): boolean {
    return this.#instances.every(({ exit }) => exit !== undefined);
  }

  /** The worst of the instances' exit codes. */
  get exitCode(): number {
    return Math.max(...this.#instances.map(({ exit }) => exit ?? 0));
  }

  /** Why a launch failed, if one did: the job cannot go on. */
  failure: unknown;

  /** Deals with one event. Nothing here waits: the loop must go on. */
  handle(event: SchedulerEvent): void {
    const { note } = this.#options;
    switch (event.type) {
      case "offers":
        return event.offers.forEach((offer) => this.#use(offer));
      case "update":
        return this.#update(event.status);
      case "disconnected":
        return note(`lost the leader ${event.leader.name} (${event.reason}); the tasks go on`);
      case "leaderChanged":
        return note(`${event.to.name} leads now (epoch ${event.to.epoch.generation}-${event.to.epoch.revision})`);
      case "subscribed":
        // What happened in between is asked for; agents repeat what was not acknowledged anyway.
        if (event.resumed) this.#background(this.#session.reconcile(this.#alive().map((one) => ({ taskId: idOf(one) }))));
        return;
    }
  }

  /** Orders the end of everything that was launched. Instances not launched yet count as ended. */
  kill(): void {
    for (const instance of this.#instances) {
      if (instance.exit !== undefined) continue;
      if (instance.launched) this.#background(this.#session.kill(idOf(instance), { timeoutMs: PATIENCE_MS }));
      else instance.exit = 130;
    }
  }

  /** Waits for calls and output under way. Rejects with the first failure of a call. */
  async settled(): Promise<void> {
    await Promise.all(this.#idle);
  }

  #use(offer: Offer): void {
    const waiting = this.#instances.filter(({ launched, exit }) => !launched && exit === undefined);
    const room = this.#allows(offer) && waiting[0] !== undefined ? fits(offer, waiting[0].task) : 0;
    const chosen = waiting.slice(0, Math.min(room, this.#perLaunch));
    if (chosen.length === 0) {
      // While something waits, the offer may be whole again soon.
      return this.#background(this.#session.decline(offer, { refuseSeconds: waiting.length > 0 ? 5 : LONG_REFUSAL_SECONDS }));
    }
    for (const instance of chosen) {
      instance.launched = true;
      this.#options.note(`${idOf(instance)}: launched on ${offer.hostname}`);
    }
    const rest = chosen.length < room ? { refuseSeconds: 0 } : {};
    this.#launch(this.#session.launch(offer, chosen.map(({ task }) => task), { timeoutMs: PATIENCE_MS, ...rest }));
    if (chosen.length === waiting.length) this.#background(this.#session.suppress());
  }

  #launch(call: Promise<void>): void {
    this.#background(call);
    call.catch((error: unknown) => {
      this.failure ??= error;
      this.onEnd();
    });
  }

  #allows(offer: Offer): boolean {
    const attributes = attributesFromMesos(offer.attributes);
    return attributes.ok && satisfies({ hostname: offer.hostname ?? "", attributes: attributes.value }, this.#options.constraints);
  }

  #update(status: TaskStatus): void {
    const instance = this.#instances.find((one) => idOf(one) === status.taskId?.value);
    if (instance === undefined || instance.exit !== undefined) return this.#background(this.#session.acknowledge(status));
    const { state } = status;
    if (NEVER_RAN.has(state)) {
      this.#background(this.#session.acknowledge(status));
      return this.#again(instance, status);
    }
    if (state !== instance.state) this.#options.note(`${idOf(instance)}: ${describe(status)}`);
    instance.state = state;
    const hasOutput = state === TaskState.TASK_RUNNING || (isTerminal(state) && exitStatus(status) !== undefined);
    if (hasOutput) instance.output ??= this.#options.onOutput(idOf(instance), instance.label);
    if (!isTerminal(state)) return this.#background(this.#session.acknowledge(status));
    this.#background(this.#ended(instance, status));
  }

  /** The end is acknowledged when the output is read: until then the cluster knows the task and where it ran. */
  async #ended(instance: Instance, status: TaskStatus): Promise<void> {
    await instance.output;
    if (instance.exit !== undefined) return;
    await this.#session.acknowledge(status);
    instance.exit = exitStatus(status) ?? (status.state === TaskState.TASK_FINISHED ? 0 : 1);
    this.onEnd();
  }

  /** Called each time an instance has ended, and when the job has failed. */
  onEnd: () => void = () => {};

  #again(instance: Instance, status: TaskStatus): void {
    this.#options.note(`${idOf(instance)}: not started (${status.message ?? "dropped"}); trying again`);
    instance.task = this.#newTask(instance.label);
    instance.launched = false;
    instance.state = undefined;
    this.#background(this.#session.revive());
  }

  #alive(): Instance[] {
    return this.#instances.filter(({ launched, exit }) => launched && exit === undefined);
  }

  #newTask(label: string): TaskInfo {
    return commandTask({ ...this.#options.task, name: label });
  }

  #background(call: Promise<void>): void {
    this.#idle.push(call);
    call.catch(() => {}); // `settled` tells of it
    if (this.#idle.length > 1_000) void this.#idle.shift();
  }
}

function idOf({ task }: { readonly task: TaskInfo }): string {
  return task.taskId?.value ?? "";
}

function describe(status: TaskStatus): string {
  const name = taskStateName(status.state).replace(/^TASK_/, "").toLowerCase();
  const code = exitStatus(status);
  const detail = isTerminal(status.state) ? (code !== undefined && code !== 0 ? `exit code ${code}` : (status.message ?? "")) : "";
  return detail === "" ? name : `${name} (${detail})`;
}
