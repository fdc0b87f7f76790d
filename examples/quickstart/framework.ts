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

export class Framework {
  readonly tasks = new Map<string, TaskHistory>();
  /** Called after each change of a task. */
  onChange: () => void = () => {};
  readonly #session: SchedulerSession;
  readonly #waiting: TaskInfo[] = [];
  readonly #placed = new Map<string, TaskInfo>();
  readonly #seen = new Set<string>();
  readonly done: Promise<void>;
  /** Launches repeated because their offer was gone. */
  relaunched = 0;
  calls = 0;
  failedCalls = 0;

  private constructor(session: SchedulerSession) {
    this.#session = session;
    this.done = this.#follow();
  }

  static async start(masters: readonly string[]): Promise<Framework> {
    return new Framework(await connectScheduler({ masters, framework: { name: "quickstart", failoverTimeoutSeconds: 3600 } }));
  }

  get frameworkId(): string {
    return this.#session.frameworkId;
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

  async kill(taskId: string): Promise<void> {
    await this.#call(this.#session.kill(taskId));
  }

  async teardown(): Promise<void> {
    await this.#session.teardown();
    await this.done;
  }

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
        continue;
      }
      const uuid = Buffer.from(status.uuid ?? []).toString("hex");
      if (uuid === "" || !this.#seen.has(uuid)) known.states.push(taskStateName(status.state));
      this.#seen.add(uuid);
      if (uuid !== "") await this.#call(this.#session.acknowledge(status));
      if (isTerminal(status.state) && this.#waiting.length > 0) await this.#call(this.#session.revive());
      this.onChange();
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
