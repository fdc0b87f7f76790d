/** The quickstart's framework: launches all tasks as offers come, acknowledges every update, counts what it is told. */
import {
  connectScheduler,
  fits,
  isTerminal,
  type Offer,
  type SchedulerSession,
  type TaskInfo,
  TaskState,
  taskStateName,
  type TaskStateName,
} from "../../src/sdk/index.ts";

export interface TaskHistory {
  readonly id: string;
  /** Each state as it was told, repeats of the same update left out. */
  readonly states: string[];
  agentId: string;
}

/** Longer than anybody looks at a cluster that was kept. */
const FAILOVER_TIMEOUT_SECONDS = 7 * 24 * 3600;
const STEP_TIMEOUT_MS = 60_000;

export class Framework {
  readonly tasks = new Map<string, TaskHistory>();
  readonly #session: SchedulerSession;
  readonly #waiting: TaskInfo[] = [];
  readonly #placed = new Map<string, TaskInfo>();
  readonly #seen = new Set<string>();
  /** Called after each change of a task. */
  #onChange: () => void = () => {};
  readonly done: Promise<void>;
  /** Launches repeated because their offer was gone. */
  relaunched = 0;
  calls = 0;
  failedCalls = 0;

  private constructor(session: SchedulerSession) {
    this.#session = session;
    this.done = this.#follow();
    this.done.catch(() => {}); // `until` tells of it
  }

  /** `signal` ends the session, and all that waits for it. */
  static async start(masters: readonly string[], signal: AbortSignal): Promise<Framework> {
    const framework = { name: "quickstart", failoverTimeoutSeconds: FAILOVER_TIMEOUT_SECONDS };
    return new Framework(await connectScheduler({ masters, framework, signal }));
  }

  /** Launches these tasks as soon as there is room. */
  async launch(tasks: readonly TaskInfo[]): Promise<void> {
    this.#waiting.push(...tasks);
    await this.#session.revive();
  }

  /** Tasks whose last told state is one of these. */
  count(...states: readonly TaskStateName[]): number {
    let count = 0;
    for (const task of this.tasks.values()) if ((states as readonly string[]).includes(task.states.at(-1)!)) count += 1;
    return count;
  }

  /** Waits for a condition that the framework's own events make true. Rejects when that takes too long or its session ends. */
  async until(what: string, condition: () => boolean): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    const giveUp = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`${what}: not within ${STEP_TIMEOUT_MS / 1000} s`)), STEP_TIMEOUT_MS);
    });
    try {
      while (!condition()) {
        const change = new Promise<void>((resolve) => (this.#onChange = resolve));
        const over = this.done.then(() => Promise.reject(new Error(`${what}: the session is over`)));
        await Promise.race([change, over, giveUp]);
      }
    } finally {
      clearTimeout(late);
    }
  }

  /** Leaves the tasks to the cluster. */
  async close(): Promise<void> {
    await this.#session.close();
    await this.done.catch(() => {});
  }

  async #follow(): Promise<void> {
    for await (const event of this.#session.events) {
      if (event.type === "offers") for (const offer of event.offers) await this.#use(offer);
      if (event.type !== "update") continue;
      const { status } = event;
      const id = status.taskId?.value ?? "";
      const known = this.tasks.get(id) ?? { id, states: [], agentId: "" };
      this.tasks.set(id, known);
      known.agentId = status.agentId?.value ?? known.agentId;
      if (status.state === TaskState.TASK_DROPPED && this.#placed.has(id)) {
        // Its offer was gone, with the leader that made it or otherwise: it never started, so it is simply launched again.
        this.relaunched += 1;
        this.#waiting.unshift(this.#placed.get(id)!);
        this.tasks.delete(id);
        await this.#call(this.#session.revive());
        continue;
      }
      const uuid = Buffer.from(status.uuid ?? []).toString("hex");
      if (uuid === "" || !this.#seen.has(uuid)) known.states.push(taskStateName(status.state));
      this.#seen.add(uuid);
      if (uuid !== "") await this.#call(this.#session.acknowledge(status));
      if (isTerminal(status.state) && this.#waiting.length > 0) await this.#call(this.#session.revive());
      this.#onChange();
    }
  }

  /** Fills the offer with waiting tasks; what is left over goes back. */
  async #use(offer: Offer): Promise<void> {
    const chosen: TaskInfo[] = [];
    const next = this.#waiting[0];
    // All waiting tasks of one kind are alike, so that counting the first is enough; services come first.
    if (next !== undefined) chosen.push(...this.#waiting.splice(0, Math.min(fits(offer, next), this.#share())));
    if (chosen.length === 0) {
      await this.#call(this.#session.decline(offer, { refuseSeconds: this.#waiting.length > 0 ? 1 : 3600 }));
      return;
    }
    for (const task of chosen) {
      const id = task.taskId!.value!;
      this.#placed.set(id, task);
      if (!this.tasks.has(id)) this.tasks.set(id, { id, states: ["TASK_STAGING"], agentId: offer.agentId?.value ?? "" });
    }
    await this.#call(this.#session.launch(offer, chosen, { refuseSeconds: 0 }));
  }

  /** Tasks for one offer: not all on one agent. */
  #share(): number {
    return Math.max(1, Math.min(8, Math.ceil(this.#waiting.length / 3)));
  }

  async #call(call: Promise<void>): Promise<void> {
    this.calls += 1;
    await call.catch(() => {
      this.failedCalls += 1;
    });
  }
}
