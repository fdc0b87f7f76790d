/** Processes that are killed, frozen and told to stop. */
import { setTimeout as delay } from "node:timers/promises";
import type { Chance } from "../../../sim/chance.ts";
import type { AgentHost } from "../../cluster/agent-host.ts";
import type { MasterNode } from "../../cluster/cluster.ts";
import type { Daemon } from "../../cluster/daemon.ts";
import type { EtcdMember } from "../../cluster/etcd.ts";
import { startAgent, startEtcd, startFramework, startMaster, until } from "../comebacks.ts";
import { etcdFollower, etcdLeader, type FaultKind, leader, someAgent, standby, type Struck, type World } from "../fault.ts";

/** I28, with a lease of 5 s: T + 1.5 s; 2T + 4 s; and what an etcd election may cost. */
export const MASTER_LOST_MS = 6_500;
const HANDED_OVER_MS = 1_000;
export const ETCD_ELECTION_MS = 3_000;
const BOTH_LOST_MS = 14_000;
const QUORUM_BACK_MS = 5_000;
/** All masters at once: they have to start first, on a machine that starts other things, too. */
const MASTERS_BACK_MS = 10_000;
const AGENT_BACK_MS = 5_000;

const SHORT = [2_000, 6_000] as const;
const OUTAGE = [8_000, 20_000] as const;

/** Between two restarts of an upgrade. */
const MIXED_MS = 2_000;

type Lost = "SIGKILL" | "SIGTERM";

async function endMasters(world: World, masters: readonly MasterNode[], signal: Lost): Promise<Struck> {
  await Promise.all(masters.map(({ daemon }) => daemon.end(signal)));
  return { targets: names(masters), undo: async () => void (await Promise.all(masters.map((each) => startMaster(world, each)))) };
}

async function endAgents(world: World, agents: readonly AgentHost[], signal: Lost): Promise<Struck> {
  await Promise.all(agents.map(({ daemon }) => daemon.end(signal)));
  return { targets: names(agents), undo: async () => void (await Promise.all(agents.map((each) => startAgent(world, each)))) };
}

async function endEtcd(members: readonly EtcdMember[], signal: Lost): Promise<Struck> {
  await Promise.all(members.map(({ daemon }) => daemon.end(signal)));
  return { targets: names(members), undo: async () => void (await Promise.all(members.map(startEtcd))) };
}

async function freeze(those: readonly { readonly daemon: Daemon }[]): Promise<Struck> {
  for (const { daemon } of those) daemon.freeze();
  return { targets: names(those), undo: async () => those.forEach(({ daemon }) => daemon.resume()) };
}

async function both(...strikes: readonly Promise<Struck>[]): Promise<Struck> {
  const all = await Promise.all(strikes);
  return { targets: all.flatMap(({ targets }) => targets), undo: async () => void (await Promise.all(all.map(({ undo }) => undo()))) };
}

/** Only tasks are left. The store comes back first. */
async function killAllDaemons(world: World): Promise<Struck> {
  const { etcd, masters, agents } = world.cluster;
  const struck = await Promise.all([endEtcd(etcd.members, "SIGKILL"), endMasters(world, masters, "SIGKILL"), endAgents(world, agents, "SIGKILL")]);
  const undo = async (): Promise<void> => {
    for (const each of struck) await each.undo();
  };
  return { targets: struck.flatMap(({ targets }) => targets), undo };
}

function names(those: readonly { readonly daemon: Daemon }[]): string[] {
  return those.map(({ daemon }) => daemon.name);
}

/** One after the other, each back before the next goes. */
async function restartEverything(world: World): Promise<Struck> {
  const { masters, agents, etcd } = world.cluster;
  const rolling = (async () => {
    for (const each of masters) await endMasters(world, [each], "SIGTERM").then(({ undo }) => undo());
    for (const each of agents) await endAgents(world, [each], "SIGTERM").then(({ undo }) => undo());
    for (const each of etcd.members) await endEtcd([each], "SIGTERM").then(({ undo }) => undo());
  })();
  return { targets: names([...masters, ...agents, ...etcd.members]), undo: () => rolling };
}

/** Masters, then agents, one after the other, each as the other version: for a while both are there. */
async function rollVersions(world: World): Promise<Struck> {
  const { cluster } = world;
  const rolling = (async () => {
    for (const each of cluster.masters) {
      cluster.switchVersion(each.node);
      await endMasters(world, [each], "SIGTERM").then(({ undo }) => undo());
      await delay(MIXED_MS);
    }
    for (const each of cluster.agents) {
      cluster.switchVersion(each.node);
      await endAgents(world, [each], "SIGTERM").then(({ undo }) => undo());
      await delay(MIXED_MS);
    }
    world.mark("another version throughout");
  })();
  return { targets: names([...cluster.masters, ...cluster.agents]), undo: () => rolling };
}

