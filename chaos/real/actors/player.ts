/**
 * A framework that wants services to run and jobs to be done, and goes about it like any user of the SDK: what is
 * unanswered it leaves to the session, what it lost sight of it asks about.
 */
import { setTimeout as delay } from "node:timers/promises";
import { commandTask, fits, isTerminal, type Offer, type TaskInfo, TaskState, taskStateName, type TaskStatus } from "../../../src/sdk/index.ts";
import type { Recorder } from "../../history/recorder.ts";
import type { Chance } from "../../sim/chance.ts";
import { WITNESS_CPUS } from "../cluster/programs.ts";
import type { KnownTask } from "./recall.ts";
import { type Framework, RecordedSession } from "./recorded-session.ts";

export interface Wants {
  readonly services: number;
  /** Jobs at a time; while it works there is always another one. */
  readonly jobs: number;
  /** How long a job lives, in beats of a fifth of a second. */
  readonly jobBeats: readonly [least: number, most: number];
  /** A service is killed now and then, and replaced. */
  readonly killEveryMs: number | undefined;
  readonly reconcileEveryMs: number | undefined;
  /** How often an update is not acknowledged when it first comes. */
  readonly forgetsAck: number;
}

export interface PlayerOptions {
  readonly framework: Framework;
  readonly wants: Wants;
  readonly recorder: Recorder;
  readonly chance: Chance;
  /** Directory that witnesses write to, and the program they are. */
  readonly witnesses: string;
  readonly script: string;
  /** Begins the ids of its tasks; with each start of the process another one. */
  readonly prefix: string;
  readonly known: readonly KnownTask[];
}

const TICK_MS = 150;
/** An offer not used by then is given back, so that others get it. */
const HOLD_MS = 1_200;
/** Tasks launched with one call. */
const BATCH = 8;
const RECONNECT_MS = 200;
const GRACES_MS = [500, 1_500] as const;

