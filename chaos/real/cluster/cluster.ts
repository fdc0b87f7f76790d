/** A cluster of real processes to break: etcd members, masters, agents, frameworks. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findEtcd } from "../../../src/dev/etcd-binary.ts";
import type { FrameworkOrder, FrameworkPlan, FrameworkState } from "../actors/framework.ts";
import type { HerdPlan, HerdSize, HerdState } from "../actors/herd.ts";
import type { Belongings } from "../belongings.ts";
import { find, run } from "../host/tools.ts";
import { AgentHost, type AgentHostOptions } from "./agent-host.ts";
import { Daemon } from "./daemon.ts";
import { Etcd } from "./etcd.ts";
import { address, type Network, type Node } from "./network.ts";
import { nodeEnv, frameworkCommand, herdCommand, type Program, witnessScript } from "./programs.ts";

export interface ClusterSize {
  readonly masters: number;
  readonly agents: number;
  readonly frameworks: number;
  /** Beside them, agents and frameworks that only come in large numbers. */
  readonly herd?: HerdSize;
}

export interface ClusterOptions {
  readonly size: ClusterSize;
  readonly network: Network;
  readonly belongings: Belongings;
  /** Logs of the daemons. */
  readonly logs: string;
  /** Where processes write what they saw. */
  readonly histories: string;
  readonly program: Program;
  /** What it begins as, if not as that. */
  readonly previous: Program | undefined;
  readonly masterFlags: readonly string[];
  readonly agentFlags: readonly string[];
  readonly quotaBytes: number;
  /** What disks are, of agents and of etcd, and whether hosts of agents can be started anew. */
  readonly hosts: Pick<AgentHostOptions, "disk" | "ownBoot">;
  /** The library that moves the clock of one program; undefined: all are shown the true one. */
  readonly fakeTime: string | undefined;
  readonly play: Omit<FrameworkPlan, "name" | "masters" | "witnesses" | "script" | "histories">;
  /** A daemon ended by itself. */
  readonly onFailure: (name: string, how: string) => void;
}

export interface MasterNode {
  readonly node: Node;
  readonly daemon: Daemon;
  readonly address: string;
}

export interface FrameworkNode {
  readonly node: Node;
  readonly daemon: Daemon;
  state: FrameworkState | undefined;
}

/** All of it on one host. */
export interface Herd {
  readonly size: HerdSize;
  readonly daemon: Daemon;
  state: HerdState;
}

const ETCD_MEMBERS = 3;
const START_MS = 60_000;
const LOOK_MS = 50;

export function nodesOf({ masters, agents, frameworks, herd }: ClusterSize): Node[] {
  const names = (letter: string, count: number): Node[] => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
  return [...names("e", ETCD_MEMBERS), ...names("m", masters), ...names("a", agents), ...names("f", frameworks), ...names("h", herd === undefined ? 0 : 1)];
}

export class Cluster {
  readonly network: Network;
  readonly belongings: Belongings;
  readonly etcd: Etcd;
  readonly masters: readonly MasterNode[];
  readonly agents: readonly AgentHost[];
  readonly frameworks: readonly FrameworkNode[];
  readonly herd: Herd | undefined;
  readonly witnesses: string;
  readonly #versions: readonly Program[];
  /** The version a node is of from its next start on; the first where nothing is said. */
  readonly #versionOf = new Map<Node, number>();

