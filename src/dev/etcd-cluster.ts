import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findEtcd } from "./etcd-binary.ts";
import { EtcdMember } from "./etcd-member.ts";
import { freePorts } from "./free-ports.ts";

export interface EtcdClusterOptions {
  /** Members to run, 3 if not said. Fixed for the life of a data directory. */
  readonly members?: number;
  /** Kept after `dispose`. Without it a temporary directory is used and removed. */
  readonly dataDir?: string;
  /** The etcd program; else `$MESARCH_ETCD`, else PATH. */
  readonly binary?: string;
  /** Raft timings in milliseconds, 50 and 500 if not said: right for one machine or one LAN. */
  readonly heartbeatMs?: number;
  readonly electionMs?: number;
  /** Size at which the store refuses writes; etcd's own default if not said. */
  readonly quotaBackendBytes?: number;
  /** How long the members may take to become healthy; 30 s if not said. */
  readonly startTimeoutMs?: number;
}

interface Ports {
  readonly client: number;
  readonly peer: number;
}

const PORTS_FILE = "ports.json";
const HEALTH_POLL_MS = 20;
const START_ATTEMPTS_MAX = 3;

/**
 * A real etcd cluster of this machine's own, on loopback ports: for development and for tests, not for production.
 * Each member keeps its data in `<dir>/<name>` and its log in `<dir>/<name>.log`.
 */
export class EtcdCluster implements AsyncDisposable {
  readonly version: string;
  readonly directory: string;
  readonly members: readonly EtcdMember[];
  readonly #temporary: boolean;
  readonly #startTimeoutMs: number;
  readonly #onExit = (): void => this.members.forEach((member) => member.abandon());

  private constructor(version: string, directory: string, members: readonly EtcdMember[], options: EtcdClusterOptions) {
    this.version = version;
    this.directory = directory;
    this.members = members;
    this.#temporary = options.dataDir === undefined;
    this.#startTimeoutMs = options.startTimeoutMs ?? 30_000;
    process.on("exit", this.#onExit);
  }

  /** Starts all members and resolves when each is healthy. Throws an Error with the end of the log of one that is not. */
  static async start(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await EtcdCluster.#startOnce(options);
      } catch (error) {
        // Somebody may take a free port before etcd does; with kept data the ports are fixed.
        const portTaken = error instanceof Error && error.message.includes("address already in use");
        if (!portTaken || options.dataDir !== undefined || attempt === START_ATTEMPTS_MAX) throw error;
      }
    }
  }

  static async #startOnce(options: EtcdClusterOptions): Promise<EtcdCluster> {
    const binary = await findEtcd(options.binary);
    const directory = options.dataDir ?? (await mkdtemp(join(tmpdir(), "mesarch-etcd-")));
    await mkdir(directory, { recursive: true });
    const ports = await clusterPorts(directory, options.members ?? 3);
    const members = ports.map((_, index) => describeMember(index, ports, directory, binary, options));
    const cluster = new EtcdCluster(binary.version, directory, members, options);
    try {
      members.forEach((member) => member.spawn());
      await Promise.all(members.map((member) => cluster.#untilHealthy(member)));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Client URLs, one per member, in order. */
  get endpoints(): readonly string[] {
    return this.members.map((member) => member.endpoint);
  }

  /** SIGKILL: sockets close, data stays. */
  async kill(index: number): Promise<void> {
    await this.#member(index).signal("SIGKILL");
  }

  /** SIGSTOP: the member is silent, its sockets stay open. */
  async pause(index: number): Promise<void> {
    await this.#member(index).signal("SIGSTOP");
  }

  async resume(index: number): Promise<void> {
    await this.#member(index).signal("SIGCONT");
  }

  /** Starts a member that is down, on its old data, and waits until it is healthy. */
  async restart(index: number): Promise<void> {
    this.#member(index).spawn();
    await this.#untilHealthy(this.#member(index));
  }

  /** Index of the member that leads the cluster now, by its own word; undefined during an election. */
  async leader(): Promise<number | undefined> {
    const leads = await Promise.all(this.members.map(async (member) => member.running && (await saysItLeads(member.endpoint))));
    const index = leads.indexOf(true);
    return index < 0 ? undefined : index;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A frozen process does not act on SIGTERM, and temporary data needs no orderly end.
    await Promise.all(this.members.map((member) => member.signal("SIGCONT")));
    await Promise.all(this.members.map((member) => member.signal(this.#temporary ? "SIGKILL" : "SIGTERM")));
    process.off("exit", this.#onExit);
    if (this.#temporary) await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  #member(index: number): EtcdMember {
    const member = this.members[index];
    if (member === undefined) throw new RangeError(`no etcd member ${index}: there are ${this.members.length}`);
    return member;
  }

  async #untilHealthy(member: EtcdMember): Promise<void> {
    const deadline = performance.now() + this.#startTimeoutMs;
    while (!(await member.healthy())) {
      if (!member.running) throw new Error(`etcd member ${member.name} ended at start:\n${await member.logTail()}`);
      if (performance.now() > deadline) {
        throw new Error(`etcd member ${member.name} not healthy after ${this.#startTimeoutMs} ms:\n${await member.logTail()}`);
      }
      await delay(HEALTH_POLL_MS);
    }
  }
}

function describeMember(
  index: number,
  ports: readonly Ports[],
  directory: string,
  binary: { path: string; version: string },
  options: EtcdClusterOptions,
): EtcdMember {
  const name = `etcd-${index}`;
  const own = ports[index]!;
  const client = `http://127.0.0.1:${own.client}`;
  const peer = `http://127.0.0.1:${own.peer}`;
  const args = [
    `--name=${name}`,
    `--data-dir=${join(directory, name)}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=${ports.map((each, i) => `etcd-${i}=http://127.0.0.1:${each.peer}`).join(",")}`,
    `--heartbeat-interval=${options.heartbeatMs ?? 50}`,
    `--election-timeout=${options.electionMs ?? 500}`,
    "--pre-vote=true",
    "--logger=zap",
    "--log-outputs=stderr",
    "--log-level=warn",
  ];
  if (options.quotaBackendBytes !== undefined) args.push(`--quota-backend-bytes=${options.quotaBackendBytes}`);
  // etcd takes settings from ETCD_*: the caller's would change our members.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("ETCD_")));
  if (process.arch === "arm64" && binary.version.startsWith("3.4.")) env["ETCD_UNSUPPORTED_ARCH"] = "arm64";
  return new EtcdMember(client, { binary: binary.path, name, args, env, logFile: join(directory, `${name}.log`) });
}

/** Members find each other by port, so the ports belong to the data. */
async function clusterPorts(directory: string, members: number): Promise<Ports[]> {
  const file = join(directory, PORTS_FILE);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text !== undefined) {
    const ports = JSON.parse(text) as Ports[];
    if (ports.length === members) return ports;
    throw new Error(`${file} is for ${ports.length} members, not ${members}: use another data directory`);
  }
  const free = await freePorts(members * 2);
  const ports = Array.from({ length: members }, (_, i) => ({ client: free[2 * i]!, peer: free[2 * i + 1]! }));
  await writeFile(`${file}.tmp`, JSON.stringify(ports));
  await rename(`${file}.tmp`, file);
  return ports;
}

async function saysItLeads(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/v3/maintenance/status`, { method: "POST", body: "{}", signal: AbortSignal.timeout(1_000) });
    const status = (await response.json()) as { leader?: string; header?: { member_id?: string } };
    return status.leader !== undefined && status.leader === status.header?.member_id;
  } catch {
    return false;
  }
}
