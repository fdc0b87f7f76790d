/**
 * Running command tasks on this host (rules 6.4, 8.9 and "Monitor contract"). A run belongs to no process of ours: it
 * goes on when the agent stops, and another instance over the same directory finds it again.
 *
 * A run is named by its launch id: 32 lower-case hex digits, used for one launch only (rule 1.5).
 */

export type RunCommand =
  /** `/bin/sh -c value`. */
  | { readonly shell: true; readonly value: string }
  /**
   * The program `value`, looked up in the task's PATH unless it contains a slash. As in Mesos, `arguments[0]` is the
   * name the program is called by; it is always called by `value`, so the first one is left out.
   */
  | { readonly shell: false; readonly value: string; readonly arguments: readonly string[] };

export interface RunSpec {
  readonly launchId: string;
  readonly command: RunCommand;
  /** All the task sees, except for a default PATH. Nothing of the agent's own environment is passed on. */
  readonly environment: Readonly<Record<string, string>>;
  /** A user of this host; default: the agent's. Another one needs an agent that is root. */
  readonly user?: string;
  /** Absolute path of the working directory; created if missing. Output is appended to `stdout` and `stderr` in it. */
  readonly sandbox: string;
  /** Kept only by hosts with control groups and an agent that may use them; otherwise ignored. */
  readonly limits?: RunLimits;
}

export interface RunLimits {
  /** Share of processor time under contention: 1 is one processor. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

export type RunState =
  /** Nobody took the start mark: nothing runs, and `start` or `cancel` may still decide. */
  | { readonly kind: "absent" }
  /** `cancel` took the start mark: nothing ever ran or will. Final. */
  | { readonly kind: "cancelled" }
  /** A monitor holds the start mark; its child is not there yet. */
  | { readonly kind: "starting" }
  /**
   * The command runs. `monitored` is false when the monitor died: the exit status will then stay unknown. `startedAt`: by
   * this process's monotonic clock, below zero for a command older than this process; absent where nobody knows.
   */
  | { readonly kind: "running"; readonly pid: number; readonly monitored: boolean; readonly startedAt?: number }
  /**
   * `status` as a shell reports it: 0-255, and 128 + n for signal n. `killed`: a kill was asked for before the end.
   * `endedAtMs`: wall clock, milliseconds since the Unix epoch, to be shown only. Final.
   */
  | { readonly kind: "exited"; readonly status: number; readonly killed: boolean; readonly endedAtMs: number }
  /** The monitor died, or gave up, before its child; the adapter made sure that it stays so. Final. */
  | { readonly kind: "neverRan" }
  /** Monitor and command are dead, or the host restarted, and no exit status was kept. Final. */
  | { readonly kind: "lost" };

export type RunListener = (launchId: string, state: RunState) => void;

/**
 * All methods may be called at any time and in any order, also twice. Unless said otherwise they reject with a
 * `MesarchError`: `exhausted` for a full disk or too many processes, `refused` for missing permission, `invalid` for
 * what can never work, `unavailable` for the rest. After a rejection nothing is decided: ask `inspect`, or repeat.
 */
export interface Containers extends AsyncDisposable {
  /**
   * Starts the run unless its start mark is taken: however often and by whomever it is called, the command runs at
   * most once. Resolves when a monitor was spawned, which is before the command runs: that is told to the listener.
   * A rejected call has spawned nothing. A monitor that cannot write its mark leaves the run `absent`.
   */
  start(spec: RunSpec): Promise<void>;

  /** Takes the start mark so that the command never runs. True if this, or an earlier, call got it; false if a monitor did. */
  cancel(launchId: string): Promise<boolean>;

  inspect(launchId: string): Promise<RunState>;

  /** The launch ids of all runs not removed, in no order. */
  list(): Promise<string[]>;

  /**
   * TERM to the command and its group, KILL after `graceMs`. Resolves when the request is on disk and delivered; the
   * end is told to the listener. Another call can only bring the KILL forward. The request outlives the agent; without
   * a monitor the grace starts again with the next agent. A run not yet started will never run; an ended one stays.
   */
  kill(launchId: string, graceMs: number): Promise<void>;

  /**
   * Called with the present state of every run, then with each change, once; never again after disposal. States may be
   * skipped (a short command goes from `starting` to `exited`). One listener; a second call is a bug.
   */
  watch(listener: RunListener): void;

  /** Forgets an ended, cancelled or absent run and its files, except the sandbox (rule 8.10). Unknown runs: nothing to do. */
  remove(launchId: string): Promise<void>;

  /** Stops watching. Touches no task. */
  [Symbol.asyncDispose](): Promise<void>;
}
