/** A cluster of real processes for a test to break: etcd members, masters, agents, tasks. Nothing of it outlives the test. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endAbandonedRuns, killAbandonedRuns } from "../../src/cli/abandoned-runs.ts";
import { EtcdCluster, type EtcdClusterOptions } from "../../src/dev/etcd-cluster.ts";
import { freePorts } from "../../src/dev/free-ports.ts";
import { OperatorClient } from "../../src/sdk/index.ts";
import { eventually } from "./eventually.ts";
import { MesarchProcess } from "./mesarch-process.ts";
import { TestScheduler, type TestSchedulerOptions } from "./test-scheduler.ts";
import { Witnesses } from "./witnesses.ts";

export interface ProcessClusterOptions {
  /** Default 3. */
  readonly masters?: number;
  /** Default 2. */
  readonly agents?: number;
  /** A cluster of its own is made from options; one that is given is left to who made it. */
  readonly etcd?: EtcdClusterOptions | EtcdCluster;
  readonly masterFlags?: readonly string[];
  readonly agentFlags?: readonly string[];
  /** Of masters and agents. */
  readonly env?: Readonly<Record<string, string>>;
  /** Work directories of agents are made here instead of in the cluster's own directory. */
  readonly workDirectory?: string;
  /** Default true: resolves when all agents are in. */
  readonly wait?: boolean;
}

export class Member extends MesarchProcess {
  readonly name: string;
  readonly address: string;

  constructor(name: string, address: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    super(args, env);
    this.name = name;
    this.address = address;
  }
}

export class Agent extends Member {
  readonly workDirectory: string;

  constructor(name: string, port: number, workDirectory: string, masters: readonly string[], { agentFlags = [], env }: ProcessClusterOptions) {
    const flags = [`--work-dir=${workDirectory}`, `--hostname=${name}`, "--ip=127.0.0.1", `--grpc-port=${port}`, "--http-port=0"];
    super(name, `127.0.0.1:${port}`, ["agent", `--masters=${masters.join(",")}`, ...flags, RESOURCES, ...agentFlags], env);
    this.workDirectory = workDirectory;
  }
}

const END_TIMEOUT_MS = 10_000;
const RESOURCES = "--resources=cpus:4;mem:4096;disk:4096;ports:[31000-31999]";

