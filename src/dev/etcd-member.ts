import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { once } from "node:events";

export interface MemberOptions {
  readonly binary: string;
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** It would look for a leader to take over, and members end together. What it has acknowledged is on disk either way. */
const STOP_TIMEOUT_MS = 1_000;

/** One etcd process that can be killed, frozen and started again on its data. */
export class EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  readonly #options: MemberOptions;
  #process: ChildProcess | undefined;

  constructor(endpoint: string, options: MemberOptions) {
    this.name = options.name;
    this.endpoint = endpoint;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.running ? this.#process?.pid : undefined;
  }

  get running(): boolean {
    const child = this.#process;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Spawns the process; use `healthy` to wait until it serves. Does nothing if it runs. */
  spawn(): void {
    if (this.running) return;
    const log = openSync(this.#options.logFile, "a");
    try {
      const child = spawn(this.#options.binary, this.#options.args, { env: this.#options.env, stdio: ["ignore", log, log], detached: true });
      child.on("error", () => {}); // a failed spawn shows as a member that does not run
      this.#process = child;
    } finally {
      closeSync(log);
    }
  }

  /** True once this member serves and sees an etcd leader. */
  async healthy(): Promise<boolean> {
    try {
      const response = await fetch(`${this.endpoint}/health`, { signal: AbortSignal.timeout(1_000) });
      return ((await response.json()) as { health?: unknown }).health === "true";
    } catch {
      return false;
    }
  }

  /** Sends a signal (a SIGTERM not obeyed in time is followed by SIGKILL); after a fatal one resolves when the process is gone. */
  async signal(signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    const child = this.#process;
    if (!this.running || child === undefined) return;
    const fatal = signal === "SIGTERM" || signal === "SIGKILL";
    const gone = fatal ? once(child, "exit") : undefined;
    child.kill(signal);
    const impatient = signal === "SIGTERM" ? setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS) : undefined;
    await gone;
    clearTimeout(impatient);
  }

  /** Without waiting: for the exit of our own process. */
  abandon(): void {
    if (this.running) this.#process?.kill("SIGKILL");
  }

  /** The end of the log, for error messages. */
  async logTail(): Promise<string> {
    const text = await readFile(this.#options.logFile, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-5).join("\n");
  }
}
