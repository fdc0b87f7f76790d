/** A framework that makes work for the cluster: as fast as it can, or a fixed number of tasks on each agent. */
import { epochText } from "../../src/base/epoch.ts";
import { commandTask, connectScheduler, isTerminal, TaskState, type Offer, type SchedulerSession, type TaskInfo } from "../../src/sdk/index.ts";

/** Acknowledgements that may be on their way before the next event is read. */
const MAX_PENDING = 5_000;
const FOREVER_S = 365 * 24 * 3600;

export interface Plan {
  readonly command: string;
  /** Tasks for one offer. */
  readonly perOffer: number;
  /** One offer of each agent, and never again. */
  readonly oncePerAgent: boolean;
  /** Offers are kept while more tasks than this were launched and have not ended. */
  readonly maxLive: number;
}

export class LoadFramework implements AsyncDisposable {
  readonly #name: string;
  readonly #session: SchedulerSession;
  #reviving = false;
  #reviveDue = false;
  readonly #following: Promise<void>;
  readonly #served = new Set<string>();
  /** Tasks whose offers went with a leader, by agent: to be launched again. */
  readonly #owed = new Map<string, number>();
  readonly #offers = new Map<string, Offer>();
  #plan: Plan | undefined;
  #template: TaskInfo | undefined;
  #number = 0;
  /** Updates come again until they are acknowledged, so tasks are counted, not updates. */
  readonly #running = new Set<string>();
  #pending = 0;
  #lastEvent = { type: "none", at: performance.now() };
  /** Tasks whose launch was answered. */
  accepted = 0;
  ended = 0;
  failedCalls = 0;

  private constructor(name: string, session: SchedulerSession) {
    this.#name = name;
    this.#session = session;
    this.#following = this.#follow();
  }

  static async start(masters: readonly string[], name: string): Promise<LoadFramework> {
    const session = await connectScheduler({ masters, framework: { name, failoverTimeoutSeconds: 3600 }, timeoutMs: 120_000 });
    return new LoadFramework(name, session);
  }

  /** Tasks that were seen to run, and not to end. */
  get running(): number {
    return this.#running.size;
  }

  /** What this framework knows of itself and of its connection, in one line. */
  get state(): string {
    const { leader } = this.#session;
    const to = leader === undefined ? "no leader known" : `to ${leader.name} in epoch ${epochText(leader.epoch)}`;
    const { type, at } = this.#lastEvent;
    const last = `last event ${type} ${((performance.now() - at) / 1_000).toFixed(1)} s ago`;
    return `${this.#name} ${to}: ${this.accepted} accepted, ${this.ended} ended, ${this.#pending} calls unanswered, ${this.failedCalls} failed, ${last}`;
  }

  /** Launches by this plan from now on; undefined: no more. */
  follow(plan: Plan | undefined): void {
    this.#plan = plan;
    this.#template = plan && commandTask({ command: plan.command, cpus: 0.01, mem: 1 });
    const offers = [...this.#offers.values()];
    this.#offers.clear();
    for (const offer of offers) this.#use(offer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plan = undefined;
    await this.#session.close({ timeoutMs: 0 });
    await this.#following;
  }

  async #follow(): Promise<void> {
    for await (const event of this.#session.events) {
      this.#lastEvent = { type: event.type, at: performance.now() };
      if (event.type === "offers") for (const offer of event.offers) this.#use(offer);
      else if (event.type === "rescinded") for (const id of event.offerIds) this.#offers.delete(id);
      if (event.type !== "update") continue;
      const { status } = event;
      const taskId = status.taskId?.value ?? "";
      if (status.state === TaskState.TASK_RUNNING) this.#running.add(taskId);
      if (isTerminal(status.state) && this.#running.delete(taskId)) this.#ended();
      else if (status.state === TaskState.TASK_DROPPED && this.#plan?.oncePerAgent === true) this.#owe(status.agentId?.value ?? "");
      if ((status.uuid?.length ?? 0) === 0) continue;
      const acknowledged = this.#call(this.#session.acknowledge(status));
      if (this.#pending > MAX_PENDING) await acknowledged;
    }
  }

  #ended(): void {
    this.ended += 1;
    const [next] = this.#offers;
    if (next === undefined || this.#plan === undefined || this.#number - this.ended >= this.#plan.maxLive) return;
    this.#offers.delete(next[0]);
    this.#use(next[1]);
  }

  #owe(agent: string): void {
    this.#owed.set(agent, (this.#owed.get(agent) ?? 0) + 1);
    this.#reviveDue = true;
    if (!this.#reviving) void this.#revive();
  }

  /** Asks for the offers that were declined for ever, again for agents that came to be owed meanwhile. */
  async #revive(): Promise<void> {
    this.#reviving = true;
    while (this.#reviveDue) {
      this.#reviveDue = false;
      await this.#call(this.#session.revive());
    }
    this.#reviving = false;
  }

  #use(offer: Offer): void {
    const agent = offer.agentId?.value ?? "";
    const plan = this.#plan;
    if (plan === undefined || this.#number - this.ended >= plan.maxLive) {
      this.#offers.set(offer.id?.value ?? "", offer);
      return;
    }
    const owed = this.#owed.get(agent) ?? 0;
    this.#owed.delete(agent);
    if (plan.oncePerAgent && this.#served.has(agent) && owed === 0) {
      void this.#call(this.#session.decline(offer, { refuseSeconds: FOREVER_S }));
      return;
    }
    this.#served.add(agent);
    const tasks: TaskInfo[] = [];
    for (let i = 0; i < (owed || plan.perOffer); i += 1) {
      tasks.push({ ...this.#template!, taskId: { value: `${this.#name}-${(this.#number += 1)}` }, agentId: { value: agent } });
    }
    const refuseSeconds = plan.oncePerAgent ? FOREVER_S : 0;
    void this.#call(this.#session.launch(offer, tasks, { refuseSeconds }).then(() => void (this.accepted += tasks.length)));
  }

  async #call(call: Promise<void>): Promise<void> {
    this.#pending += 1;
    await call.catch(() => {
      this.failedCalls += 1;
    });
    this.#pending -= 1;
  }
}