export class ProcessCluster implements AsyncDisposable {
  readonly directory: string;
  readonly etcd: EtcdCluster;
  readonly masters: readonly Member[];
  readonly agents: readonly Agent[];
  readonly operator: OperatorClient;
  readonly witnesses: Witnesses;
  readonly #options: ProcessClusterOptions;
  readonly #processes = new Set<MesarchProcess>();
  readonly #workDirectories = new Set<string>();
  readonly #schedulers = new Set<TestScheduler>();
  /** For a test that is broken off. */
  readonly #onExit = (): void => {
    for (const each of this.#processes) each.kill("SIGKILL");
    killAbandonedRuns([...this.#workDirectories]);
    for (const directory of [this.directory, this.etcd.directory]) rmSync(directory, { recursive: true, force: true });
  };

  private constructor(options: ProcessClusterOptions, directory: string, etcd: EtcdCluster, ports: readonly number[]) {
    const { masters = 3, agents = 2 } = options;
    this.#options = options;
    this.directory = directory;
    this.etcd = etcd;
    this.masters = ports.slice(0, masters).map((port, i) => this.member(`m${i + 1}`, port));
    this.agents = ports.slice(masters, masters + agents).map((port, i) => this.agent(`agent-${i + 1}`, port));
    this.operator = new OperatorClient({ masters: this.addresses, timeoutMs: 30_000 });
    this.witnesses = new Witnesses(join(directory, "evidence"));
    process.on("exit", this.#onExit);
  }

  static async start(options: ProcessClusterOptions = {}): Promise<ProcessCluster> {
    const { masters = 3, agents = 2, wait = true } = options;
    const directory = await mkdtemp(join(tmpdir(), "mesarch-e2e-"));
    const etcd = options.etcd instanceof EtcdCluster ? options.etcd : await EtcdCluster.start(options.etcd).catch(async (error: unknown) => {
      await rm(directory, { recursive: true, force: true });
      throw error;
    });
    const cluster = new ProcessCluster(options, directory, etcd, await freePorts(masters + agents));
    try {
      for (const each of [...cluster.masters, ...cluster.agents]) each.start();
      if (wait) await cluster.whole();
      return cluster;
    } catch (error) {
      console.error(await cluster.story());
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of the masters, as host:port. */
  get addresses(): readonly string[] {
    return this.masters.map(({ address }) => address);
  }

  /** One more master, not started yet. */
  member(name: string, port: number, flags: readonly string[] = []): Member {
    const { masterFlags = [], env } = this.#options;
    const own = [`--name=${name}`, "--ip=127.0.0.1", `--grpc-port=${port}`, "--http-port=0", `--etcd-endpoints=${this.etcd.endpoints.join(",")}`];
    const member = new Member(name, `127.0.0.1:${port}`, ["master", ...own, ...masterFlags, ...flags], env);
    this.#processes.add(member);
    return member;
  }

  /** One more agent, not started yet. */
  agent(name: string, port: number, workDirectory = join(this.#options.workDirectory ?? this.directory, name)): Agent {
    const agent = new Agent(name, port, workDirectory, this.addresses, this.#options);
    this.#workDirectories.add(workDirectory);
    this.#processes.add(agent);
    return agent;
  }

  /** Runs one more `mesarch` command against this cluster. */
  cli(...args: string[]): MesarchProcess {
    const command = new MesarchProcess(args, { MESARCH_MASTERS: this.addresses.join(",") });
    this.#processes.add(command);
    return command.start();
  }

  async scheduler(options: TestSchedulerOptions = {}): Promise<TestScheduler> {
    const scheduler = await TestScheduler.start(this.addresses, options);
    this.#schedulers.add(scheduler);
    return scheduler;
  }

  /** The process that leads now, once there is one. */
  async leader(): Promise<Member> {
    return eventually("a leader", async () => {
      const { leader } = await this.operator.status({ timeoutMs: 2_000 });
      return this.masters.find(({ name, running }) => name === leader && running);
    });
  }

  /** Every running process plays its part: masters queue, agents are in and confirmed. */
  async whole(): Promise<void> {
    const masters = this.masters.filter(({ running }) => running).length;
    const agents = this.agents.filter(({ running }) => running).length;
    await eventually(`${masters} masters and ${agents} agents in concert`, async () => {
      const status = await this.operator.status({ timeoutMs: 2_000 });
      return status.leader !== "" && status.masters === masters && status.agentsConfirmed === agents;
    });
  }

  /** SIGKILL to these at once. */
  async kill(...members: readonly MesarchProcess[]): Promise<void> {
    for (const each of members) each.kill("SIGKILL");
    await Promise.all(members.map(({ exited }) => exited));
  }

  /** What the processes logged, in order of time, and what the leader believes: for the report of a failed test. */
  async story(): Promise<string> {
    const believed = await this.#believed().catch((error: unknown) => [String(error)]);
    const lines = [...this.#processes].flatMap((each) => each.log.map((line) => ({ at: line.time, text: JSON.stringify(line) })));
    const other = [...this.#processes].flatMap((each) => each.stderr.items.filter((line) => !line.startsWith("{")).map((line) => `${each.args[0]}: ${line}`));
    return [...lines.sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ text }) => text).slice(-120), ...other.slice(-40), ...believed].join("\n");
  }

  async #believed(): Promise<string[]> {
    const options = { timeoutMs: 2_000 };
    const { tasks } = await this.operator.tasks({ finished: true, limit: 40 }, options);
    const agents = (await this.operator.agents(options)).map(({ id, record, connected, confirmed }) => ({ id, at: record?.address, connected, confirmed }));
    const rows = tasks.map(({ record, shownState, finished }) => ({ task: record?.info?.taskId?.value, agent: record?.agentId, launch: record?.launchId, shownState, finished }));
    return [...agents, ...rows].map((row) => JSON.stringify(row));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#schedulers].map((scheduler) => scheduler.close()));
    this.operator[Symbol.dispose]();
    await Promise.all([...this.#processes].map((each) => each.end("SIGKILL")));
    const { left } = await endAbandonedRuns([...this.#workDirectories], END_TIMEOUT_MS);
    if (left > 0) throw new Error(`${left} tasks could not be ended`);
    if (this.etcd !== this.#options.etcd) await this.etcd[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    process.off("exit", this.#onExit);
  }
}
