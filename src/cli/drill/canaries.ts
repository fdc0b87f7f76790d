/** The framework of a drill: small tasks whose life shows what a fault does to tasks, and a launch that shows when it is over. */
import { onAbort, withDeadline } from "../../async/abort.ts";
import { compareEpochs, NO_EPOCH, type Epoch } from "../../base/epoch.ts";
import { MesarchError } from "../../base/errors.ts";
import type { SchedulerEvent } from "../../sdk/events.ts";
import { connectScheduler, type SchedulerSession } from "../../sdk/scheduler.ts";
import { commandTask, fits, isTerminal, taskStateName } from "../../sdk/tasks.ts";
import { TaskState, type Offer, type TaskInfo, type TaskStatus } from "../../wire/gen/mesos/v1/mesos.ts";
import { CANARY_COMMAND } from "./canary-log.ts";

export interface CanaryOptions {
  readonly masters: readonly string[];
  readonly role: string;
  /** Longest wait for the cluster to take the framework, in milliseconds. */
  readonly timeoutMs: number;
  readonly note: (line: string) => void;
}

export interface Placed {
  readonly taskId: string;
  readonly agentId: string;
  /** When it was told to run, on the scale of `performance.now()`. */
  readonly at: number;
}

/** What is asked of a place. */
export interface Place {
  /** Only on this agent. */
  readonly agentId?: string;
  /** Only by a leader after this one. */
  readonly after?: Epoch;
}

interface Wish {
  readonly place: Place;
  /** One of many that are spread over agents. */
  readonly spread: boolean;
  task: TaskInfo;
  readonly outcome: PromiseWithResolvers<Placed>;
}

/** Filter on what is declined: offers are for others, until one is asked for again. */
const REFUSE_SECONDS = 3_600;
/** A drill that is killed leaves its canaries for so long. */
const FAILOVER_SECONDS = 60;
/** How long an even spread is waited for, and then any place. */
const SPREAD_MS = 3_000;
const PLACING_MS = 30_000;
const TEARDOWN_MS = 10_000;

export class Canaries implements AsyncDisposable {
  readonly #session: SchedulerSession;
  readonly #options: CanaryOptions;
  readonly #waiting: Wish[] = [];
  readonly #launched = new Map<string, Wish>();
  /** Canaries that are spread, by agent. */
  readonly #perAgent = new Map<string, number>();
  /** By task id: to be called when it has ended. */
  readonly #retiring = new Map<string, () => void>();
  #spreadLimit = Infinity;
  #epoch: Epoch = NO_EPOCH;
  readonly #over: Promise<void>;

  private constructor(session: SchedulerSession, options: CanaryOptions) {
    this.#session = session;
    this.#options = options;
    this.#over = this.#live().catch((error: unknown) => {
      for (const { outcome } of [...this.#waiting, ...this.#launched.values()]) outcome.reject(error);
    });
  }

  static async connect(options: CanaryOptions): Promise<Canaries> {
    const session = await connectScheduler({
      masters: options.masters,
      connectTimeoutMs: options.timeoutMs,
      autoAcknowledge: true,
      framework: {
        name: "mesarch drill",
        roles: [options.role],
        failoverTimeoutSeconds: FAILOVER_SECONDS,
        // Without it agents with gpus would offer nothing.
        capabilities: ["GPU_RESOURCES"],
      },
    });
    return new Canaries(session, options);
  }

  get frameworkId(): string {
    return this.#session.frameworkId;
  }