/** Whoever leads dies, and so does its successor as soon as it leads, and the one after that. */
async function killSuccessors(world: World): Promise<Struck> {
  const dead: MasterNode[] = [];
  const rounds = Math.max(1, world.cluster.masters.length - 1);
  for (let round = 0; round < rounds; round += 1) {
    if (!(await until(() => world.watcher.leader !== undefined && !dead.some(({ node }) => node === world.watcher.leader), 10_000))) break;
    const next = leader(world);
    dead.push(next);
    await next.daemon.end("SIGKILL");
  }
  return { targets: names(dead), undo: async () => void (await Promise.all(dead.map((each) => startMaster(world, each)))) };
}

async function crashLoop(world: World, agent: AgentHost): Promise<Struck> {
  let over = false;
  const looping = (async () => {
    while (!over) {
      await agent.daemon.end("SIGKILL");
      await delay(200);
      agent.daemon.start();
      await delay(500);
    }
  })();
  const undo = async (): Promise<void> => {
    over = true;
    await looping;
    await agent.daemon.end("SIGKILL");
    await startAgent(world, agent);
  };
  return { targets: names([agent]), undo };
}

async function killFramework({ cluster }: World, chance: Chance): Promise<Struck> {
  const framework = chance.pick(cluster.frameworks);
  await framework.daemon.end("SIGKILL");
  return { targets: names([framework]), undo: () => startFramework(framework) };
}

const none = { needs: [] } as const;

