import type { Clock } from "../async/clock.ts";
import type { Finding } from "./inspect-run.ts";
import { isRunning, signalGroup, signalProcess, type ProcessIdentity } from "./process-identity.ts";

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

/**
 * Sees to kill requests in ledgers: wakes the monitor, or does its work where it died (rule 8.9). May be asked again at
 * any time, and repeats what may have come to nothing.
 */
export class KillEnforcer {
  readonly #clock: Clock;
  readonly #killGroup: (launchId: string) => void;
  readonly #kills = new Map<string, Kill>();

  /** `killGroup` sends KILL to the run's control group, if it has one. */
  constructor(clock: Clock, killGroup: (launchId: string) => void) {
    this.#clock = clock;
    this.#killGroup = killGroup;
  }

  /** Throws EPERM if the task runs as someone we may not signal. */
  enforce(launchId: string, { state, ledger }: Finding): void {
    const { start, child, graceSeconds } = ledger;
    if (graceSeconds === undefined) return;
    const monitored = state.kind === "starting" || (state.kind === "running" && state.monitored);
    const present = this.#kills.get(launchId);
    const isNews = !present || present.monitored !== monitored || graceSeconds < present.graceSeconds;
    if (!isNews && this.#clock.now() < present.until) return;
    if (monitored && typeof start === "object") this.#wake(launchId, start, graceSeconds);
    else if (state.kind === "running" && typeof child === "object") this.#endOrphan(launchId, child, graceSeconds);
  }

  /** To be called when a run ended. */
  forget(launchId: string): void {
    this.#kills.get(launchId)?.cancel();
    this.#kills.delete(launchId);
  }

  [Symbol.dispose](): void {
    for (const launchId of this.#kills.keys()) this.forget(launchId);
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
    this.forget(launchId);
    signalGroup(leader, "SIGTERM");
    const cancel = this.#clock.after(until - this.#clock.now(), () => {
      if (!isRunning(leader)) return;
      signalGroup(leader, "SIGKILL");
      this.#killGroup(launchId);
    });
    this.#kills.set(launchId, { graceSeconds, until, monitored: false, cancel });
  }
}