  /** Of the leader that serves this framework. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /** Launches `count` canaries, spread over so many agents as evenly as there is room. Resolves when all run. */
  async launch(count: number, agents: number, signal: AbortSignal): Promise<Placed[]> {
    this.#spreadLimit = Math.ceil(count / agents);
    const anywhere = setTimeout(() => {
      this.#spreadLimit = Infinity;
      this.#ask();
    }, SPREAD_MS);
    using deadline = withDeadline(signal, PLACING_MS);
    try {
      return await Promise.all(Array.from({ length: count }, () => this.#place({}, true, deadline.signal)));
    } catch (error) {
      if (signal.aborted || !deadline.signal.aborted) throw error;
      const running = [...this.#perAgent.values()].reduce((sum, n) => sum + n, 0);
      throw new MesarchError("timed_out", `only ${running} of ${count} canaries found a place within ${PLACING_MS / 1_000} s`, {
        remedy: "Look for free resources with mesarch agent list, or ask for less with --canaries or another --role.",
      });
    } finally {
      clearTimeout(anywhere);
    }
  }

  /** Launches one more where and when `place` says. Resolves when it runs. */
  async next(place: Place, signal: AbortSignal): Promise<Placed> {
    return this.#place(place, false, signal);
  }

  /** Ends one that is not needed any more. Resolves when it has ended. */
  async retire({ taskId }: Placed, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopListening = onAbort(signal, () => reject(signal.reason));
    this.#retiring.set(taskId, resolve);
    const killed = this.#session.kill(taskId, { graceMs: 0 });
    await Promise.all([killed, promise]).finally(stopListening);
  }

  /** Tears the framework down: no canary outlives it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.teardown({ timeoutMs: TEARDOWN_MS }).catch(async (error: unknown) => {
      this.#options.note(`the canaries end with their framework in ${FAILOVER_SECONDS} s: ${(error as Error).message}`);
      await this.#session.close({ timeoutMs: 0 });
    });
    await this.#over;
  }

  async #place(place: Place, spread: boolean, signal: AbortSignal): Promise<Placed> {
    const wish: Wish = { place, spread, task: newCanary(), outcome: Promise.withResolvers<Placed>() };
    const stopListening = onAbort(signal, () => wish.outcome.reject(signal.reason));
    this.#waiting.push(wish);
    // A later leader offers everything by itself, and asking the present one would take offers from others.
    if (place.after === undefined) this.#ask();
    try {
      return await wish.outcome.promise;
    } finally {
      stopListening();
      this.#forget(wish);
    }
  }

  #ask(): void {
    this.#session.revive().catch(() => {}); // a session that is over says so in `#live`
  }

  #forget(wish: Wish): void {
    const index = this.#waiting.indexOf(wish);
    if (index >= 0) this.#waiting.splice(index, 1);
    this.#launched.delete(idOf(wish.task));
  }

  async #live(): Promise<void> {
    for await (const event of this.#session.events) this.#handle(event);
    throw new MesarchError("cancelled", "the framework of the drill was ended");
  }

  /** Nothing here waits: the loop must go on. */
  #handle(event: SchedulerEvent): void {
    if (event.type === "subscribed") this.#epoch = event.leader.epoch;
    else if (event.type === "offers") for (const offer of event.offers) this.#use(offer);
    else if (event.type === "update") this.#update(event.status);
  }

  #use(offer: Offer): void {
    const agentId = offer.agentId?.value ?? "";
    const room = fits(offer, newCanary());
    const chosen: Wish[] = [];
    for (const wish of [...this.#waiting]) {
      if (chosen.length >= room || !this.#allows(wish, agentId)) continue;
      chosen.push(wish);
      this.#waiting.splice(this.#waiting.indexOf(wish), 1);
      this.#launched.set(idOf(wish.task), wish);
      this.#count(wish, agentId, 1);
    }
    if (chosen.length === 0) return void this.#session.decline(offer, { refuseSeconds: REFUSE_SECONDS }).catch(() => {});
    this.#session.launch(offer, chosen.map(({ task }) => task), { refuseSeconds: REFUSE_SECONDS }).catch((error: unknown) => {
      for (const { outcome } of chosen) outcome.reject(error);
    });
  }

  #allows({ place, spread }: Wish, agentId: string): boolean {
    if (place.agentId !== undefined && place.agentId !== agentId) return false;
    if (place.after !== undefined && compareEpochs(this.#epoch, place.after) <= 0) return false;
    return !spread || (this.#perAgent.get(agentId) ?? 0) < this.#spreadLimit;
  }

  #count({ spread }: Wish, agentId: string, by: 1 | -1): void {
    if (spread) this.#perAgent.set(agentId, (this.#perAgent.get(agentId) ?? 0) + by);
  }

  #update(status: TaskStatus): void {
    const taskId = status.taskId?.value ?? "";
    if (isTerminal(status.state)) this.#retiring.get(taskId)?.();
    const wish = this.#launched.get(taskId);
    if (wish === undefined) return;
    const agentId = status.agentId?.value ?? "";
    if (status.state === TaskState.TASK_RUNNING) {
      return wish.outcome.resolve({ taskId, agentId, at: performance.now() });
    }
    if (status.state === TaskState.TASK_DROPPED) return this.#again(wish, agentId);
    if (!isTerminal(status.state)) return;
    wish.outcome.reject(
      new MesarchError("internal", `a canary on agent ${agentId} did not start: ${taskStateName(status.state)}, ${status.message ?? ""}`),
    );
  }

  /** Never started: its offer went with a leader or an agent. */
  #again(wish: Wish, agentId: string): void {
    this.#forget(wish);
    this.#count(wish, agentId, -1);
    wish.task = newCanary();
    this.#waiting.push(wish);
    this.#ask();
  }
}

function newCanary(): TaskInfo {
  return commandTask({ name: "canary", command: CANARY_COMMAND, cpus: 0.01, mem: 16 });
}

function idOf(task: TaskInfo): string {
  return task.taskId?.value ?? "";
}
