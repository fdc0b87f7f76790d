/** The cluster under measurement: three etcd members on disk, three master processes, and an operator's view of them. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { compareEpochs, epochText } from "../../src/base/epoch.ts";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { freePorts } from "../../src/dev/free-ports.ts";
import { OperatorClient, type Epoch, type LeaderRecord, type MasterView } from "../../src/sdk/index.ts";
import type { BenchmarkContext } from "./benchmark.ts";
import { Child } from "./child.ts";

const MASTERS = 3;
const POLL_MS = 50;
/** Longest wait for the cluster to be whole again. */
const WHOLE_TIMEOUT_MS = 120_000;
const TASKS_END_TIMEOUT_MS = 30_000;
/** A peer heard later than this is not counted as there. */
const FRESH_MS = 1_000;

export interface ClusterOptions extends Pick<BenchmarkContext, "build" | "masterArgs"> {
  /** Beside the benchmark's own environment, for masters. */
  readonly masterEnv?: Readonly<Record<string, string>>;
}

export interface MasterProcess {
  readonly name: string;
  readonly address: string;
  child: Child;
}

export class BenchCluster implements AsyncDisposable {
  readonly etcd: EtcdCluster;
  readonly directory: string;
  readonly operator: OperatorClient;
  readonly masters: readonly MasterProcess[];
  readonly #options: ClusterOptions;
  readonly #children = new Set<{ exit(): Promise<void> }>();
  readonly #onExit = (): void => rmSync(this.directory, { recursive: true, force: true });

  private constructor(options: ClusterOptions, directory: string, etcd: EtcdCluster, masters: readonly MasterProcess[]) {
    this.#options = options;
    this.directory = directory;
    this.etcd = etcd;
    this.masters = masters;
    this.operator = new OperatorClient({ masters: masters.map(({ address }) => address) });
    process.on("exit", this.#onExit);
  }

  static async start(options: ClusterOptions): Promise<BenchCluster> {
    const directory = await mkdtemp(join(tmpdir(), "mesarch-bench-"));
    const etcd = await EtcdCluster.start({ members: 3, dataDir: join(directory, "etcd"), heartbeatMs: 50, electionMs: 500 });
    const ports = await freePorts(MASTERS);
    const start = async (port: number, index: number): Promise<MasterProcess> => {
      const [name, address] = [`master-${index + 1}`, `127.0.0.1:${port}`];
      return { name, address, child: await startMasterChild(options, directory, etcd, name, address) };
    };
    const cluster = new BenchCluster(options, directory, etcd, await Promise.all(ports.map(start)));
    await cluster.whole(0);
    return cluster;
  }

  get addresses(): readonly string[] {
    return this.masters.map(({ address }) => address);
  }

  /** Starts another process of the benchmark, ended with the cluster. Arguments come after the masters' addresses. */
  async spawn<Message>(script: string, args: readonly string[], execArgv?: readonly string[]): Promise<Child<Message>> {
    const child = await Child.start<Message>({
      module: join(this.#options.build, "scripts/bench", `${script}.js`),
      args,
      logFile: join(this.directory, `${script}.log`),
      ...(execArgv !== undefined && { execArgv }),
    });
    this.#children.add(child);
    return child;
  }

  async leader(): Promise<MasterProcess> {
    const { leader } = await this.operator.status();
    const found = this.masters.find(({ name }) => name === leader);
    if (found === undefined) throw new Error(`no process of ours is the leader "${leader}"`);
    return found;
  }

  /** Starts a master that has ended, on its old port. */
  async restart(master: MasterProcess): Promise<void> {
    await master.child.ended();
    master.child = await startMasterChild(this.#options, this.directory, this.etcd, master.name, master.address);
  }

  /** Resolves when one master leads, the others stand by, each with a stream to every agent, and all agents are confirmed. */
  async whole(agents: number): Promise<void> {
    const deadline = Date.now() + WHOLE_TIMEOUT_MS;
    for (;;) {
      const views = await this.operator.masters().catch(() => []);
      const status = await this.operator.status().catch(() => undefined);
      if (views.length === MASTERS && views.every((view) => isReady(view, agents)) && status?.agentsConfirmed === agents) return;
      if (Date.now() > deadline) throw new Error(`the cluster is not whole: ${JSON.stringify(views.map(brief))}, ${status?.agentsConfirmed} agents confirmed`);
      await delay(POLL_MS);
    }
  }

  /** The record of the leader after the one of `epoch`, once it tells of `phase`; as it is after a while otherwise. */
  async leaderRecord(after: Epoch, phase: "agentsConfirmedMs" | "firstLaunchMs", waitMs = 3_000): Promise<LeaderRecord> {
    const deadline = Date.now() + waitMs;
    for (;;) {
      const [latest] = await this.operator.leaderHistory({ limit: 1 });
      const record = latest?.epoch !== undefined && compareEpochs(latest.epoch, after) > 0 ? latest : undefined;
      if (record?.phases?.[phase] !== undefined || (record !== undefined && Date.now() > deadline)) return record;
      if (record === undefined && Date.now() > deadline) throw new Error(`no leader after ${epochText(after)} wrote its record within ${waitMs} ms`);
      await delay(POLL_MS);
    }
  }

  /** Resolves when no task is left, so that its process does not outlive the benchmark. */
  async tasksEnded(): Promise<void> {
    const deadline = Date.now() + TASKS_END_TIMEOUT_MS;
    while ((await this.operator.tasks({ limit: 1 })).tasks.length > 0) {
      if (Date.now() > deadline) throw new Error(`tasks have not ended after ${TASKS_END_TIMEOUT_MS} ms`);
      await delay(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.operator[Symbol.dispose]();
    // Without SIGTERM, upon which thousands of agents say goodbye and a leader hands over, for nothing.
    await Promise.all([...this.#children, ...this.masters.map(({ child }) => child)].map((child) => child.exit()));
    await this.etcd[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
    process.off("exit", this.#onExit);
  }
}

function startMasterChild(
  { build, masterArgs, masterEnv }: ClusterOptions,
  directory: string,
  etcd: EtcdCluster,
  name: string,
  address: string,
): Promise<Child> {
  return Child.start({
    module: join(build, "scripts/bench/master-process.js"),
    args: [name, address, etcd.endpoints.join(",")],
    execArgv: masterArgs,
    ...(masterEnv && { env: masterEnv }),
    logFile: join(directory, `${name}.log`),
  });
}

function isReady({ role, lastHeardMs, agentsConnected }: MasterView, agents: number): boolean {
  return (role === "leader" || role === "standby") && lastHeardMs < FRESH_MS && agentsConnected === agents;
}

function brief({ name, role, lastHeardMs, agentsConnected }: MasterView): object {
  return { name, role, lastHeardMs, agentsConnected };
}
