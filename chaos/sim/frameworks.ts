/**
 * Frameworks: schedulers that want a number of services to run and jobs to be done, and go about it like any user. Some
 * speak through the SDK, some do not know it. The scheduler process may die; what the framework remembers stays.
 */
import { isTerminal, TaskState, type Offer, type SchedulerEvent, type TaskStatus } from "../../src/sdk/index.ts";
import type { CallName, CallValue, ObservationName, Unrecorded } from "../history/event.ts";
import { type OpenCall, Recorder } from "../history/recorder.ts";
import { amountsOf } from "../history/rows.ts";
import { hex, isNotDone, offerOf, updateOf } from "../history/sessions.ts";
import { Chance } from "./chance.ts";
import type { Meddler } from "./meddling.ts";
import type { Network } from "./network.ts";
import { PlainScheduler } from "./plain-scheduler.ts";
import type { SchedulerClient, SchedulerListener, Send } from "./schedulers.ts";
import { SdkScheduler } from "./sdk-scheduler.ts";
import { SimProcess, type VirtualTime } from "./virtual-time.ts";
import { type KnownTask, Workload, type WorkloadPlan } from "./workload.ts";

export interface FrameworkPlan extends WorkloadPlan {
  readonly failoverTimeoutS: number;
  readonly partitionAware: boolean;
  /** How often an update is not acknowledged at first. */
  readonly forgetsAck: number;
  /** Its schedulers speak through the SDK. */
  readonly sdk: boolean;
}

export interface FrameworksWorld {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly masters: readonly string[];
  readonly write: (event: Unrecorded) => void;
}

/** Between two questions about tasks that were launched and of which nothing is heard. */
const SILENCE_MS = 30_000;
/** Launched with one offer. */
const TASKS_AT_ONCE = 4;
/** By then the next update may be what waits for an acknowledgement. */
const ACKNOWLEDGES_TWICE = 0.1;
/** What it was never told; nothing must come of it (I19). */
const ACKNOWLEDGES_WRONGLY = 0.02;
/** An offer is kept for a while, so often, and for so long at most. */
const HOLDS = 0.2;
const HOLD_MS = 4_000;
/** So many frameworks want no offers while they want nothing, and look so often whether that is so. */
const RESTS = 0.4;
const REST_MS = 7_000;
/** What was offered before may be read so much later. */
const READ_MS = 5_000;
/** A task is killed in the same breath in which it is launched. */
const KILLS_AT_ONCE = 0.05;
/** Between TERM and KILL, as a kill does not say. */
const GRACE_MS = 3_000;

type CallOutcome = "ok" | "fail" | "unknown";

export class SimFramework implements SchedulerListener, Meddler {
  readonly plan: FrameworkPlan;
  over = false;
  readonly #world: FrameworksWorld;
  readonly #chance: Chance;
  readonly #workload: Workload;
  readonly #recorder: Recorder;
  /** Calls under way, and the attempts to subscribe. */
  readonly #open = new Map<OpenCall, CallName>();
  /** Offers that it has not decided upon. */
  readonly #held = new Map<string, Offer>();
  #process: SimProcess | undefined;
  #client: SchedulerClient | undefined;
  #subscribed = false;
  #starts = 0;
  /** Wants nothing more, and ends what it has. */
  #closing = false;
  #killsNext = false;
  /** It may have no offers because it wanted none, and surely has none since then. */
  #resting = false;
  #restsSince = Infinity;
  /** Away, and not to be started. */
  #retired = false;

  constructor(world: FrameworksWorld, plan: FrameworkPlan) {
    this.#world = world;
    this.plan = plan;
    this.#chance = new Chance(world.seed, `framework/${plan.name}`);
    this.#workload = new Workload(plan, this.#chance);
    this.#recorder = new Recorder(() => world.time.now, { write: world.write, close: () => {} });
  }

  get name(): string {
    return this.plan.name;
  }

  get process(): SimProcess | undefined {
    return this.#process?.alive ? this.#process : undefined;
  }

  /** What it wants and does not have, in words; empty when it is content. On agents that are `lost` nothing can be done. */
  wishes(lost: ReadonlySet<string>): string[] {
    return this.over || this.#retired ? [] : this.#workload.wishes(lost);
  }

