/** The cluster under the quickstart: a `mesarch dev` of its own, and what is needed to kill parts of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Leader, OperatorClient } from "../../src/sdk/index.ts";

interface Process {
  readonly name: string;
  readonly address: string;
  readonly pid?: number;
}

const MASTERS = 3;
const AGENTS = 3;
const START_TIMEOUT_MS = 60_000;

export class QuickstartCluster {
  readonly directory: string;
  readonly basePort: number;
  readonly operator: OperatorClient;
  readonly #dev: ChildProcess;

  private constructor(directory: string, basePort: number, dev: ChildProcess) {
    this.directory = directory;
    this.basePort = basePort;
    this.#dev = dev;
    this.operator = new OperatorClient({ masters: this.masters });
  }

  /** Starts etcd, masters and agents; resolves when a leader serves and all agents are in. */
  static async start(program: readonly string[]): Promise<QuickstartCluster> {
    const directory = mkdtempSync(join(tmpdir(), "mesarch-quickstart-"));
    const basePort = await freePorts();
    const log = openSync(join(directory, "dev.log"), "a");
    const args = ["dev", `--masters=${MASTERS}`, `--agents=${AGENTS}`, "--etcd=3", `--base-port=${basePort}`, `--data-dir=${directory}`];
    const dev = spawn(program[0]!, [...program.slice(1), ...args], { stdio: ["ignore", log, log], detached: true });
    const cluster = new QuickstartCluster(directory, basePort, dev);
    const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
    dev.once("exit", () => cluster.#failed.abort(new Error(`the cluster did not start:\n${cluster.log()}`)));
    const signal = AbortSignal.any([timeout, cluster.#failed.signal]);
    try {
      while ((await cluster.operator.status({ signal })).agentsConfirmed < AGENTS) await delay(100, undefined, { signal });
    } catch (error) {
      await cluster.stop();
      throw cluster.#failed.signal.aborted ? (cluster.#failed.signal.reason as Error) : error;
    }
    return cluster;
  }

  readonly #failed = new AbortController();

  get masters(): string[] {
    return Array.from({ length: MASTERS }, (_, index) => `127.0.0.1:${this.basePort + index}`);
  }

  get pid(): number | undefined {
    return this.#dev.pid;
  }

  /** What runs now. */
  processes(): Process[] {
    const path = join(this.directory, "processes.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Process[]) : [];
  }

  /** SIGKILL. Returns the names of what was killed. */
  kill(...names: readonly string[]): string[] {
    const victims = this.processes().filter(({ name, pid }) => names.includes(name) && pid !== undefined);
    for (const { pid } of victims) process.kill(pid!, "SIGKILL");
    return victims.map(({ name, pid }) => `${name} (pid ${pid})`);
  }

  get masterNames(): string[] {
    return Array.from({ length: MASTERS }, (_, index) => `m${index}`);
  }

  async leader(): Promise<Leader> {
    return this.operator.nextLeader();
  }

  log(): string {
    const path = join(this.directory, "dev.log");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(-20).join("\n") : "";
  }

  /** Ends everything and removes its directory. */
  async stop(): Promise<void> {
    this.operator[Symbol.dispose]();
    if (this.#dev.exitCode === null && this.#dev.signalCode === null) {
      const gone = new Promise((resolve) => this.#dev.once("exit", resolve));
      this.#dev.kill("SIGTERM");
      await gone;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Lets it run on after this process. */
  leave(): void {
    this.operator[Symbol.dispose]();
    this.#dev.unref();
  }
}

/** A base port with room for masters and agents, so that two of these can run side by side. */
async function freePorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = 20_000 + Math.floor(Math.random() * 10_000);
    const wanted = [...range(MASTERS).map((i) => base + i), ...range(AGENTS).map((i) => base + 100 + i)];
    if ((await Promise.all(wanted.map(isFree))).every((free) => free)) return base;
  }
  throw new Error("no free ports found between 20000 and 30100");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
