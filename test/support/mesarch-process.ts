/** A `mesarch` command as a process of its own: a daemon to kill, freeze and start again, or a command that ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Collector } from "./collector.ts";

const root = join(import.meta.dirname, "../..");

/** The built program when `MESARCH_E2E_DIST` is set, else the sources. */
const program = process.env["MESARCH_E2E_DIST"] === "1" ? ["dist/src/cli/main.js"] : ["--disable-warning=ExperimentalWarning", "src/cli/main.ts"];

/** Many processes start in these tests, and most of a start is reading and compiling the same files. */
const compileCache = join(root, "node_modules/.cache/mesarch-e2e");

export interface LogLine {
  readonly time: string;
  readonly name: string;
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exited {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

// A test process that is told to end runs its exit handlers, which take its processes along.
process.once("SIGTERM", () => process.exit(143));

export class MesarchProcess {
  readonly args: readonly string[];
  /** What it wrote since it was first started. */
  readonly stdout = new Collector<string>();
  /** Lines of standard error. */
  readonly stderr = new Collector<string>();
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  /** How it ended when it was last started. */
  exited: Promise<Exited> = Promise.resolve({ code: null, signal: null });

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.args = args;
    this.#env = env;
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined;
  }

  get running(): boolean {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get text(): string {
    return this.stdout.items.join("");
  }

  /** The lines of standard error that are log lines. */
  get log(): LogLine[] {
    return this.stderr.items.flatMap((line) => parse(line) ?? []);
  }

  start(moreArgs: readonly string[] = []): this {
    if (this.running) return this;
    // The caller's settings would change our processes.
    const own = Object.entries(process.env).filter(([key]) => !/^(MESARCH_|OTEL_|NODE_)/.test(key));
    const child = spawn(process.execPath, [...program, ...this.args, ...moreArgs], {
      cwd: root,
      env: { ...Object.fromEntries(own), NODE_COMPILE_CACHE: compileCache, ...this.#env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    child.stdout!.setEncoding("utf8").on("data", this.stdout.add);
    createInterface(child.stderr!).on("line", this.stderr.add);
    this.exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    return this;
  }

  /** Resolves with the line once one logged from `since` on (a count of lines) says so. */
  async logged(message: string | RegExp, since = 0): Promise<LogLine> {
    const says = (line: string): boolean => typeof message === "string" ? parse(line)?.msg === message : message.test(parse(line)?.msg ?? "");
    await this.stderr.until(`"${message}" in the log of ${this.args.join(" ")}`, (lines) => lines.slice(since).some(says));
    return parse(this.stderr.items.slice(since).find(says)!)!;
  }

  /** Signals without waiting. */
  kill(signal: NodeJS.Signals): void {
    if (this.running) this.#child!.kill(signal);
  }

  /** SIGSTOP: it is silent, its sockets stay open. */
  pause(): void {
    this.kill("SIGSTOP");
  }

  resume(): void {
    this.kill("SIGCONT");
  }

  /** Ends it, frozen or not, and resolves when it is gone. */
  async end(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<Exited> {
    this.kill(signal);
    this.resume();
    return this.exited;
  }
}

function parse(line: string): LogLine | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