  start(): void {
    if (this.process !== undefined || this.over || this.#retired) return;
    const { time, network, masters, seed } = this.#world;
    const { failoverTimeoutS, partitionAware, sdk } = this.plan;
    const actor = `framework/${this.name}`;
    this.#starts += 1;
    const process = new SimProcess(time, actor, this.name);
    this.#process = process;
    const Client = sdk ? SdkScheduler : PlainScheduler;
    this.#client = new Client({
      process,
      network,
      masters,
      seed,
      framework: this.name,
      failoverTimeoutS,
      partitionAware,
      start: this.#starts,
      listener: this,
      mark: (name) => this.#observe("mark", { name }),
      complain: (message) => this.#complain(message),
    });
    this.#resting = false;
    this.#restsSince = Infinity;
    this.#askAboutSilence(process);
    if (new Chance(seed, `rests/${this.name}`).happens(RESTS)) void this.#rest(process, this.#client);
  }

  kill(): void {
    this.#process?.kill();
    this.#subscribed = false;
    this.#held.clear();
    // What a scheduler had asked and not yet heard of is not remembered by its successor, which reconciles instead.
    for (const call of [...this.#open.keys()]) call.unknown("the scheduler died");
  }

  retire(): void {
    this.kill();
    this.#retired = true;
  }

  hire(): void {
    this.#retired = false;
  }

  /** Starts, though it may have been told that it is removed: that may not be true any more. */
  reopen(): void {
    if (this.over && !this.#closing) {
      this.over = false;
      this.kill();
    }
    this.start();
  }

  /** Ends everything it has. */
  teardown(): void {
    this.#closing = true;
    if (!this.over) void this.#call("teardown", { framework: this.name }, (client) => client.teardown());
  }

  /** Kills one of its tasks, if any runs. */
  killOne(): void {
    const { running } = this.#workload;
    if (running.length > 0) void this.#kill(this.#chance.pick(running));
  }

  /** Kills the next task that it launches, as soon as it knows that it did. */
  killNext(): void {
    this.#killsNext = true;
  }

  meddle<K extends CallName>(op: K, value: CallValue<K>, send: Send): void {
    if (this.#subscribed && !this.#closing) void this.#call(op, value, send);
  }

  /** Asks about everything, or about each task it thinks is open. */
  reconcile(explicit: boolean): void {
    const open = this.#workload.open.map(({ id }) => id);
    if (!explicit || open.length > 0) this.#reconcile(explicit ? open : []);
  }

  asks(): OpenCall {
    const { name, failoverTimeoutS, partitionAware } = this.plan;
    return this.#invoke("subscribe", { framework: name, failoverTimeoutMs: failoverTimeoutS * 1_000, partitionAware });
  }

  subscribed(): void {
    this.#subscribed = true;
    this.#observe("subscribed", { framework: this.name });
    if (this.#starts > 1 || this.#chance.happens(0.3)) this.reconcile(this.#chance.happens(0.5));
  }

  disconnected(): void {
    this.#subscribed = false;
    this.#observe("disconnected", { framework: this.name });
    // The SDK has told of each before.
    if (this.plan.sdk && this.#held.size > 0) this.#complain("offers of a leader that is lost were not taken back");
    this.#held.clear();
  }

  told(event: SchedulerEvent): void {
    if (event.type === "offers") for (const offer of event.offers) this.#offered(offer);
    else if (event.type === "update") this.#updated(event.status);
    else if (event.type === "rescinded") {
      for (const offer of event.offerIds) {
        this.#held.delete(offer);
        this.#observe("rescind", { framework: this.name, offer });
      }
    }
  }

  refused(message: string): void {
    this.#subscribed = false;
    this.#observe("frameworkError", { framework: this.name, message });
    if (!/removed/.test(message)) return;
    this.over = true;
    for (const [call, op] of [...this.#open]) {
      if (op === "teardown") call.ok();
      else call.unknown(message);
    }
  }

  /** After a restore masters say nothing of what an agent may still tell (5.4), so silence is asked about again. */
  #askAboutSilence(process: SimProcess): void {
    process.clock.after(SILENCE_MS, () => {
      const silent = this.#workload.open.filter(({ state }) => state === TaskState.TASK_STAGING).map(({ id }) => id);
      if (this.#subscribed && silent.length > 0) this.#reconcile(silent);
      this.#askAboutSilence(process);
    });
  }

  async #rest(process: SimProcess, client: SchedulerClient): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => process.clock.after(REST_MS, resolve));
      const isContent = this.#workload.wishes(new Set()).length === 0 && this.#workload.surplus === undefined;
      if (isContent === this.#resting) continue;
      this.#resting = true;
      this.#restsSince = Infinity;
      try {
        await (isContent ? client.suppress() : client.revive());
        if (isContent) this.#restsSince = process.clock.now();
        else this.#resting = false;
      } catch {
        // Whether it rests is not known. If it is not to, it asks for offers again.
      }
    }
  }

  #reconcile(tasks: readonly string[]): void {
    void this.#call("reconcile", { framework: this.name, tasks }, (client) => client.reconcile(tasks));
  }

  #offered(offer: Offer): void {
    this.#observe("offer", offerOf(this.name, offer));
    if (this.#world.time.now - this.#restsSince > READ_MS) this.#complain("offers come that are not wanted");
    const id = offer.id?.value ?? "";
    this.#held.set(id, offer);
    const decide = (): void => {
      if (this.#held.delete(id)) this.#decide(offer);
    };
    if (this.#chance.happens(HOLDS)) this.#process?.clock.after(this.#chance.between(0, HOLD_MS), decide);
    else decide();
  }

  #decide(offer: Offer): void {
    const { surplus } = this.#workload;
    if (surplus !== undefined) void this.#kill(surplus);
    const { offer: id, agent, resources } = offerOf(this.name, offer);
    const room = Math.floor(Math.min((resources["cpus"] ?? 0) / 500, (resources["mem"] ?? 0) / 64_000));
    const tasks = this.#closing ? [] : this.#workload.next(agent, Math.min(room, TASKS_AT_ONCE));
    if (tasks.length > 0) return void this.#launch(offer, agent, tasks);
    const refuseSeconds = this.#chance.between(1, 4);
    void this.#call("decline", { framework: this.name, offers: [id] }, (client) => client.decline(offer, refuseSeconds));
  }

  async #launch(offer: Offer, agent: string, tasks: readonly KnownTask[]): Promise<void> {
    const infos = tasks.map(({ info }) => info);
    const launches = infos.map((info) => ({ task: info.taskId?.value ?? "", resources: amountsOf(info.resources) }));
    const value = { framework: this.name, offers: [offer.id?.value ?? ""], agent, tasks: launches };
    const launched = this.#call("launch", value, (client) => client.launch(offer, infos));
    // Only sessions of the SDK keep such calls in order (10.8).
    if (this.plan.sdk && this.#chance.happens(KILLS_AT_ONCE)) void this.#kill(tasks[0]!);
    const outcome = await launched;
    for (const task of tasks) task.launch = outcome === "unknown" ? "unknown" : "answered";
    if (outcome !== "ok" || !this.#killsNext) return;
    this.#killsNext = false;
    this.#process?.clock.after(this.#chance.between(0, 15), () => void this.#kill(tasks[0]!));
  }

  async #kill(task: KnownTask): Promise<void> {
    if (this.#closing || isTerminal(task.state)) return;
    task.killing = true;
    const agent = this.#chance.happens(0.5) ? task.agent : undefined;
    const outcome = await this.#call("kill", { framework: this.name, task: task.id, graceMs: GRACE_MS }, (client) => client.kill(task.id, agent));
    if (outcome === "unknown") task.killing = false;
  }

  #updated(status: TaskStatus): void {
    const update = updateOf(this.name, status);
    this.#observe("update", update);
    this.#workload.told(update.task, status.state!);
    if (update.uuid === "" || this.#chance.happens(this.plan.forgetsAck)) return;
    if (this.#chance.happens(ACKNOWLEDGES_WRONGLY)) this.#acknowledge({ ...status, uuid: Uint8Array.from(status.uuid!).reverse() });
    this.#acknowledge(status);
    if (this.#chance.happens(ACKNOWLEDGES_TWICE)) this.#process?.clock.after(this.#chance.between(0, 5_000), () => !this.#closing && this.#acknowledge(status));
  }

  #acknowledge(status: TaskStatus): void {
    const value = { framework: this.name, agent: status.agentId?.value ?? "", task: status.taskId?.value ?? "", uuid: hex(status.uuid) };
    void this.#call("acknowledge", value, (client) => client.acknowledge(status));
  }

  /** Resolves with what became of the call. */
  #call<K extends CallName>(op: K, value: CallValue<K>, send: Send): Promise<CallOutcome> {
    return new Promise((resolve) => {
      const call = this.#invoke(op, value, (outcome) => {
        if (op === "teardown" && outcome === "ok") this.over = true;
        resolve(outcome);
      });
      send(this.#client!).then(
        (at) => call.ok(at),
        (error: unknown) => (isNotDone(error) ? call.fail(String(error)) : call.unknown(String(error))),
      );
    });
  }

  #invoke<K extends CallName>(op: K, value: CallValue<K>, onEnd: (outcome: CallOutcome) => void = () => {}): OpenCall {
    const recorded = this.#recorder.invoke(`framework/${this.name}`, op, value);
    const end = (outcome: CallOutcome, record: () => void): void => {
      if (!this.#open.delete(call)) return;
      record();
      onEnd(outcome);
    };
    const call: OpenCall = {
      ok: (at) => end("ok", () => recorded.ok(at)),
      fail: (error, at) => end("fail", () => recorded.fail(error, at)),
      unknown: (error) => end("unknown", () => recorded.unknown(error)),
    };
    this.#open.set(call, op);
    return call;
  }

  #complain(message: string): void {
    this.#observe("complaint", { of: this.name, message });
  }

  #observe(op: ObservationName, value: object): void {
    this.#recorder.record({ actor: `framework/${this.name}`, kind: "observe", op, value } as unknown as Unrecorded);
  }
}