  private constructor(options: ClusterOptions, etcd: Etcd, nodes: readonly Node[]) {
    const { network, belongings, program, previous } = options;
    this.#versions = previous === undefined ? [program] : [previous, program];
    this.network = network;
    this.belongings = belongings;
    this.etcd = etcd;
    this.witnesses = join(belongings.inMemory(), "witnesses");
    mkdirSync(this.witnesses, { recursive: true });
    const of = (letter: string): Node[] => nodes.filter((node) => node.startsWith(letter));
    this.masters = of("m").map((node) => this.#master(node, options));
    this.agents = of("a").map((node) => this.#agent(node, options));
    this.frameworks = of("f").map((node) => this.#framework(node, options));
    this.herd = options.size.herd && this.#herd("h1", options.size.herd, options);
  }

  /** Everything is prepared, and nothing runs. */
  static async prepare(options: ClusterOptions): Promise<Cluster> {
    const { network, belongings, logs, size, quotaBytes, onFailure } = options;
    const nodes = nodesOf(size);
    const etcdNodes = nodes.filter((node) => node.startsWith("e"));
    const etcd = new Etcd({ binary: await findEtcd(), nodes: etcdNodes, network, belongings, logs, quotaBytes, disk: options.hosts.disk, onFailure });
    if (options.hosts.disk && options.hosts.ownBoot) await shareMounts(belongings);
    await etcd.prepare();
    const cluster = new Cluster(options, etcd, nodes);
    for (const agent of cluster.agents) await agent.prepare();
    return cluster;
  }

  get daemons(): readonly Daemon[] {
    return [...this.etcd.daemons, ...this.masters.map(({ daemon }) => daemon), ...this.agents.map(({ daemon }) => daemon), ...this.frameworks.map(({ daemon }) => daemon), ...(this.herd === undefined ? [] : [this.herd.daemon])];
  }

  get masterAddresses(): readonly string[] {
    return this.masters.map(({ address: at }) => at);
  }

  /** The store first; resolves when all of it runs, not when it is in concert. */
  async start(): Promise<void> {
    for (const daemon of this.etcd.daemons) daemon.start();
    await this.etcd.whole(START_MS);
    for (const daemon of this.daemons) daemon.start();
  }

  /** The other version, from the next start on. */
  switchVersion(node: Node): void {
    this.#versionOf.set(node, ((this.#versionOf.get(node) ?? 0) + 1) % this.#versions.length);
  }

  /** Agents that the masters are to know. */
  get agentCount(): number {
    return this.agents.length + (this.herd?.size.agents ?? 0);
  }

  /** Whatever frameworks still wait for. */
  get wishes(): string[] {
    return [...this.herdsWishes, ...this.#frameworksWishes()];
  }

  #frameworksWishes(): string[] {
    return this.frameworks.flatMap(({ node, state, daemon }) => (daemon.running && state !== undefined ? state.wishes : [`${node} does not run`]));
  }

  /** Who of the herd is not back. */
  get herdsWishes(): string[] {
    if (this.herd === undefined) return [];
    const { size, state } = this.herd;
    const missing: string[] = [];
    if (state.confirmed !== size.agents) missing.push(`${state.confirmed} of ${size.agents} agents of the herd are confirmed`);
    if (state.subscribed !== size.frameworks) missing.push(`${state.subscribed} of ${size.frameworks} frameworks of the herd are subscribed`);
    return missing;
  }

  order(order: FrameworkOrder): void {
    for (const { daemon } of this.frameworks) daemon.tell(order as unknown as object);
  }

  /** Resolves when frameworks have ended, or the time is up. */
  async framesEnded(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.frameworks.some(({ daemon }) => daemon.running) && performance.now() < deadline) await delay(LOOK_MS);
  }

  /** A command line of `mesarch`, for whoever watches from outside. */
  cli(...args: readonly string[]): readonly string[] {
    return [...this.#versions.at(-1)!.command, ...args];
  }

  /** Holds what is added to the wall clock that the node is shown. */
  clockFile(node: Node): string {
    return join(this.belongings.directory, `${node}.clock`);
  }

  /** By timers nobody sees a difference. */
  #clockEnv(node: Node, library: string | undefined): Record<string, string> {
    if (library === undefined) return {};
    const file = this.clockFile(node);
    if (!existsSync(file)) writeFileSync(file, "+0\n");
    return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_DONT_FAKE_MONOTONIC: "1", FAKETIME_CACHE_DURATION: "1" };
  }

  #programOf(node: Node): Program {
    return this.#versions[this.#versionOf.get(node) ?? 0]!;
  }

