import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../base/assert.ts";
import { MesarchError, type ErrorCode } from "../base/errors.ts";
import { systemClock, type Clock } from "../async/clock.ts";
import type { Containers, RunListener, RunSpec, RunState } from "../ports/containers.ts";
import { findAccount } from "./account.ts";
import type { ControlGroups } from "./control-groups.ts";
import { inspectRun, isFinal, type Finding } from "./inspect-run.ts";
import { KillEnforcer } from "./kill-enforcer.ts";
import { append, ledgerPath } from "./ledger.ts";
import { defaultLogBounds, LogRotation, type LogBounds } from "./log-rotation.ts";
import { prepareLedger, prepareRun } from "./prepare-run.ts";
import { bootId } from "./process-identity.ts";
import { RunWatch } from "./run-watch.ts";
import { spawnMonitor } from "./spawn-monitor.ts";

export interface ProcessContainersOptions {
  /** Holds one directory per run; created if missing. On a local file system, used by one agent at a time. */
  readonly directory: string;
  readonly clock?: Clock;
  readonly logs?: LogBounds;
  /** Keeps limits and leaves nothing of a task behind. Without: process groups only. */
  readonly controlGroups?: ControlGroups | undefined;
  /** Runs the monitors. Default: /bin/sh. */
  readonly shell?: string;
  /** Failures in the background, all of which are tried again. Default: nobody hears of them. */
  readonly onProblem?: (about: string, problem: unknown) => void;
}

const LAUNCH_ID = /^[0-9a-f]{32}$/;
/** Marks a directory being removed: its run is gone already. */
const REMOVED = "removed-";

/** Command tasks as processes, each under a monitor.sh that outlives the agent. See ledger.ts for how they talk. */
export class ProcessContainers implements Containers {
  readonly #options: ProcessContainersOptions;
  readonly #clock: Clock;
  readonly #boot = bootId();
  readonly #found: readonly string[];
  readonly #kills: KillEnforcer;
  #watch: RunWatch | undefined;
  #rotation: LogRotation | undefined;

