import { assert } from "../../src/base/assert.ts";
import { systemClock, type Clock } from "../../src/async/clock.ts";
import type { Containers, RunListener, RunSpec, RunState } from "../../src/ports/containers.ts";

interface SimulatedRun {
  spec: RunSpec | undefined;
  state: RunState;
  killRequested: boolean;
  killDue: number;
  cancelKill: () => void;
}

/** What a host does with tasks, without any process. Runs survive the adapters over it, as they do on a real one. */
export class SimulatedHost {
  readonly clock: Clock;
  readonly runs = new Map<string, SimulatedRun>();
  readonly listeners = new Set<RunListener>();
  /** Whether a command ends on TERM. */
  obeysTerm: (spec: RunSpec) => boolean = () => true;
  /** Whether the command runs as soon as it is started; otherwise `launch` lets it. */
  runsAtOnce = true;
  #failures: Error[] = [];
  #nextPid = 1000;

  constructor(clock: Clock = systemClock) {
    this.clock = clock;
  }

  open(): SimulatedContainers {
    return new SimulatedContainers(this);
  }

  /** The next `start` rejects with `error`. */
  failNextStart(error: Error): void {
    this.#failures.push(error);
  }

  takeFailure(): Error | undefined {
    return this.#failures.shift();
  }

  /** A starting run becomes running. */
  launch(launchId: string): void {
    const run = this.runs.get(launchId);
    if (run?.state.kind === "starting") this.change(launchId, { kind: "running", pid: (this.#nextPid += 1), monitored: true });
  }

  /** The command of a running run ends; without a monitor its status is lost. */
  finish(launchId: string, status: number): void {
    const run = this.run(launchId);
    if (run.state.kind !== "running") return;
    const { killRequested: killed } = run;
    this.change(launchId, run.state.monitored ? { kind: "exited", status, killed, endedAtMs: this.clock.wall() } : { kind: "lost" });
  }

  /** The monitor dies; the command, if it runs, goes on. */
  killMonitor(launchId: string): void {
    const { state } = this.run(launchId);
    if (state.kind === "running") this.change(launchId, { ...state, monitored: false });
    if (state.kind === "starting") this.change(launchId, { kind: "neverRan" });
  }

  /** The host restarts: nothing of what ran is left. Open adapters would not have survived it. */
  reboot(): void {
    this.listeners.clear();
    for (const [launchId, { state }] of this.runs) {
      if (state.kind === "starting" || state.kind === "running") this.change(launchId, { kind: "lost" });
    }
  }

  run(launchId: string): SimulatedRun {
    let run = this.runs.get(launchId);
    if (!run) {
      run = { spec: undefined, state: { kind: "absent" }, killRequested: false, killDue: Infinity, cancelKill: () => {} };
      this.runs.set(launchId, run);
    }
    return run;
  }

  change(launchId: string, state: RunState): void {
    const run = this.run(launchId);
    run.state = state;
    if (state.kind !== "running" && state.kind !== "starting") run.cancelKill();
    for (const listener of this.listeners) listener(launchId, state);
  }
}

/** The twin of `ProcessContainers` over a `SimulatedHost`. */
export class SimulatedContainers implements Containers {
  readonly #host: SimulatedHost;
  #listener: RunListener | undefined;
  #disposed = false;

  constructor(host: SimulatedHost) {
    this.#host = host;
  }

  async start(spec: RunSpec): Promise<void> {
    const failure = this.#host.takeFailure();
    if (failure) throw failure;
    const { launchId } = spec;
    const run = this.#host.run(launchId);
    if (run.state.kind !== "absent") return;
    run.spec = spec;
    this.#host.change(launchId, run.killRequested ? { kind: "neverRan" } : { kind: "starting" });
    if (this.#host.runsAtOnce) queueMicrotask(() => this.#host.launch(launchId));
  }

  async cancel(launchId: string): Promise<boolean> {
    const run = this.#host.run(launchId);
    if (run.state.kind === "absent") this.#host.change(launchId, { kind: "cancelled" });
    return run.state.kind === "cancelled";
  }

  async inspect(launchId: string): Promise<RunState> {
    return this.#host.runs.get(launchId)?.state ?? { kind: "absent" };
  }

  async list(): Promise<string[]> {
    return [...this.#host.runs.keys()];
  }

  async kill(launchId: string, graceMs: number): Promise<void> {
    const host = this.#host;
    const run = host.run(launchId);
    run.killRequested = true;
    if (run.state.kind === "starting") return host.change(launchId, { kind: "neverRan" });
    if (run.state.kind !== "running") return;
    if (!run.spec || host.obeysTerm(run.spec)) return host.finish(launchId, 143);
    const due = host.clock.now() + graceMs;
    if (due >= run.killDue) return;
    run.cancelKill();
    run.killDue = due;
    run.cancelKill = host.clock.after(graceMs, () => host.finish(launchId, 137));
  }

  watch(listener: RunListener): void {
    assert(!this.#listener, "runs have one listener");
    const told = new Set<string>();
    this.#listener = (launchId, state) => {
      told.add(launchId);
      listener(launchId, state);
    };
    this.#host.listeners.add(this.#listener);
    queueMicrotask(() => {
      if (this.#disposed) return;
      for (const [launchId, { state }] of this.#host.runs) if (!told.has(launchId)) listener(launchId, state);
    });
  }

  async remove(launchId: string): Promise<void> {
    this.#host.runs.delete(launchId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    if (this.#listener) this.#host.listeners.delete(this.#listener);
  }
}
