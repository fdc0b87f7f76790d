/** A child process that is started again when it dies, until it is stopped. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Clock } from "../async/clock.ts";

export interface SupervisedOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Its standard output and error are appended here. */
  readonly logFile: string;
  readonly clock: Clock;
  /** Told of starts and ends; `restartMs` is the pause before the next start. */
  readonly onStart: (pid: number) => void;
  readonly onEnd: (how: string, restartMs: number) => void;
}

/** Pause before a start, doubled each time the process did not live for long: unless it was killed, which is not its failure. */
const RESTART_MS = 1_000;
const MAX_RESTART_MS = 15_000;
const LONG_LIFE_MS = 10_000;

export class Supervised {
  readonly name: string;
  readonly #options: SupervisedOptions;
  #child: ChildProcess | undefined;
  #startedAt = 0;
  #shortLives = 0;
  #cancelRestart: (() => void) | undefined;
  #stopping = false;

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Of the living process. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { command, args, env, logFile, clock } = this.#options;
    const log = openSync(logFile, "a");
    // In a group of its own: Ctrl-C is for the supervisor, which ends things in order.
    const child = spawn(command, args, { env, stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    this.#child = child;
    this.#startedAt = clock.now();
    child.once("error", (error) => this.#ended(error.message));
    child.once("exit", (code, signal) => {
      this.#ended(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`, signal === "SIGKILL");
    });
    if (child.pid !== undefined) this.#options.onStart(child.pid);
  }

  /** Ends it for good: TERM, and KILL after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart?.();
    const child = this.#child;
    if (child?.pid === undefined) return;
    const gone = once(child, "exit");
    child.kill("SIGCONT"); // a frozen process does not hear TERM
    child.kill("SIGTERM");
    const cancel = this.#options.clock.after(graceMs, () => child.kill("SIGKILL"));
    await gone;
    cancel();
  }

  /** Without waiting: for the exit of our own process. */
  abandon(): void {
    this.#stopping = true;
    this.#child?.kill("SIGKILL");
  }

  #ended(how: string, killed = false): void {
    if (this.#child === undefined) return;
    this.#child = undefined;
    if (this.#stopping) return;
    const { clock, onEnd } = this.#options;
    this.#shortLives = !killed && clock.now() - this.#startedAt < LONG_LIFE_MS ? this.#shortLives + 1 : 1;
    const restartMs = Math.min(RESTART_MS * 2 ** (this.#shortLives - 1), MAX_RESTART_MS);
    onEnd(how, restartMs);
    this.#cancelRestart = clock.after(restartMs, () => this.start());
  }
}