  private constructor(options: ProcessContainersOptions, found: readonly string[]) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#found = found;
    this.#kills = new KillEnforcer({
      clock: this.#clock,
      killGroup: (launchId) => options.controlGroups?.kill(launchId),
      onProblem: (launchId, problem) => this.#report(`kill of run ${launchId}`, problem),
    });
  }

  /** Rejects as the methods do. */
  static async open(options: ProcessContainersOptions): Promise<ProcessContainers> {
    return translateErrors("open runs", async () => {
      await mkdir(options.directory, { recursive: true, mode: 0o700 });
      const names = await readdir(options.directory);
      const leftovers = names.filter((name) => name.startsWith(REMOVED));
      await Promise.all(leftovers.map((name) => rm(join(options.directory, name), { recursive: true, force: true })));
      return new ProcessContainers(options, names.filter(isLaunchId));
    });
  }

  async start(spec: RunSpec): Promise<void> {
    const { launchId, sandbox } = spec;
    const runDirectory = this.#directoryOf(launchId);
    await translateErrors(`start run ${launchId}`, async () => {
      const groups = this.#options.controlGroups;
      const controlGroups = (await groups?.create(launchId, spec.limits ?? {})) ?? [];
      // From here on groups cannot be made either.
      groups?.anticipate();
      const account = await findAccount(spec.user);
      await prepareRun(runDirectory, spec, account);
      this.#watch?.add(launchId, { kind: "absent" });
      const onExit = (): void => void this.#watch?.lookAfterMonitor(launchId);
      await spawnMonitor({ shell: this.#options.shell ?? "/bin/sh", runDirectory, sandbox, controlGroups, account }, onExit);
    });
  }

  async cancel(launchId: string): Promise<boolean> {
    const runDirectory = this.#directoryOf(launchId);
    return translateErrors(`cancel run ${launchId}`, async () => {
      await prepareLedger(runDirectory);
      this.#watch?.add(launchId, { kind: "absent" });
      return (await append(runDirectory, "start cancelled")).start === "cancelled";
    });
  }

  async inspect(launchId: string): Promise<RunState> {
    const runDirectory = this.#directoryOf(launchId);
    return translateErrors(`inspect run ${launchId}`, async () => (await inspectRun(runDirectory, this.#boot)).state);
  }

  async list(): Promise<string[]> {
    return translateErrors("list runs", async () => (await readdir(this.#options.directory)).filter(isLaunchId));
  }

  async kill(launchId: string, graceMs: number): Promise<void> {
    const runDirectory = this.#directoryOf(launchId);
    const seconds = (graceMs / 1000).toFixed(3);
    await translateErrors(`kill run ${launchId}`, async () => {
      await prepareLedger(runDirectory);
      this.#watch?.add(launchId, { kind: "absent" });
      const { state, ledger } = await inspectRun(runDirectory, this.#boot);
      if (isFinal(state)) return;
      if (Number(seconds) < (ledger.graceSeconds ?? Infinity)) await append(runDirectory, `kill ${seconds}`);
      this.#kills.enforce(launchId, await inspectRun(runDirectory, this.#boot));
    });
  }

  watch(listener: RunListener): void {
    assert(!this.#watch, "runs have one listener");
    const watch = new RunWatch({
      clock: this.#clock,
      listener,
      onProblem: (launchId, problem) => this.#report(`run ${launchId}`, problem),
      inspect: (launchId) => inspectRun(this.#directoryOf(launchId), this.#boot),
      ledgerPath: (launchId) => ledgerPath(this.#directoryOf(launchId)),
      onFinding: (launchId, finding) => this.#attend(launchId, finding),
    });
    this.#watch = watch;
    void watch.adopt(this.#found);
    const sandboxes = (): string[] => [...watch.live()].map((launchId) => join(this.#directoryOf(launchId), "sandbox"));
    this.#rotation = new LogRotation(this.#clock, this.#options.logs ?? defaultLogBounds, sandboxes, (sandbox, problem) =>
      this.#report(`logs in ${sandbox}`, problem),
    );
  }

  async remove(launchId: string): Promise<void> {
    const runDirectory = this.#directoryOf(launchId);
    await translateErrors(`remove run ${launchId}`, async () => {
      await this.#options.controlGroups?.remove(launchId);
      this.#watch?.forget(launchId);
      // One step, so that a late monitor finds either its ledger or nothing to write to.
      const removed = join(this.#options.directory, REMOVED + launchId);
      await rename(runDirectory, removed).catch(unlessMissing);
      await rm(removed, { recursive: true, force: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    this.#kills[Symbol.dispose]();
    await this.#rotation?.[Symbol.asyncDispose]();
  }

  #attend(launchId: string, finding: Finding): void {
    try {
      if (isFinal(finding.state)) this.#kills.ended(launchId, finding);
      else this.#kills.enforce(launchId, finding);
    } catch (problem) {
      this.#report(`kill of run ${launchId}`, problem);
    }
  }

  #report(about: string, problem: unknown): void {
    this.#options.onProblem?.(about, problem);
  }

  /** A launch id becomes a path, so it is checked here. */
  #directoryOf(launchId: string): string {
    assert(isLaunchId(launchId), () => `not a launch id: ${JSON.stringify(launchId)}`);
    return join(this.#options.directory, launchId);
  }
}

function isLaunchId(name: string): boolean {
  return LAUNCH_ID.test(name);
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "exhausted",
  EDQUOT: "exhausted",
  EMFILE: "exhausted",
  ENFILE: "exhausted",
  EAGAIN: "exhausted",
  ENOMEM: "exhausted",
  EACCES: "refused",
  EPERM: "refused",
  EROFS: "refused",
  E2BIG: "invalid",
  ENAMETOOLONG: "invalid",
};

async function translateErrors<T>(operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof MesarchError) throw error;
    throw new MesarchError(CODES[code] ?? "unavailable", `${operation}: ${message}`, { cause: error });
  }
}
