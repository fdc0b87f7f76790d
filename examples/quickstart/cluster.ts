/** The cluster under the quickstart: a `mesarch dev` of its own, and what is needed to kill parts of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { endAbandonedRuns } from "../../src/cli/abandoned-runs.ts";
import { type Leader, OperatorClient } from "../../src/sdk/index.ts";

interface Process {
  readonly name: string;
  readonly address: string;
  readonly pid?: number;
}

/** An agent that was killed, once it is there again. */
export interface Return {
  readonly afterMs: number;
  readonly tasks: number;
}

const MASTERS = 3;
const AGENTS = 3;
const START_TIMEOUT_MS = 60_000;
/** `mesarch dev` ends sooner by itself: tasks within 10 s, then processes. */
const STOP_TIMEOUT_MS = 60_000;
const FORCE_MS = 5_000;

export class QuickstartCluster {
  readonly directory = mkdtempSync(join(tmpdir(), "mesarch-quickstart-"));
  readonly basePort: number;
  readonly operator: OperatorClient;
  /** Fires when the cluster has ended, told to or not. */
  readonly lost: AbortSignal;
  readonly #dev: ChildProcess;
  readonly #ended: Promise<void>;
  /** For an end of ours that nobody ordered; the rest is done by `mesarch dev` itself. */
  readonly #onExit = (): void => void this.#dev.kill("SIGTERM");

  private constructor(program: readonly string[], basePort: number) {
    this.basePort = basePort;
    this.operator = new OperatorClient({ masters: this.masters, timeoutMs: START_TIMEOUT_MS });
    const log = openSync(join(this.directory, "dev.log"), "a");
    const flags = [`--masters=${MASTERS}`, `--agents=${AGENTS}`, "--etcd=3", `--base-port=${basePort}`, `--data-dir=${this.directory}`, "--no-keep-tasks"];
    this.#dev = spawn(program[0]!, [...program.slice(1), "dev", ...flags], { stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    const lost = new AbortController();
    this.lost = lost.signal;
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        lost.abort(new Error(`the cluster has ended:\n${this.log()}`));
        resolve();
      };
      this.#dev.once("exit", end).once("error", end);
    });
    process.on("exit", this.#onExit);
  }

  /** Starts etcd, masters and agents. What was started is the caller's to stop, however far it came. */
  static async start(program: readonly string[]): Promise<QuickstartCluster> {
    return new QuickstartCluster(program, await freePorts());
  }

  /** Resolves when a leader serves and all agents are in. */
  async whole(signal: AbortSignal): Promise<void> {
    const late = AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
    while ((await this.operator.status({ signal: late })).agentsConfirmed < AGENTS) await delay(100, undefined, { signal: late });
  }

  get masters(): string[] {
    return Array.from({ length: MASTERS }, (_, index) => `127.0.0.1:${this.basePort + index}`);
  }

  /** Of `mesarch dev`. */
  get supervisor(): number | undefined {
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

  async leader(signal: AbortSignal): Promise<Leader> {
    return this.operator.nextLeader(undefined, { signal });
  }

  /** Resolves when an agent's process has taken the place of the one killed and is confirmed by the leader. */
  async agentBack(name: string, killed: number | undefined, signal: AbortSignal): Promise<Return> {
    const started = performance.now();
    const late = AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
    for (;;) {
      const pid = this.pid(name);
      // While the old process stands in the books the leader may not have noticed its death.
      const agents = pid === undefined || pid === killed ? [] : await this.operator.agents({ signal: late });
      const agent = agents.find(({ record, confirmed }) => confirmed && record?.info?.hostname === name);
      if (agent !== undefined) return { afterMs: performance.now() - started, tasks: agent.tasks };
      await delay(50, undefined, { signal: late });
    }
  }

  pid(name: string): number | undefined {
    return this.processes().find((each) => each.name === name)?.pid;
  }

  log(): string {
    const path = join(this.directory, "dev.log");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(-20).join("\n") : "";
  }

  /** Ends the tasks, then everything else, and removes the directory. Rejects when something is left. */
  async stop(): Promise<void> {
    process.off("exit", this.#onExit);
    this.operator[Symbol.dispose]();
    this.#dev.kill("SIGTERM");
    const late = setTimeout(() => this.#dev.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(late);
    // Nothing is left to do unless `mesarch dev` itself was killed.
    for (const { name, pid } of this.processes()) if (pid !== undefined && isOurs(name, pid)) process.kill(pid, "SIGKILL");
    const agents = Array.from({ length: AGENTS }, (_, index) => join(this.directory, `agent-${index}`));
    const { left } = await endAbandonedRuns(agents, FORCE_MS);
    if (left > 0) throw new Error(`${left} tasks could not be ended; their sandboxes are in ${this.directory}`);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Lets it run on after this process. */
  leave(): void {
    process.off("exit", this.#onExit);
    this.operator[Symbol.dispose]();
    this.#dev.unref();
  }
}

/** The pid of a process that ended may be a stranger's by now. */
function isOurs(name: string, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").some((arg) => arg === `--name=${name}` || arg === `--hostname=${name}`);
  } catch {
    return false;
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
