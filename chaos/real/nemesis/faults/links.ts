/** Links that are cut, both ways or one way, that lose packets or are slow; and hosts that are silent all at once. */
import { setTimeout as delay } from "node:timers/promises";
import type { Chance } from "../../../sim/chance.ts";
import type { MasterNode } from "../../cluster/cluster.ts";
import { between, type Cut, type Firewall } from "../../cluster/firewall.ts";
import type { Node } from "../../cluster/network.ts";
import { startEtcd, startMaster } from "../comebacks.ts";
import { etcdLeader, type FaultKind, leader, someAgent, standby, type Struck, type World } from "../fault.ts";
import { ETCD_ELECTION_MS, MASTER_LOST_MS } from "./processes.ts";

const WHILE = [3_000, 12_000] as const;
const FLAP_MS = [200, 1_500] as const;
const SLOW_RATE = "512kbit";

const kinds: Readonly<Record<string, string>> = { e: "etcd", m: "master", a: "agent", f: "framework" };

function nameOf(node: Node): string {
  return `${kinds[node[0]!]}/${node}`;
}

function firewallOf({ cluster }: World): Firewall {
  return cluster.network.firewall!;
}

/** Each pair once, whichever way it is cut. */
function linksOf(cuts: readonly Cut[]): string[] {
  return [...new Set(cuts.map(({ from, to }) => `link/${[nameOf(from), nameOf(to)].sort().join("~")}`))];
}

async function cut(world: World, cuts: readonly Cut[]): Promise<Struck> {
  return { targets: linksOf(cuts), undo: await firewallOf(world).cut(cuts) };
}

function nodes({ cluster }: World): { readonly etcd: Node[]; readonly masters: Node[]; readonly agents: Node[]; readonly frameworks: Node[]; readonly all: Node[] } {
  const [etcd, masters, agents, frameworks] = [cluster.etcd.members, cluster.masters, cluster.agents, cluster.frameworks].map((those) => those.map(({ node }) => node)) as [Node[], Node[], Node[], Node[]];
  return { etcd, masters, agents, frameworks, all: [...etcd, ...masters, ...agents, ...frameworks] };
}

/** What the others send does not arrive, or what it sends does not. */
function oneWay(node: Node, others: readonly Node[], deaf: boolean): Cut[] {
  return others.filter((other) => other !== node).map((other) => (deaf ? { from: other, to: node, loss: 1 } : { from: node, to: other, loss: 1 }));
}

async function flap(world: World, cuts: readonly Cut[], chance: Chance): Promise<Struck> {
  let over = false;
  const flapping = (async () => {
    while (!over) {
      const mend = await firewallOf(world).cut(cuts);
      await delay(chance.between(...FLAP_MS));
      await mend();
      await delay(chance.between(...FLAP_MS));
    }
  })();
  return {
    targets: linksOf(cuts),
    undo: async () => {
      over = true;
      await flapping;
    },
  };
}

async function slow(world: World, node: Node): Promise<Struck> {
  return { targets: linksOf(between(node, nodes(world).all)), undo: await firewallOf(world).slow(node, SLOW_RATE) };
}

/** The cable first, so that nobody hears of the death. */
async function loseMasterHost(world: World, master: MasterNode): Promise<Struck> {
  const light = await firewallOf(world).darken(master.node);
  await master.daemon.end("SIGKILL");
  return {
    targets: [master.daemon.name],
    undo: async () => {
      await light();
      await startMaster(world, master);
    },
  };
}

async function loseEtcdHost(world: World): Promise<Struck> {
  const member = await etcdLeader(world);
  const light = await firewallOf(world).darken(member.node);
  await member.daemon.end("SIGKILL");
  return {
    targets: [member.daemon.name],
    undo: async () => {
      await light();
      await startEtcd(member);
    },
  };
}

async function cutAgent(world: World, chance: Chance): Promise<Struck> {
  return cut(world, between(someAgent(world, chance).node, nodes(world).masters));
}

const firewall = { needs: ["firewall"] } as const;
const bounded = { answersAfter: "strike", boundMs: MASTER_LOST_MS } as const;