export class Player {
  readonly #options: PlayerOptions;
  readonly #tasks: Map<string, KnownTask>;
  readonly #offers = new Map<string, { readonly offer: Offer; readonly since: number }>();
  #session: RecordedSession | undefined;
  /** The last one, for now. */
  #unacknowledged: TaskStatus | undefined;
  #serial = 0;
  #launched = 0;
  #working = true;
  #over = false;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#tasks = new Map(options.known.map((task) => [task.id, task]));
  }

  get id(): string {
    return this.#options.framework.id;
  }

  /** What it wants and does not have; empty when it is content. */
  get wishes(): string[] {
    if (this.#over) return [];
    const wishes: string[] = [];
    if (this.#session?.subscribed !== true) wishes.push(`${this.id} is not subscribed`);
    const missing = this.#missingServices();
    if (missing > 0) wishes.push(`${this.id} misses ${missing} services`);
    const waiting = this.#open().filter(({ state, service }) => !service || state !== TaskState.TASK_RUNNING);
    if (waiting.length > 0) wishes.push(`${this.id} waits for ${waiting.length} tasks, of them ${waiting[0]!.id} (${taskStateName(waiting[0]!.state)})`);
    if ((this.#session?.unanswered ?? 0) > 0) wishes.push(`${this.id} waits for ${this.#session!.unanswered} answers`);
    return wishes;
  }

  get running(): number {
    return [...this.#tasks.values()].filter(({ state }) => state === TaskState.TASK_RUNNING).length;
  }

  /** Launches that were answered as done, by this process. */
  get launched(): number {
    return this.#launched + (this.#session?.launched ?? 0);
  }

  /** Plays until it is over; never rejects. */
  async play(): Promise<void> {
    const timers = [
      setInterval(() => this.#tick(), TICK_MS),
      this.#every(this.#options.wants.killEveryMs, () => this.#killOne()),
      this.#every(this.#options.wants.reconcileEveryMs, () => this.#reconcile()),
    ];
    while (!this.#over) {
      try {
        this.#session = await RecordedSession.connect(this.#options.framework, this.#options.recorder);
        if (this.#over) await this.#session.teardown();
        // What it knew of may have changed while it was away, or never have come about.
        this.#session.reconcile([]);
        const open = this.#open().map(({ id }) => id);
        if (open.length > 0) this.#session.reconcile(open);
        for await (const event of this.#session.events()) {
          if (event.type === "offers") for (const offer of event.offers) this.#offers.set(offer.id?.value ?? "", { offer, since: performance.now() });
          if (event.type === "rescinded") for (const id of event.offerIds) this.#offers.delete(id);
          if (event.type === "update") this.#updated(event.status);
        }
      } catch {
        // Written down already.
      }
      this.#launched = this.launched;
      this.#session = undefined;
      this.#offers.clear();
      await delay(RECONNECT_MS);
    }
    for (const timer of timers) clearInterval(timer);
  }

  /** Does to what is another's what it would do to its own: nothing may come of it (I26). */
  meddle(other: Player): void {
    const session = this.#session;
    if (session?.subscribed !== true) return;
    const [task] = other.#open();
    if (task !== undefined) {
      session.kill(task.id, GRACES_MS[0], undefined);
      session.reconcile([task.id]);
    }
    if (other.#unacknowledged !== undefined) session.acknowledge(other.#unacknowledged);
    const [held] = other.#offers.values();
    if (held !== undefined) session.launch(held.offer, [this.#newTask(false, held.offer)]);
  }

  /** No new jobs, no more kills: what runs may end. */
  settle(): void {
    this.#working = false;
  }

  /** Ends everything it has, for good. */
  async teardown(): Promise<void> {
    this.#over = true;
    await this.#session?.teardown();
  }

  /** The same for what the history does not tell of any more. */
  async teardownUnrecorded(): Promise<void> {
    this.#over = true;
    await this.#session?.unrecorded.teardown({ timeoutMs: 10_000 }).catch(() => {});
  }

  #every(ms: number | undefined, act: () => void): NodeJS.Timeout | undefined {
    return ms === undefined ? undefined : setInterval(() => this.#working && act(), ms);
  }

  #tick(): void {
    const { wants, chance } = this.#options;
    if (this.#session?.subscribed !== true) return;
    const jobs = this.#open().filter(({ service }) => !service).length;
    let services = this.#missingServices();
    let job = this.#working && jobs < wants.jobs;
    for (const [id, { offer, since }] of this.#offers) {
      const room = fits(offer, this.#task("", true));
      if (room > 0 && services > 0) {
        const count = Math.min(room, services, BATCH);
        services -= count;
        this.#launch(offer, Array.from({ length: count }, () => this.#newTask(true, offer)));
      } else if (room > 0 && job) {
        job = false;
        this.#launch(offer, [this.#newTask(false, offer)]);
      } else if (performance.now() - since > HOLD_MS) {
        this.#offers.delete(id);
        this.#session.decline(offer, chance.between(0.1, 0.5));
      }
    }
  }

  #launch(offer: Offer, tasks: readonly TaskInfo[]): void {
    this.#offers.delete(offer.id?.value ?? "");
    this.#session!.launch(offer, tasks);
  }

  #newTask(service: boolean, offer: Offer): TaskInfo {
    const id = `${this.#options.prefix}.${service ? "s" : "j"}${(this.#serial += 1)}`;
    this.#tasks.set(id, { id, service, state: TaskState.TASK_STAGING, agent: offer.agentId?.value ?? "", killed: false });
    return this.#task(id, service);
  }

  #task(id: string, service: boolean): TaskInfo {
    const { wants, chance, witnesses, script } = this.#options;
    const env: Record<string, string> = { WITNESSES: witnesses };
    if (!service && id !== "") env["BEATS"] = String(chance.integer(...wants.jobBeats));
    // Some services have to be ended with KILL.
    if (service && id !== "" && chance.happens(0.2)) env["STUBBORN"] = "1";
    return commandTask({ name: service ? "service" : "job", id, command: ["bash", script, id], env, cpus: WITNESS_CPUS, mem: 16 });
  }

  #open(): KnownTask[] {
    return [...this.#tasks.values()].filter(({ state }) => !isTerminal(state) && state !== TaskState.TASK_UNREACHABLE);
  }

  #missingServices(): number {
    return this.#options.wants.services - this.#open().filter(({ service, killed }) => service && !killed).length;
  }

  #updated(status: TaskStatus): void {
    const task = this.#tasks.get(status.taskId?.value ?? "");
    if (task !== undefined) {
      task.state = status.state ?? TaskState.TASK_STAGING;
      if (isTerminal(task.state) || task.state === TaskState.TASK_UNKNOWN) this.#tasks.delete(task.id);
    }
    if ((status.uuid?.length ?? 0) === 0) return;
    if (this.#options.chance.happens(this.#options.wants.forgetsAck)) this.#unacknowledged = status;
    else this.#session?.acknowledge(status);
  }

  #killOne(): void {
    const { chance } = this.#options;
    const running = this.#open().filter(({ service, killed, state }) => service && !killed && state === TaskState.TASK_RUNNING);
    if (running.length === 0 || this.#session?.subscribed !== true) return;
    const task = chance.pick(running);
    task.killed = true;
    this.#session.kill(task.id, chance.pick(GRACES_MS), chance.happens(0.5) ? task.agent : undefined);
  }

  #reconcile(): void {
    if (this.#session?.subscribed !== true) return;
    this.#session.reconcile(this.#options.chance.happens(0.5) ? [] : this.#open().map(({ id }) => id));
  }
}
