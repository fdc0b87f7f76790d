import type { Clock } from "../async/clock.ts";
import type { Finding } from "./inspect-run.ts";
import { isRunning, signalGroup, signalProcess, signalRemains, type ProcessIdentity } from "./process-identity.ts";

interface Kill {
  readonly graceSeconds: number;
  /** When it may be asked for once more, or the KILL is due, in milliseconds of `clock.now()`. */
  readonly until: number;
  readonly monitored: boolean;
  /** Stops the timer of the KILL. */
  readonly cancel: () => void;
}

/** A monitor that was woken needs no second signal, but one could get lost. */
const WAKE_AGAIN_MS = 10_000;

export interface KillEnforcerOptions {
  readonly clock: Clock;
  /** Sends KILL to the run's control group, if it has one. */
  readonly killGroup: (launchId: string) => void;
  /** A KILL that could not be sent when it was due. */
  readonly onProblem: (launchId: string, problem: unknown) => void;
}

/**
 * Sees to kill requests in ledgers: wakes the monitor, or does its work where it died (rule 8.9). May be asked again at
 * any time, and repeats what may have come to nothing.
 */
export class KillEnforcer {
  readonly #options: KillEnforcerOptions;
  readonly #clock: Clock;
  readonly #kills = new Map<string, Kill>();
  /** Runs seen running by this process, so that their pids were theirs a moment before they ended. */
  readonly #seen = new Set<string>();

  constructor(options: KillEnforcerOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Throws EPERM if the task runs as someone we may not signal. */
  enforce(launchId: string, { state, ledger }: Finding): void {
    const { start, child, graceSeconds } = ledger;
    if (state.kind === "running") this.#seen.add(launchId);
    if (graceSeconds === undefined) return;
    const monitored = state.kind === "starting" || (state.kind === "running" && state.monitored);
    const present = this.#kills.get(launchId);
    const isNews = !present || present.monitored !== monitored || graceSeconds < present.graceSeconds;
    if (!isNews && this.#clock.now() < present.until) return;
    if (monitored && typeof start === "object") this.#wake(launchId, start, graceSeconds);
    else if (state.kind === "running" && typeof child === "object") this.#endOrphan(launchId, child, graceSeconds);
  }

  /** A run ended: ends what is left of it, at once, as its monitor does while that lives. Throws EPERM as `enforce` does. */
  ended(launchId: string, { state, ledger }: Finding): void {
    this.#cancel(launchId);
    const seen = this.#seen.delete(launchId);
    this.#options.killGroup(launchId);
    if (seen && state.kind === "lost" && typeof ledger.child === "object") signalRemains(ledger.child, "SIGKILL");
  }

  [Symbol.dispose](): void {
    for (const launchId of this.#kills.keys()) this.#cancel(launchId);
  }

  #cancel(launchId: string): void {
    this.#kills.get(launchId)?.cancel();
    this.#kills.delete(launchId);
  }

  #wake(launchId: string, monitor: ProcessIdentity, graceSeconds: number): void {
    signalProcess(monitor, "SIGUSR1");
    const until = this.#clock.now() + WAKE_AGAIN_MS;
    this.#kills.set(launchId, { graceSeconds, until, monitored: true, cancel: () => {} });
  }

  #endOrphan(launchId: string, leader: ProcessIdentity, graceSeconds: number): void {
    const present = this.#kills.get(launchId);
    const due = this.#clock.now() + graceSeconds * 1000;
    const until = present && !present.monitored && present.until > this.#clock.now() ? Math.min(present.until, due) : due;
    this.#cancel(launchId);
    signalGroup(leader, "SIGTERM");
    const cancel = this.#clock.after(until - this.#clock.now(), () => this.#endByForce(launchId, leader));
    this.#kills.set(launchId, { graceSeconds, until, monitored: false, cancel });
  }

  #endByForce(launchId: string, leader: ProcessIdentity): void {
    if (!isRunning(leader)) return;
    try {
      signalGroup(leader, "SIGKILL");
    } catch (problem) {
      this.#options.onProblem(launchId, problem);
    }
    this.#options.killGroup(launchId);
  }
}
