/** A Node process of the benchmark's own, which says `{ready: …}` over its channel once it serves. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface ChildOptions {
  /** Compiled module to run. */
  readonly module: string;
  readonly args: readonly string[];
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

export class Child<Message = unknown> implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #logFile: string;
  #onMessage: (message: Message) => void = () => {};

  private constructor(process: ChildProcess, logFile: string) {
    this.#process = process;
    this.#logFile = logFile;
    process.on("message", (message: Message) => this.#onMessage(message));
  }

  /** Rejects with the end of its log when it ends, or is not ready in time. */
  static async start<Message>(options: ChildOptions): Promise<Child<Message>> {
    const log = openSync(options.logFile, "a");
    const forked = fork(options.module, options.args, {
      execArgv: [...(options.execArgv ?? [])],
      env: { ...process.env, ...options.env },
      stdio: ["ignore", log, log, "ipc"],
      serialization: "advanced",
    });
    closeSync(log);
    const child = new Child<Message>(forked, options.logFile);
    const onExit = (): void => void forked.kill("SIGKILL");
    process.on("exit", onExit);
    forked.once("exit", () => process.off("exit", onExit));
    const ready = Promise.withResolvers<void>();
    forked.once("message", () => ready.resolve());
    forked.once("error", ready.reject);
    forked.once("exit", () => ready.reject(new Error(`${options.module} ended at start:\n${child.logTail()}`)));
    const timer = setTimeout(() => ready.reject(new Error(`${options.module} is not ready:\n${child.logTail()}`)), START_TIMEOUT_MS);
    try {
      await ready.promise;
      return child;
    } catch (error) {
      forked.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  onMessage(listener: (message: Message) => void): void {
    this.#onMessage = listener;
  }

  send(message: object): void {
    if (this.running && this.#process.connected) this.#process.send(message);
  }

  signal(signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  /** Closes the channel, upon which our processes exit at once, but in order: a profile they were told to make is written. */
  async exit(): Promise<void> {
    if (!this.running) return;
    this.signal("SIGCONT");
    if (this.#process.connected) this.#process.disconnect();
    await this.#endOrKill();
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    if (this.running) await once(this.#process, "exit");
  }

  logTail(): string {
    return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-10).join("\n");
  }

  /** TERM, and KILL when that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.running) return;
    this.signal("SIGCONT");
    this.signal("SIGTERM");
    await this.#endOrKill();
  }

  async #endOrKill(): Promise<void> {
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_TIMEOUT_MS);
    await this.ended();
    clearTimeout(timer);
  }
}
