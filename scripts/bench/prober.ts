/** A framework that keeps its offers and launches one task on the first offer of the next leader. */
import { setTimeout as delay } from "node:timers/promises";
import { commandTask, connectScheduler, fits, taskStateName, type Epoch, type Offer, type SchedulerSession, type TaskInfo } from "../../src/sdk/index.ts";
import { compareEpochs, epochText } from "../../src/base/epoch.ts";

/** When each step of one takeover was seen here, in milliseconds of `performance.now()`. */
export interface Takeover {
  readonly subscribedAt: number;
  readonly offeredAt: number;
  /** The launch was answered: it is durable. */
  readonly acceptedAt: number;
  readonly runningAt: number;
}

interface Watch {
  readonly after: Epoch;
  readonly taskId: string;
  subscribedAt: number;
  offeredAt: number;
  acceptedAt: number;
  readonly done: PromiseWithResolvers<Takeover>;
}

const TAKEOVER_TIMEOUT_MS = 30_000;
/** Without a pause, calls alone would keep the registry busy. */
const CALL_PAUSE_MS = 10;
const LOAD_TIMEOUT_MS = 120_000;

export class Prober implements AsyncDisposable {
  readonly #session: SchedulerSession;
  readonly #offers = new Map<string, Offer>();
  readonly #states = new Map<string, string>();
  readonly #following: Promise<void>;
  #waiting: TaskInfo[] = [];
  #perOffer = 0;
  #watch: Watch | undefined;
  #round = 0;
  #onChange: () => void = () => {};
  calls = 0;
  failedCalls = 0;
  /** Longest a call waited for its answer since this was last set, in milliseconds. */
  longestCallMs = 0;

  private constructor(session: SchedulerSession) {
    this.#session = session;
    this.#following = this.#follow();
  }

  static async start(masters: readonly string[]): Promise<Prober> {
    return new Prober(await connectScheduler({ masters, framework: { name: "bench", failoverTimeoutSeconds: 3600 } }));
  }