export const processFaults: readonly FaultKind[] = [
  { ...none, name: "kill-leader", about: "KILL to the leading master", lastsMs: SHORT, answersAfter: "strike", boundMs: MASTER_LOST_MS, strike: (world) => endMasters(world, [leader(world)], "SIGKILL") },
  { ...none, name: "stop-leader", about: "TERM to the leading master, which hands over", lastsMs: SHORT, answersAfter: "strike", boundMs: HANDED_OVER_MS, strike: (world) => endMasters(world, [leader(world)], "SIGTERM") },
  { ...none, name: "freeze-leader", about: "STOP to the leading master, and CONT", lastsMs: [500, 12_000], answersAfter: "strike", boundMs: MASTER_LOST_MS, strike: (world) => freeze([leader(world)]) },
  { ...none, name: "kill-standby", about: "KILL to a standby", lastsMs: SHORT, answersAfter: "strike", strike: (world, chance) => endMasters(world, [standby(world, chance)], "SIGKILL") },
  { ...none, name: "stop-standby", about: "TERM to a standby", lastsMs: SHORT, answersAfter: "strike", strike: (world, chance) => endMasters(world, [standby(world, chance)], "SIGTERM") },
  { ...none, name: "freeze-standby", about: "STOP to a standby, and CONT", lastsMs: [500, 12_000], answersAfter: "strike", strike: async (world, chance) => freeze([standby(world, chance)]) },
  { ...none, name: "kill-all-masters", about: "KILL to all masters", lastsMs: OUTAGE, answersAfter: "undo", boundMs: MASTERS_BACK_MS, alone: true, strike: (world) => endMasters(world, world.cluster.masters, "SIGKILL") },
  { ...none, name: "stop-all-masters", about: "TERM to all masters", lastsMs: OUTAGE, answersAfter: "undo", boundMs: MASTERS_BACK_MS, alone: true, strike: (world) => endMasters(world, world.cluster.masters, "SIGTERM") },
  { ...none, name: "freeze-all-masters", about: "STOP to all masters, and CONT", lastsMs: OUTAGE, answersAfter: "undo", alone: true, strike: (world) => freeze(world.cluster.masters) },
  { ...none, name: "kill-successors", about: "KILL to the leader, and to the next as soon as it leads", lastsMs: SHORT, answersAfter: "strike", alone: true, strike: killSuccessors },
  { ...none, name: "kill-agent", about: "KILL to an agent's process", lastsMs: SHORT, answersAfter: "strike", strike: (world, chance) => endAgents(world, [someAgent(world, chance)], "SIGKILL") },
  { ...none, name: "stop-agent", about: "TERM to an agent's process", lastsMs: SHORT, answersAfter: "strike", strike: (world, chance) => endAgents(world, [someAgent(world, chance)], "SIGTERM") },
  { ...none, name: "kill-all-agents", about: "KILL to all agents' processes", lastsMs: SHORT, answersAfter: "undo", boundMs: AGENT_BACK_MS, strike: (world) => endAgents(world, world.cluster.agents, "SIGKILL") },
  { ...none, name: "freeze-agent", about: "STOP to an agent's process, and CONT", lastsMs: [500, 12_000], answersAfter: "strike", strike: (world, chance) => freeze([someAgent(world, chance)]) },
  { ...none, name: "crash-loop-agent", about: "an agent is killed half a second after each start", lastsMs: OUTAGE, answersAfter: "strike", strike: (world, chance) => crashLoop(world, someAgent(world, chance)) },
  { ...none, name: "kill-etcd-leader", about: "KILL to the leading etcd member", lastsMs: [4_000, 12_000], answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: async (world) => endEtcd([await etcdLeader(world)], "SIGKILL") },
  { ...none, name: "stop-etcd-leader", about: "TERM to the leading etcd member", lastsMs: [4_000, 12_000], answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: async (world) => endEtcd([await etcdLeader(world)], "SIGTERM") },
  { ...none, name: "freeze-etcd-leader", about: "STOP to the leading etcd member, and CONT", lastsMs: [2_000, 12_000], answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: async (world) => freeze([await etcdLeader(world)]) },
  { ...none, name: "kill-etcd-member", about: "KILL to an etcd member that follows", lastsMs: [10_000, 20_000], answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: async (world, chance) => endEtcd([await etcdFollower(world, chance)], "SIGKILL") },
  { ...none, name: "freeze-etcd-member", about: "STOP to an etcd member that follows, and CONT", lastsMs: [2_000, 12_000], answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: async (world, chance) => freeze([await etcdFollower(world, chance)]) },
  { ...none, name: "kill-etcd-quorum", about: "KILL to two etcd members", lastsMs: OUTAGE, answersAfter: "undo", boundMs: QUORUM_BACK_MS, alone: true, strike: async (world, chance) => endEtcd([await etcdLeader(world), await etcdFollower(world, chance)], "SIGKILL") },
  { ...none, name: "freeze-etcd-quorum", about: "STOP to two etcd members, and CONT", lastsMs: OUTAGE, answersAfter: "undo", boundMs: QUORUM_BACK_MS, alone: true, strike: async (world, chance) => freeze([await etcdLeader(world), await etcdFollower(world, chance)]) },
  { ...none, name: "kill-etcd", about: "KILL to all etcd members", lastsMs: OUTAGE, answersAfter: "undo", boundMs: QUORUM_BACK_MS, alone: true, strike: (world) => endEtcd(world.cluster.etcd.members, "SIGKILL") },
  { ...none, name: "stop-etcd", about: "TERM to all etcd members", lastsMs: OUTAGE, answersAfter: "undo", boundMs: QUORUM_BACK_MS, alone: true, strike: (world) => endEtcd(world.cluster.etcd.members, "SIGTERM") },
  { ...none, name: "freeze-etcd", about: "STOP to all etcd members, and CONT", lastsMs: OUTAGE, answersAfter: "undo", boundMs: QUORUM_BACK_MS, alone: true, strike: (world) => freeze(world.cluster.etcd.members) },
  { ...none, name: "kill-all-daemons", about: "KILL to all of etcd, all masters and all agents", lastsMs: SHORT, answersAfter: "undo", alone: true, strike: killAllDaemons },
  { ...none, name: "freeze-all-daemons", about: "STOP to all of etcd, all masters and all agents, and CONT", lastsMs: OUTAGE, answersAfter: "undo", alone: true, strike: ({ cluster }) => freeze([...cluster.etcd.members, ...cluster.masters, ...cluster.agents]) },
  { ...none, name: "kill-both-leaders", about: "KILL to the leading master and the leading etcd member", lastsMs: SHORT, answersAfter: "strike", boundMs: BOTH_LOST_MS, alone: true, strike: async (world) => both(endMasters(world, [leader(world)], "SIGKILL"), endEtcd([await etcdLeader(world)], "SIGKILL")) },
  { ...none, name: "kill-framework", about: "KILL to a framework's process", lastsMs: SHORT, answersAfter: "undo", strike: killFramework },
  { ...none, name: "restart-everything", about: "TERM and start, one process after the other", lastsMs: [0, 0], answersAfter: "undo", alone: true, strike: restartEverything },
  { needs: ["previous"], name: "roll-versions", about: "masters and agents are upgraded, or downgraded again, one after the other", lastsMs: [0, 0], answersAfter: "undo", alone: true, strike: rollVersions },
];
