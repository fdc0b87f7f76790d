/**
 * One process of the cluster: started, signalled, started again when it ends by itself, as a supervisor would. It logs
 * into a file, so it needs nobody to read along.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { identify } from "../../../src/containers/process-identity.ts";
import type { Belongings } from "../belongings.ts";
import { isStopped } from "../host/processes.ts";

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface DaemonOptions {
  /** "master/m1": as the history names it. */
  readonly name: string;
  readonly belongings: Belongings;
  readonly logs: string;
  /** Asked at each start. */
  readonly launch: () => Launch;
  /** It speaks with us over a channel of node's. */
  readonly onMessage?: (message: unknown) => void;
  /** It ended though nobody had asked it to. */
  readonly onFailure?: (how: string) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const RESTART_FIRST_MS = 500;
const RESTART_MAX_MS = 4_000;
/** One that ran for so long begins with short pauses again. */
const STABLE_MS = 10_000;
/** The caller's settings would change our processes. */
const FOREIGN = /^(MESARCH_|OTEL_|NODE_|ETCD_|CHAOS_|FAKETIME|LD_PRELOAD)/;

export class Daemon {
  readonly name: string;
  readonly logFile: string;
  /** Goes before its command line from the next start on. */
  prefix: readonly string[] = [];
  /** How it ended when it was last started. */
  exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;
  /** It is meant to be down. */
  #held = true;
  #frozen = false;
  #pauseMs = RESTART_FIRST_MS;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.name = options.name;
    this.logFile = join(options.logs, `${options.name.replace("/", "-")}.log`);
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined;
  }

  get running(): boolean {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get frozen(): boolean {
    return this.running && this.#frozen;
  }

  /** Frozen, and every thread of it has obeyed. */
  get stopped(): boolean {
    return this.pid !== undefined && isStopped(this.pid);
  }

  start(): void {
    this.#held = false;
    clearTimeout(this.#restart);
    if (this.running) return;
    this.#frozen = false;
    const { program: own, args: ownArgs, env } = this.#options.launch();
    const [program, ...args] = [...this.prefix, own, ...ownArgs] as [string, ...string[]];
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !FOREIGN.test(key)));
    const log = openSync(this.logFile, "a");
    const channel = this.#options.onMessage === undefined ? [] : ["ipc" as const];
    const child = spawn(program, args, { env: { ...inherited, ...env }, stdio: ["ignore", log, log, ...channel], detached: true });
    closeSync(log);
    this.#child = child;
    if (child.pid !== undefined) this.#options.belongings.add({ kind: "process", ...(identify(child.pid) ?? { pid: child.pid, startTime: "" }) });
    child.on("message", (message) => this.#options.onMessage?.(message));
    const startedAt = performance.now();
    this.exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        resolve({ code, signal });
        if (child === this.#child && !this.#held) this.#failed(code, signal, performance.now() - startedAt);
      };
      child.once("exit", ended);
      child.once("error", (error) => {
        if (child.pid === undefined) this.#options.onFailure?.(String(error));
        resolve({ code: null, signal: null });
      });
    });
  }

  /** It stays down until it is started. Resolves when it is gone. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<Exit> {
    this.#held = true;
    clearTimeout(this.#restart);
    this.#signal(signal);
    // A frozen one acts on nothing but KILL.
    if (signal === "SIGTERM") this.resume();
    return this.exited;
  }

  /** What ends it from outside is no failure from now on. */
  hold(): void {
    this.#held = true;
    clearTimeout(this.#restart);
  }

  /** SIGSTOP: it is silent, its sockets stay open. */
  freeze(): void {
    if (this.#signal("SIGSTOP")) this.#frozen = true;
  }

  resume(): void {
    this.#signal("SIGCONT");
    this.#frozen = false;
  }

  /** For daemons that listen to it (collect-garbage.ts). */
  collectGarbage(): void {
    if (!this.#frozen) this.#signal("SIGUSR2");
  }

  tell(message: object): void {
    if (this.running && this.#child!.connected) this.#child!.send(message, () => {});
  }

  #failed(code: number | null, signal: NodeJS.Signals | null, ranMs: number): void {
    this.#options.onFailure?.(`ended by itself (${signal ?? `exit code ${code}`})`);
    this.#pauseMs = ranMs >= STABLE_MS ? RESTART_FIRST_MS : Math.min(RESTART_MAX_MS, this.#pauseMs * 2);
    this.#restart = setTimeout(() => this.start(), this.#pauseMs);
  }

  #signal(signal: NodeJS.Signals): boolean {
    return this.running && this.#child!.kill(signal);
  }
}