  /** Launches long-running tasks, spread over the agents; resolves when all run. */
  async run(count: number, perOffer: number): Promise<void> {
    const tasks = Array.from({ length: count }, (_, n) => commandTask({ id: `load-${n}`, command: "exec sleep 86400", cpus: 0.1, mem: 32 }));
    this.#waiting = [...tasks];
    this.#perOffer = perOffer;
    for (const offer of [...this.#offers.values()]) this.#useForLoad(offer);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const running = (): number => tasks.filter((task) => this.#states.get(task.taskId!.value!) === "TASK_RUNNING").length;
    this.#onChange = () => {
      if (running() === count) resolve();
    };
    this.#onChange();
    const timer = setTimeout(() => reject(new Error(`${running()} of ${count} tasks run after ${LOAD_TIMEOUT_MS / 1_000} s; ${this.#state}`)), LOAD_TIMEOUT_MS);
    await promise.finally(() => clearTimeout(timer));
    this.#onChange = () => {};
  }

  /** Call before the present leader goes; resolves when a new task of the next one runs. */
  takeover(): Promise<Takeover> {
    const { leader } = this.#session;
    if (leader === undefined) throw new Error("the framework has no leader");
    const done = Promise.withResolvers<Takeover>();
    const timer = setTimeout(
      () => done.reject(new Error(`no new task runs after ${TAKEOVER_TIMEOUT_MS / 1_000} s; ${this.#state}`)),
      TAKEOVER_TIMEOUT_MS,
    );
    const taskId = `probe-${(this.#round += 1)}`;
    this.#watch = { after: leader.epoch, taskId, subscribedAt: NaN, offeredAt: NaN, acceptedAt: NaN, done };
    return done.promise.finally(() => clearTimeout(timer));
  }

  /** Makes a call every 10 ms until told to stop: what users notice of a failover is the longest of them. */
  async callUntil(signal: AbortSignal): Promise<void> {
    this.longestCallMs = 0;
    while (!signal.aborted) {
      const startedAt = performance.now();
      await this.#call(this.#session.reconcile([{ taskId: "load-0" }]));
      this.longestCallMs = Math.max(this.longestCallMs, performance.now() - startedAt);
      await delay(CALL_PAUSE_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.teardown({ timeoutMs: 10_000 }).catch(() => this.#session.close());
    await this.#following;
  }

  /** What this framework knows of itself, of its connection and of the takeover under way, in one line. */
  get #state(): string {
    const { leader } = this.#session;
    const to = leader === undefined ? "no leader known" : `to ${leader.name} in epoch ${epochText(leader.epoch)}`;
    const watch = this.#watch;
    const waits = Object.entries({ subscribed: watch?.subscribedAt, offered: watch?.offeredAt, accepted: watch?.acceptedAt });
    const seen = watch === undefined ? "" : `, of the takeover seen: ${waits.flatMap(([step, at]) => (Number.isNaN(at) ? [] : [step])).join(", ") || "nothing"}`;
    return `framework ${to}, ${this.#offers.size} offers held, ${this.calls} calls, ${this.failedCalls} failed${seen}`;
  }

  async #follow(): Promise<void> {
    for await (const event of this.#session.events) {
      if (event.type === "subscribed") this.#subscribed();
      else if (event.type === "offers") this.#offered(event.offers);
      else if (event.type === "rescinded") for (const id of event.offerIds) this.#offers.delete(id);
      else if (event.type === "update") {
        const { status } = event;
        const id = status.taskId?.value ?? "";
        const state = taskStateName(status.state);
        this.#states.set(id, state);
        this.#updated(id, state);
        if ((status.uuid?.length ?? 0) > 0) void this.#call(this.#session.acknowledge(status));
        this.#onChange();
      }
    }
  }

  #subscribed(): void {
    const watch = this.#watch;
    if (watch !== undefined && this.#isNext(watch) && Number.isNaN(watch.subscribedAt)) watch.subscribedAt = performance.now();
  }

  #offered(offers: readonly Offer[]): void {
    for (const offer of offers) {
      this.#offers.set(offer.id?.value ?? "", offer);
      if (this.#waiting.length > 0) this.#useForLoad(offer);
      else this.#useForProbe(offer);
    }
  }

  #useForProbe(offer: Offer): void {
    const watch = this.#watch;
    if (watch === undefined || !Number.isNaN(watch.offeredAt) || !this.#isNext(watch)) return;
    const task = commandTask({ id: watch.taskId, command: "exec sleep 1", cpus: 0.1, mem: 32 });
    if (fits(offer, task) < 1) return;
    watch.offeredAt = performance.now();
    this.#launch(offer, [task], () => (watch.acceptedAt = performance.now()));
  }

  #updated(id: string, state: string): void {
    const watch = this.#watch;
    if (watch?.taskId !== id || state !== "TASK_RUNNING") return;
    this.#watch = undefined;
    const { subscribedAt, offeredAt, acceptedAt } = watch;
    const runningAt = performance.now();
    watch.done.resolve({ subscribedAt, offeredAt, acceptedAt: Number.isNaN(acceptedAt) ? runningAt : acceptedAt, runningAt });
  }

  #useForLoad(offer: Offer): void {
    const tasks = this.#waiting.splice(0, this.#perOffer);
    if (tasks.length > 0) this.#launch(offer, tasks);
  }

  #launch(offer: Offer, tasks: readonly TaskInfo[], onAccepted: () => void = () => {}): void {
    this.#offers.delete(offer.id?.value ?? "");
    void this.#call(this.#session.launch(offer, tasks, { refuseSeconds: 0 }).then(onAccepted));
  }

  #isNext(watch: Watch): boolean {
    const { leader } = this.#session;
    return leader !== undefined && compareEpochs(leader.epoch, watch.after) > 0;
  }

  async #call(call: Promise<void>): Promise<void> {
    this.calls += 1;
    await call.catch(() => {
      this.failedCalls += 1;
    });
  }
}