export function linkFaults(agentPingTimeoutMs: number): readonly FaultKind[] {
  const beyond = [agentPingTimeoutMs + 4_000, agentPingTimeoutMs + 9_000] as const;
  return [
    { ...firewall, ...bounded, name: "cut-leader-from-etcd", about: "the leader reaches no etcd member", lastsMs: WHILE, strike: (world) => cut(world, between(leader(world).node, nodes(world).etcd)) },
    { ...firewall, ...bounded, name: "cut-leader-from-agents", about: "the leader reaches no agent", lastsMs: WHILE, strike: (world) => cut(world, between(leader(world).node, nodes(world).agents)) },
    { ...firewall, name: "cut-leader-from-peers", about: "the leader reaches no other master", lastsMs: WHILE, answersAfter: "strike", boundMs: MASTER_LOST_MS, strike: (world) => cut(world, between(leader(world).node, nodes(world).masters)) },
    { ...firewall, ...bounded, name: "cut-leader-from-all", about: "the leader reaches nobody", lastsMs: WHILE, strike: (world) => cut(world, between(leader(world).node, nodes(world).all)) },
    { ...firewall, ...bounded, name: "deafen-leader", about: "nothing reaches the leader, and what it says is heard", lastsMs: WHILE, strike: (world) => cut(world, oneWay(leader(world).node, nodes(world).all, true)) },
    { ...firewall, ...bounded, name: "mute-leader", about: "the leader hears all, and nobody hears it", lastsMs: WHILE, strike: (world) => cut(world, oneWay(leader(world).node, nodes(world).all, false)) },
    { ...firewall, ...bounded, name: "reset-leader", about: "connections to the leader are reset", lastsMs: [500, 3_000], strike: (world) => cut(world, between(leader(world).node, nodes(world).all, "reset")) },
    { ...firewall, name: "flap-leader", about: "the leader's links to everybody come and go", lastsMs: [6_000, 15_000], answersAfter: "undo", strike: (world, chance) => flap(world, between(leader(world).node, nodes(world).all), chance) },
    { ...firewall, name: "cut-standby-from-etcd", about: "a standby reaches no etcd member", lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => cut(world, between(standby(world, chance).node, nodes(world).etcd)) },
    { ...firewall, name: "cut-agent", about: "an agent reaches no master", lastsMs: [2_000, agentPingTimeoutMs * 0.6], answersAfter: "strike", strike: cutAgent },
    { ...firewall, name: "cut-agent-for-long", about: "an agent reaches no master for longer than its silence is borne", lastsMs: beyond, answersAfter: "strike", strike: cutAgent },
    { ...firewall, name: "deafen-agent", about: "nothing reaches an agent, and what it says is heard", lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => cut(world, oneWay(someAgent(world, chance).node, nodes(world).masters, true)) },
    { ...firewall, name: "mute-agent", about: "an agent hears all, and nobody hears it", lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => cut(world, oneWay(someAgent(world, chance).node, nodes(world).masters, false)) },
    { ...firewall, name: "flap-agent", about: "an agent's links to all masters come and go", lastsMs: [6_000, 15_000], answersAfter: "strike", strike: (world, chance) => flap(world, between(someAgent(world, chance).node, nodes(world).masters), chance) },
    { ...firewall, name: "cut-framework", about: "a framework reaches no master", lastsMs: WHILE, answersAfter: "undo", strike: (world, chance) => cut(world, between(chance.pick(world.cluster.frameworks).node, nodes(world).masters)) },
    { ...firewall, name: "cut-etcd-leader", about: "the leading etcd member reaches no other member", lastsMs: WHILE, answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: async (world) => cut(world, between((await etcdLeader(world)).node, nodes(world).etcd)) },
    { ...firewall, name: "cut-etcd-apart", about: "no etcd member reaches another", lastsMs: WHILE, answersAfter: "undo", alone: true, strike: (world) => cut(world, nodes(world).etcd.flatMap((one, i, all) => between(one, all.slice(i + 1)))) },
    { needs: ["firewall", "loss"], name: "lose-packets", about: "a fifth of the leader's packets are lost", lastsMs: WHILE, answersAfter: "undo", strike: (world) => cut(world, between(leader(world).node, nodes(world).all, 0.2)) },
    { needs: ["firewall", "rate"], name: "slow-leader", about: `the leader sends no more than ${SLOW_RATE}/s`, lastsMs: WHILE, answersAfter: "strike", strike: (world) => slow(world, leader(world).node) },
    { ...firewall, ...bounded, name: "lose-leader-host", about: "the leader's host is gone: silence, no goodbye", lastsMs: WHILE, strike: (world) => loseMasterHost(world, leader(world)) },
    { ...firewall, name: "lose-etcd-leader-host", about: "the host of the leading etcd member is gone", lastsMs: WHILE, answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: loseEtcdHost },
  ];
}
