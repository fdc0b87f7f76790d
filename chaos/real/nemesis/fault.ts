/** What a fault is: something done to the cluster on purpose, and its undoing. */
import type { Chance } from "../../sim/chance.ts";
import type { RegistryWatcher } from "../actors/registry-watcher.ts";
import type { AgentHost } from "../cluster/agent-host.ts";
import type { Cluster, MasterNode } from "../cluster/cluster.ts";
import type { EtcdMember } from "../cluster/etcd.ts";
import type { AbilityName } from "../host/abilities.ts";

export interface FaultKind {
  readonly name: string;
  /** For people: what happens, and to whom. */
  readonly about: string;
  readonly needs: readonly AbilityName[];
  /** How long it is left on. */
  readonly lastsMs: readonly [least: number, most: number];
  /**
   * From when on the cluster owes an answer: it recovers from what is struck by itself, or cannot before it is undone.
   */
  readonly answersAfter: "strike" | "undo";
  /** Within this time (I28); undefined where there is no such promise. */
  readonly boundMs?: number;
  /** Nothing else happens meanwhile. */
  readonly alone?: true;
  readonly strike: (world: World, chance: Chance) => Promise<Struck>;
}

export interface Struck {
  /** As the history names them. */
  readonly targets: readonly string[];
  /** Resolves when what was struck is back. May be called again after it failed. */
  readonly undo: () => Promise<void>;
  /** Daemons that may end by themselves meanwhile. */
  readonly mayFail?: readonly string[];
}

/** Nobody is in the role that is to be struck: during an election, say. */
export class NobodyToStrike extends Error {
  constructor(role: string) {
    super(`there is no ${role} to strike now`);
    this.name = "NobodyToStrike";
  }
}

/** The cluster as the nemesis sees it. */
export interface World {
  readonly cluster: Cluster;
  readonly watcher: RegistryWatcher;
  /** Of the masters' settings: silence that makes an agent unreachable. */
  readonly agentPingTimeoutMs: number;
  /** A rare thing that was reached. */
  mark(name: string): void;
  complain(of: string, message: string): void;
  /** Resolves with true once a daemon logs such a message, from now on. */
  logged(daemon: string, message: RegExp, timeoutMs: number): Promise<boolean>;
}

export function leader({ cluster, watcher }: World): MasterNode {
  const found = cluster.masters.find(({ node, daemon }) => node === watcher.leader && daemon.running && !daemon.frozen);
  if (found === undefined) throw new NobodyToStrike("leader");
  return found;
}

export function standby({ cluster, watcher }: World, chance: Chance): MasterNode {
  const others = cluster.masters.filter(({ node, daemon }) => node !== watcher.leader && daemon.running && !daemon.frozen);
  if (others.length === 0) throw new NobodyToStrike("standby");
  return chance.pick(others);
}

export function someAgent({ cluster }: World, chance: Chance): AgentHost {
  const up = cluster.agents.filter(({ daemon }) => daemon.running && !daemon.frozen);
  if (up.length === 0) throw new NobodyToStrike("agent");
  return chance.pick(up);
}

export async function etcdLeader({ cluster }: World): Promise<EtcdMember> {
  const found = await cluster.etcd.leader();
  if (found === undefined) throw new NobodyToStrike("leader of etcd");
  return found;
}

export async function etcdFollower(world: World, chance: Chance): Promise<EtcdMember> {
  const first = await etcdLeader(world);
  return chance.pick(world.cluster.etcd.members.filter((member) => member !== first && member.daemon.running));
}
