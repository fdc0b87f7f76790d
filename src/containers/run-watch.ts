import { watch, type FSWatcher } from "node:fs";
import type { Clock } from "../async/clock.ts";
import type { RunListener, RunState } from "../ports/containers.ts";
import { isFinal, type Finding } from "./inspect-run.ts";

export interface RunWatchOptions {
  readonly clock: Clock;
  inspect(launchId: string): Promise<Finding>;
  ledgerPath(launchId: string): string;
  /** Every finding, also those that are no news; before the listener is told. */
  onFinding(launchId: string, finding: Finding): void;
  readonly listener: RunListener;
  /** A look that failed; it is repeated. */
  onProblem(launchId: string, problem: unknown): void;
}

interface WatchedRun {
  files: FSWatcher | undefined;
  /** The last state told, as text. */
  told: string | undefined;
  /** Whose end is the next change that no file shows. */
  pid: number | undefined;
  looking: boolean;
  lookAgain: boolean;
}

const NOT_STARTED = JSON.stringify({ kind: "absent" } satisfies RunState);
/** Dead processes are noticed this fast if nothing else tells. */
const PROBE_MS = 1_000;
/** Every run is looked at once in so many probes, in case an event was lost or a pid was given away again. */
const PROBES_PER_ROUND = 60;
/** Looks at the same time when taking over many runs. */
const LOOKS = 16;

/**
 * Tells the changes of runs: at once by watching their ledgers, and within a second or so by probing their processes.
 * Each costs a system call; a look at the ledger follows only when there is news, and once in a minute anyway.
 */
export class RunWatch {
  readonly #options: RunWatchOptions;
  readonly #live = new Map<string, WatchedRun>();
  readonly #ended = new Set<string>();
  #round: Iterator<string> = [].values();
  #cancelProbe: (() => void) | undefined;

  constructor(options: RunWatchOptions) {
    this.#options = options;
    this.#scheduleProbe();
  }

  /** Watches runs found on disk and tells their states. */
  async adopt(launchIds: readonly string[]): Promise<void> {
    const left = launchIds.values();
    const adoptSome = async (): Promise<void> => {
      for (const launchId of left) {
        this.add(launchId);
        await this.look(launchId);
      }
    };
    await Promise.all(Array.from({ length: LOOKS }, adoptSome));
  }

  /** Watches a run whose ledger exists, without looking at it yet. `told`: its state, if the listener knows it. */
  add(launchId: string, told?: RunState): void {
    if (!this.#cancelProbe || this.#live.has(launchId) || this.#ended.has(launchId)) return;
    const files = this.#watchLedger(launchId);
    this.#live.set(launchId, { files, told: told && JSON.stringify(told), pid: undefined, looking: false, lookAgain: false });
  }

  /** Looks at a watched run and tells what is new. */
  async look(launchId: string): Promise<void> {
    const run = this.#live.get(launchId);
    if (!run) return;
    run.lookAgain = true;
    if (run.looking) return;
    run.looking = true;
    while (run.lookAgain && this.#live.get(launchId) === run) {
      run.lookAgain = false;
      const finding = await this.#inspect(launchId);
      if (finding && this.#live.get(launchId) === run) this.#tell(launchId, run, finding);
    }
    run.looking = false;
  }

  /** The monitor of a run is gone: if nobody took the start mark, that is news now. */
  async lookAfterMonitor(launchId: string): Promise<void> {
    const run = this.#live.get(launchId);
    if (run?.told === NOT_STARTED) run.told = undefined;
    await this.look(launchId);
  }

  forget(launchId: string): void {
    this.#end(launchId);
    this.#ended.delete(launchId);
  }

  /** The runs that have not ended. */
  live(): Iterable<string> {
    return this.#live.keys();
  }

  [Symbol.dispose](): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
    for (const launchId of this.#live.keys()) this.#end(launchId);
  }

  #tell(launchId: string, run: WatchedRun, finding: Finding): void {
    const { state, ledger } = finding;
    const monitor = typeof ledger.start === "object" ? ledger.start.pid : undefined;
    run.pid = state.kind === "running" && !state.monitored ? state.pid : monitor;
    if (isFinal(state)) this.#end(launchId);
    this.#options.onFinding(launchId, finding);
    const text = JSON.stringify(state);
    if (text === run.told) return;
    run.told = text;
    this.#options.listener(launchId, state);
  }

  async #inspect(launchId: string): Promise<Finding | undefined> {
    try {
      return await this.#options.inspect(launchId);
    } catch (problem) {
      this.#options.onProblem(launchId, problem);
      return undefined;
    }
  }

  #end(launchId: string): void {
    const run = this.#live.get(launchId);
    if (!run) return;
    run.files?.close();
    this.#live.delete(launchId);
    this.#ended.add(launchId);
  }

  /** Undefined where the host has no more watches to give; then every probe is a look. */
  #watchLedger(launchId: string): FSWatcher | undefined {
    try {
      const files = watch(this.#options.ledgerPath(launchId), { persistent: false }, () => void this.look(launchId));
      return files.on("error", () => files.close());
    } catch (problem) {
      this.#options.onProblem(launchId, problem);
      return undefined;
    }
  }

  #scheduleProbe(): void {
    this.#cancelProbe = this.#options.clock.after(PROBE_MS, () => {
      this.#scheduleProbe();
      this.#probe();
    });
  }

  #probe(): void {
    for (const [launchId, { files, pid }] of this.#live) {
      if (!files || (pid !== undefined && !exists(pid))) void this.look(launchId);
    }
    for (let looks = Math.ceil(this.#live.size / PROBES_PER_ROUND); looks > 0; looks -= 1) {
      const next = this.#nextOfRound();
      if (next !== undefined) void this.look(next);
    }
  }

  #nextOfRound(): string | undefined {
    const next = this.#round.next();
    if (!next.done) return next.value;
    this.#round = this.#live.keys();
    return this.#round.next().value;
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