  #master(node: Node, options: ClusterOptions): MasterNode {
    const { network, belongings, logs, masterFlags, fakeTime, onFailure } = options;
    const host = network.host(node);
    const daemon: Daemon = new Daemon({
      name: `master/${node}`,
      belongings,
      logs,
      launch: () => {
        const own = [`--name=${node}`, `--ip=${host}`, `--grpc-port=${network.port(node, "grpc")}`, "--http-port=0", `--etcd-endpoints=${this.etcd.endpoints.join(",")}`];
        return commandLine([...network.enter(node), ...this.#programOf(node).command, "master", ...own, ...masterFlags], { ...nodeEnv, ...this.#clockEnv(node, fakeTime) });
      },
      onFailure: (how) => onFailure(daemon.name, how),
    });
    return { node, daemon, address: address(network, node, "grpc") };
  }

  #agent(node: Node, { network, belongings, logs, histories, agentFlags, hosts, fakeTime, onFailure }: ClusterOptions): AgentHost {
    const flags = [`--masters=${this.masterAddresses.join(",")}`, `--hostname=${node}`, `--ip=${network.host(node)}`, `--grpc-port=${network.port(node, "grpc")}`, "--http-port=0"];
    const own = { ...nodeEnv, ...this.#clockEnv(node, fakeTime), CHAOS_HISTORY: join(histories, `agent-${node}`), CHAOS_ACTOR: `agent/${node}` };
    const agent = () => {
      const { watchedCommand, watchedEnv } = this.#programOf(node);
      return { command: [...watchedCommand, "agent", ...flags, ...agentFlags], env: { ...own, ...watchedEnv } };
    };
    return new AgentHost({ node, enter: network.enter(node), agent, belongings, logs, onFailure, ...hosts });
  }

  #framework(node: Node, { network, belongings, logs, histories, play, onFailure }: ClusterOptions): FrameworkNode {
    const plan: FrameworkPlan = { ...play, name: node, masters: this.masterAddresses, witnesses: this.witnesses, script: witnessScript, histories };
    const framework: FrameworkNode = {
      node,
      state: undefined,
      daemon: new Daemon({
        name: `framework/${node}`,
        belongings,
        logs,
        launch: () => commandLine([...network.enter(node), ...frameworkCommand, JSON.stringify(plan)], nodeEnv),
        onMessage: (message) => (framework.state = message as FrameworkState),
        onFailure: (how) => onFailure(`framework/${node}`, how),
      }),
    };
    return framework;
  }

  #herd(node: Node, size: HerdSize, { network, belongings, logs, histories, onFailure }: ClusterOptions): Herd {
    const plan: HerdPlan = { ...size, name: node, masters: this.masterAddresses, histories };
    const herd: Herd = {
      size,
      state: { confirmed: 0, subscribed: 0 },
      daemon: new Daemon({
        name: `herd/${node}`,
        belongings,
        logs,
        launch: () => commandLine([...network.enter(node), ...herdCommand, JSON.stringify(plan)], nodeEnv),
        onMessage: (message) => (herd.state = message as HerdState),
        onFailure: (how) => onFailure(`herd/${node}`, how),
      }),
    };
    return herd;
  }
}

function commandLine(words: readonly string[], env: Readonly<Record<string, string>>) {
  const [program, ...args] = words as [string, ...string[]];
  return { program, args, env };
}

/** A disk that is unmounted goes from the view of every host, or it would never be let go of. */
async function shareMounts(belongings: Belongings): Promise<void> {
  const { directory } = belongings;
  await run("mount", ["--bind", directory, directory]);
  belongings.add({ kind: "mount", path: directory });
  await run("mount", ["--make-shared", directory]);
}

/** What a cluster cannot be started without. */
export async function missingForCluster(): Promise<string[]> {
  const missing: string[] = [];
  if (find("bash") === undefined) missing.push("bash is missing (Debian package bash): witnesses are written for it");
  await findEtcd().catch((error: unknown) => missing.push(error instanceof Error ? error.message : String(error)));
  return missing;
}
