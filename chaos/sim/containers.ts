/** What runs on a host. Tasks outlive the agent that started them, and tell of themselves like a witness would. */
import type { Containers, RunListener, RunSpec, RunState } from "../../src/ports/containers.ts";
import type { Unrecorded } from "../history/event.ts";
import { SimulatedHost } from "../twins/simulated-containers.ts";
import type { Chance } from "./chance.ts";
import type { SimProcess, VirtualTime } from "./virtual-time.ts";

export interface SimHostOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly write: (event: Unrecorded) => void;
}

/** Commands are `run <ms>`, which ends by itself, and `serve`, which does not. */
const RUN = /^run (\d+)$/;
/** From the start of a monitor to its command. */
const START_MS = 8;

export class SimHost extends SimulatedHost {
  readonly name: string;
  readonly #options: SimHostOptions;
  readonly #nonces = new Map<string, string>();
  #serial = 0;

  constructor(options: SimHostOptions) {
    const { time } = options;
    super({ now: () => time.now, wall: () => time.now, after: (ms, callback) => time.after(ms, callback) });
    this.name = options.name;
    this.#options = options;
    this.runsAtOnce = false;
  }

  override change(launchId: string, state: RunState): void {
    const before = this.runs.get(launchId)?.state.kind;
    super.change(launchId, state);
    const { time, chance } = this.#options;
    if (state.kind === "starting") time.after(chance.tailed(START_MS), () => this.launch(launchId));
    if (state.kind === "running" && before !== "running") this.#started(launchId, state.pid);
    if (before === "running" && (state.kind === "exited" || state.kind === "lost")) this.#ended(launchId, state);
  }

  /** Tasks that run now, by task id. */
  get running(): ReadonlyMap<string, string> {
    return new Map([...this.runs].flatMap(([launch, { state, spec }]) => (state.kind === "running" ? [[taskOf(spec), launch] as const] : [])));
  }

  /** Run directories are deleted; what runs goes on. */
  clear(): void {
    for (const [launchId, { state }] of this.runs) if (state.kind !== "running") this.runs.delete(launchId);
  }

  signalled(launchId: string, signal: string): void {
    const run = this.runs.get(launchId);
    if (run?.state.kind !== "running") return;
    this.#say({ op: "witnessSignal", value: { task: taskOf(run.spec), nonce: this.#nonces.get(launchId) ?? "", signal } }, launchId);
  }

  #started(launchId: string, pid: number): void {
    const { time } = this.#options;
    const spec = this.runs.get(launchId)?.spec;
    const nonce = `${this.name}.${(this.#serial += 1)}`;
    this.#nonces.set(launchId, nonce);
    this.#say({ op: "witnessStart", value: { task: taskOf(spec), launch: launchId, agent: this.name, pid, nonce } }, launchId);
    const ms = RUN.exec(spec?.command.value ?? "")?.[1];
    if (ms !== undefined) time.after(Number(ms), () => this.runs.has(launchId) && this.finish(launchId, 0));
  }

  #ended(launchId: string, state: RunState): void {
    const nonce = this.#nonces.get(launchId) ?? "";
    const status = state.kind === "exited" ? state.status : -1;
    this.#say({ op: "witnessExit", value: { task: taskOf(this.runs.get(launchId)?.spec), nonce, status } }, launchId);
  }

  #say(what: Pick<Unrecorded, "op" | "value">, launchId: string): void {
    this.#options.write({ actor: `witness/${launchId}`, kind: "observe", ...what } as Unrecorded);
  }
}

function taskOf(spec: RunSpec | undefined): string {
  return spec?.environment["MESOS_TASK_ID"] ?? "";
}

/** A host's containers as one agent process uses them: nothing of it after the process has died. */
export class SimContainers implements Containers {
  readonly #host: SimHost;
  readonly #inner: Containers;
  readonly #process: SimProcess;
  readonly #ordered: (order: "launch" | "kill" | "cancel", launchId: string) => void;
  readonly #time: VirtualTime;

  constructor(host: SimHost, process: SimProcess, time: VirtualTime, ordered: (order: "launch" | "kill" | "cancel", launchId: string) => void) {
    this.#host = host;
    this.#inner = host.open();
    this.#process = process;
    this.#time = time;
    this.#ordered = ordered;
    process.onDeath(() => void this.#inner[Symbol.asyncDispose]());
  }

  start(spec: RunSpec): Promise<void> {
    return this.#act(() => {
      this.#ordered("launch", spec.launchId);
      return this.#inner.start(spec);
    });
  }

  cancel(launchId: string): Promise<boolean> {
    return this.#act(() => {
      this.#ordered("cancel", launchId);
      return this.#inner.cancel(launchId);
    });
  }

  kill(launchId: string, graceMs: number): Promise<void> {
    return this.#act(() => {
      this.#ordered("kill", launchId);
      this.#host.signalled(launchId, "TERM");
      return this.#inner.kill(launchId, graceMs);
    });
  }

  inspect(launchId: string): Promise<RunState> {
    return this.#act(() => this.#inner.inspect(launchId));
  }

  list(): Promise<string[]> {
    return this.#act(() => this.#inner.list());
  }

  remove(launchId: string): Promise<void> {
    return this.#act(() => this.#inner.remove(launchId));
  }

  watch(listener: RunListener): void {
    this.#inner.watch((launchId, state) => this.#process.deliver(() => listener(launchId, state)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#inner[Symbol.asyncDispose]();
  }

  /** What is done takes a moment, in which the process may die. */
  #act<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#time.after(1, () => {
        if (!this.#process.alive) return;
        act().then(
          (value) => this.#process.deliver(() => resolve(value)),
          (error: unknown) => this.#process.deliver(() => reject(error as Error)),
        );
      });
    });
  }
}
