/** A whole cluster on loopback: etcd members, masters and agents as processes of their own, started again when they die. */
import { renameSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { systemClock } from "../async/clock.ts";
import { MesarchError } from "../base/errors.ts";
import { EtcdCluster } from "./etcd-cluster.ts";
import { Supervised } from "./supervised.ts";

export interface DevOptions {
  readonly masters: number;
  readonly agents: number;
  readonly etcd: number;
  /** Masters listen from here on; agents 100 above. */
  readonly basePort: number;
  /** Without it a temporary one is used, for `remove` to remove. */
  readonly dataDir: string | undefined;
  /** How this program is started: the interpreter's path and arguments, and the main file. */
  readonly program: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What happens, for people. */
  readonly note: (line: string) => void;
  /** A process of the cluster died; for measuring what follows. */
  readonly onDeath?: (name: string) => void;
}

export interface DevProcess {
  readonly name: string;
  readonly address: string;
  readonly pid: number | undefined;
}

export const PROCESSES_FILE = "processes.json";
const AGENT_PORT_OFFSET = 100;
const ETCD_LOOK_MS = 500;
const ETCD_RESTART_MS = 1_000;
/** Everything is safe to kill, so nobody waits long for a clean end: the last master would look for a successor. */
const STOP_GRACE_MS = 1_000;
const PORTS = { first: 31_000, count: 10_000 };

export class DevCluster {
  readonly directory: string;
  readonly temporary: boolean;
  readonly #options: DevOptions;
  readonly #etcd: EtcdCluster;
  readonly #masters: readonly Supervised[];
  readonly #agents: readonly Supervised[];
  readonly #onExit = (): void => [...this.#masters, ...this.#agents].forEach((each) => each.abandon());
  #stopping = false;
  #cancelLook: () => void = () => {};

  private constructor(options: DevOptions, directory: string, etcd: EtcdCluster) {
    this.#options = options;
    this.directory = directory;
    this.temporary = options.dataDir === undefined;
    this.#etcd = etcd;
    this.#masters = range(options.masters, (i) => this.#supervise(`m${i}`, this.#masterArgs(i)));
    this.#agents = range(options.agents, (i) => this.#supervise(`agent-${i}`, this.#agentArgs(i)));
    process.on("exit", this.#onExit);
    this.#lookAfterEtcd();
  }

  /** Resolves when etcd serves and the rest is started. Rejects, leaving nothing, when a port is taken or etcd does not start. */
  static async start(options: DevOptions): Promise<DevCluster> {
    const ports = [...range(options.masters, (i) => options.basePort + i), ...range(options.agents, (i) => agentPort(options, i))];
    await Promise.all(ports.map(checkFree));
    const directory = options.dataDir ?? (await mkdtemp(join(tmpdir(), "mesarch-dev-")));
    await mkdir(directory, { recursive: true });
    try {
      // Without a directory of its own its data is temporary, and it ends at once.
      const dataDir = options.dataDir === undefined ? {} : { dataDir: join(directory, "etcd") };
      const etcd = await EtcdCluster.start({ members: options.etcd, ...dataDir });
      const cluster = new DevCluster(options, directory, etcd);
      for (const each of [...cluster.#masters, ...cluster.#agents]) each.start();
      return cluster;
    } catch (error) {
      if (options.dataDir === undefined) await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** host:port of each master's door. */
  get masters(): readonly string[] {
    return range(this.#options.masters, (i) => `127.0.0.1:${this.#options.basePort + i}`);
  }

  /** Masters, agents and etcd members, as they are now. */
  get processes(): readonly DevProcess[] {
    return [
      ...this.#masters.map(({ name, pid }, i) => ({ name, pid, address: this.masters[i]! })),
      ...this.#agents.map(({ name, pid }, i) => ({ name, pid, address: `127.0.0.1:${agentPort(this.#options, i)}` })),
      ...this.#etcd.members.map(({ name, pid, endpoint }) => ({ name, pid, address: endpoint })),
    ];
  }

  /** Of each agent. */
  get workDirectories(): readonly string[] {
    return range(this.#options.agents, (i) => this.#workDirectory(i));
  }

  get etcdVersion(): string {
    return this.#etcd.version;
  }

  /** Ends masters, then agents (their tasks go on), then etcd. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#cancelLook();
    await Promise.all(this.#masters.map((master) => master.stop(STOP_GRACE_MS)));
    await Promise.all(this.#agents.map((agent) => agent.stop(STOP_GRACE_MS)));
    await this.#etcd[Symbol.asyncDispose]();
    process.off("exit", this.#onExit);
  }

  /** After `stop`, and when no task writes there any more. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  #supervise(name: string, args: readonly string[]): Supervised {
    const { program, env, note, onDeath } = this.#options;
    const [command = process.execPath, ...before] = program;
    // The caller's MESARCH_* would change our processes.
    const clean = Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith("MESARCH_")));
    let starts = 0;
    return new Supervised({
      name,
      command,
      args: [...before, ...args],
      env: clean,
      logFile: join(this.directory, `${name}.log`),
      clock: systemClock,
      onStart: (pid) => {
        if (starts++ > 0) note(`${name} runs again (pid ${pid})`);
        this.#writeProcesses();
      },
      onEnd: (how, restartMs) => {
        this.#writeProcesses();
        onDeath?.(name);
        note(`${name} ${how}; starting it again in ${restartMs / 1_000} s (log: ${join(this.directory, `${name}.log`)})`);
      },
    });
  }

  #masterArgs(index: number): string[] {
    const port = this.#options.basePort + index;
    const doors = ["--ip=127.0.0.1", `--grpc-port=${port}`, "--http-port=0"];
    return ["master", `--name=m${index}`, ...doors, `--etcd-endpoints=${this.#etcd.endpoints.join(",")}`, "--allow-drills"];
  }

  #workDirectory(index: number): string {
    return join(this.directory, `agent-${index}`);
  }

  #agentArgs(index: number): string[] {
    return [
      "agent",
      `--masters=${this.masters.join(",")}`,
      `--work-dir=${this.#workDirectory(index)}`,
      "--ip=127.0.0.1",
      `--hostname=agent-${index}`,
      `--grpc-port=${agentPort(this.#options, index)}`,
      "--http-port=0",
      `--resources=${share(index, this.#options.agents)}`,
      "--allow-drills",
    ];
  }

  /** For scripts that kill things: `processes.json` in the data directory says what runs, by name. */
  #writeProcesses(): void {
    const path = join(this.directory, PROCESSES_FILE);
    writeFileSync(`${path}.new`, JSON.stringify(this.processes, undefined, 2));
    renameSync(`${path}.new`, path);
  }

  /** etcd members are looked at, since they tell nobody when they die. */
  #lookAfterEtcd(): void {
    const down = new Set<number>();
    const look = (): void => {
      this.#etcd.members.forEach((member, index) => {
        if (member.running || down.has(index) || this.#stopping) return;
        down.add(index);
        this.#writeProcesses();
        this.#options.onDeath?.(member.name);
        this.#options.note(`${member.name} died; starting it again in ${ETCD_RESTART_MS / 1_000} s`);
        systemClock.after(ETCD_RESTART_MS, () => {
          if (this.#stopping) return;
          this.#etcd
            .restart(index)
            .then(
              () => {
                this.#writeProcesses();
                this.#options.note(`${member.name} serves again (pid ${member.pid})`);
              },
              (error: unknown) => !this.#stopping && this.#options.note(`${member.name}: ${(error as Error).message}`),
            )
            .finally(() => down.delete(index));
        });
      });
      this.#cancelLook = systemClock.after(ETCD_LOOK_MS, look);
    };
    look();
  }
}

/** Each agent's part of this machine, so that together they do not promise it twice. */
export function share(index: number, agents: number): string {
  const cpus = Math.max(1, Math.floor((availableParallelism() / agents) * 10) / 10);
  const mem = Math.max(256, Math.floor((totalmem() / 2 ** 20) * 0.75 / agents));
  const ports = Math.floor(PORTS.count / agents);
  const first = PORTS.first + index * ports;
  return `cpus:${cpus};mem:${mem};disk:10240;ports:[${first}-${first + ports - 1}]`;
}

function agentPort({ basePort }: DevOptions, index: number): number {
  return basePort + AGENT_PORT_OFFSET + index;
}

async function checkFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve)).catch((cause: unknown) => {
    throw new MesarchError("conflict", `port ${port} is in use`, {
      remedy: "Does another mesarch dev run? Else choose other ports with --base-port.",
      cause,
    });
  });
  await new Promise((resolve) => server.close(resolve));
}

function range<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
