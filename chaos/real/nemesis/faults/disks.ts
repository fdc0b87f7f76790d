/** Disks that are full, read-only, slow, damaged, or without power; and processes that die in the middle of a write. */
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chance } from "../../../sim/chance.ts";
import type { AgentHost } from "../../cluster/agent-host.ts";
import type { Daemon } from "../../cluster/daemon.ts";
import { inject, type Injection } from "../../host/injection.ts";
import type { Cluster, MasterNode } from "../../cluster/cluster.ts";
import type { EtcdMember } from "../../cluster/etcd.ts";
import { startAgent, startEtcd, startMaster } from "../comebacks.ts";
import { etcdFollower, etcdLeader, type FaultKind, leader, NobodyToStrike, someAgent, standby, type Struck, type World } from "../fault.ts";
import { ETCD_ELECTION_MS } from "./processes.ts";

const WHILE = [4_000, 10_000] as const;
const SYNC_CALLS = ["fsync", "fdatasync", "pwrite64"] as const;
/** Microseconds. */
const SLOW_SYNC = 700_000;
const STALLED_SYNC = 12_000_000;
const REFUSAL_MS = 15_000;
/** Where a journal is changed: in its first group, which no crash leaves half written. */
const DAMAGED_BYTE = 60;
const TRUNCATED_TO = 20;

async function fillDisk(world: World, chance: Chance): Promise<Struck> {
  const host = withDisk(world, chance);
  await host.disk!.fill();
  return { targets: [host.daemon.name], undo: async () => host.disk!.makeRoom() };
}

async function losePower(world: World, chance: Chance): Promise<Struck> {
  const host = withDisk(world, chance);
  const { firewall } = world.cluster.network;
  const light = await firewall?.darken(host.node);
  host.daemon.hold();
  await host.disk!.losePower();
  await host.endEverything();
  return {
    targets: [`host/${host.node}`],
    undo: async () => {
      await host.endEverything();
      await host.disk!.remount();
      host.boot();
      await light?.();
      await startAgent(world, host);
    },
  };
}

/** A member that cannot write gives up, and its supervisor tries again. */
async function fillEtcdDisk(world: World, chance: Chance): Promise<Struck> {
  const member = await etcdFollower(world, chance);
  await member.disk!.fill();
  return {
    targets: [member.daemon.name],
    mayFail: [member.daemon.name],
    undo: async () => {
      member.disk!.makeRoom();
      await startEtcd(member);
    },
  };
}

async function loseEtcdPower(world: World): Promise<Struck> {
  const member = await etcdLeader(world);
  const light = await world.cluster.network.firewall?.darken(member.node);
  member.daemon.hold();
  await member.disk!.losePower();
  await member.daemon.end("SIGKILL");
  return {
    targets: [member.daemon.name],
    undo: async () => {
      await member.disk!.remount();
      await light?.();
      await startEtcd(member);
    },
  };
}

function withDisk({ cluster }: World, chance: Chance): AgentHost {
  return chance.pick(cluster.agents.filter(({ disk }) => disk !== undefined));
}

/** The journal cannot be written; the agent's epoch can. */
async function readOnly(world: World, chance: Chance): Promise<Struck> {
  const host = someAgent(world, chance);
  const { journal, newJournal } = journals(host);
  const detach = await tamper(world.cluster, host.daemon, { pid: pidOf(host.daemon), calls: ["openat", "write", "pwrite64", "rename"], tamper: "error=EROFS", paths: [journal, newJournal] });
  return { targets: [host.daemon.name], undo: detach };
}

async function slowAgent(world: World, chance: Chance): Promise<Struck> {
  return slowSync(world, someAgent(world, chance).daemon, SLOW_SYNC);
}

async function slowSync({ cluster }: World, daemon: Daemon, microseconds: number): Promise<Struck> {
  const detach = await tamper(cluster, daemon, { pid: pidOf(daemon), calls: SYNC_CALLS, tamper: `delay_enter=${microseconds}` });
  return { targets: [daemon.name], undo: detach };
}

/** It dies on the way into its n-th write to the journal, and is started again. */
async function killInWrite(world: World, chance: Chance): Promise<Struck> {
  const host = someAgent(world, chance);
  const { journal, newJournal } = journals(host);
  return killInCall(world, host.daemon, { calls: ["pwrite64", "write", "rename"], paths: [journal, newJournal] }, chance.integer(1, 6), () => startAgent(world, host));
}

/** A master dies on the way into one of its next words to anybody. */
async function killMasterInWrite(world: World, master: MasterNode, chance: Chance): Promise<Struck> {
  return killInCall(world, master.daemon, { calls: ["write", "writev"] }, chance.integer(1, 60), () => startMaster(world, master));
}

async function killEtcdInSync(world: World, member: EtcdMember, chance: Chance): Promise<Struck> {
  return killInCall(world, member.daemon, { calls: ["fdatasync"] }, chance.integer(1, 30), () => startEtcd(member));
}

/** It dies on the way into the n-th of these calls from now on; at the latest when it is undone. */
async function killInCall({ cluster }: World, daemon: Daemon, where: Pick<Injection, "calls" | "paths">, n: number, comeBack: () => Promise<void>): Promise<Struck> {
  const pid = pidOf(daemon);
  daemon.hold();
  try {
    const detach = await tamper(cluster, daemon, { pid, ...where, tamper: `signal=SIGKILL:when=${n}` });
    const undo = async (): Promise<void> => {
      await detach();
      await daemon.end("SIGKILL");
      await comeBack();
    };
    return { targets: [daemon.name], mayFail: [daemon.name], undo };
  } catch (error) {
    daemon.start();
    throw error;
  }
}

/** Nobody is there to tamper with if another fault was first. */
async function tamper({ belongings }: Cluster, daemon: Daemon, injection: Injection): Promise<() => Promise<void>> {
  try {
    return await inject(injection, belongings);
  } catch (error) {
    if (daemon.pid !== injection.pid) throw new NobodyToStrike(daemon.name);
    throw error;
  }
}

/** The agent has to refuse to start, and to say why; with the file as it was it goes on. */
async function damageJournal(world: World, chance: Chance, damage: (path: string) => void): Promise<Struck> {
  const host = someAgent(world, chance);
  const { daemon } = host;
  const { journal } = journals(host);
  const saved = `${journal}.saved`;
  await daemon.end("SIGKILL");
  copyFileSync(journal, saved);
  damage(journal);
  const refused = world.logged(daemon.name, /is damaged/, REFUSAL_MS);
  const started = world.logged(daemon.name, /^agent started/, REFUSAL_MS);
  daemon.start();
  const outcome = Promise.race([refused.then((said) => (said ? "refused" : "silent")), started.then((did) => (did ? "started" : "silent"))]);
  const undo = async (): Promise<void> => {
    if ((await outcome) === "refused") world.mark("damaged journal refused");
    else world.complain(daemon.name, (await outcome) === "started" ? "it started over a damaged journal" : "it did not say that its journal is damaged");
    await daemon.end("SIGKILL");
    copyFileSync(saved, journal);
    rmSync(saved);
    await startAgent(world, host);
  };
  return { targets: [daemon.name], undo, mayFail: [daemon.name] };
}

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[DAMAGED_BYTE]! ^= 0xff;
  writeFileSync(path, bytes);
}

function journals({ workDirectory }: AgentHost): { readonly journal: string; readonly newJournal: string } {
  return { journal: join(workDirectory, "journal"), newJournal: join(workDirectory, "journal.new") };
}

function pidOf(daemon: Daemon): number {
  if (daemon.pid === undefined) throw new NobodyToStrike(daemon.name);
  return daemon.pid;
}

export const diskFaults: readonly FaultKind[] = [
  { name: "fill-agent-disk", about: "no room is left on an agent's disk, and then there is", needs: ["disk"], lastsMs: WHILE, answersAfter: "strike", strike: fillDisk },
  { name: "lose-agent-power", about: "an agent's host loses its power: everything on it dies, unsynced data is gone, and it boots", needs: ["disk", "powerLoss", "ownBoot"], lastsMs: WHILE, answersAfter: "strike", strike: losePower },
  { name: "read-only-journal", about: "an agent's journal cannot be written", needs: ["injection"], lastsMs: WHILE, answersAfter: "strike", strike: readOnly },
  { name: "slow-agent-disk", about: `each sync of an agent's disk takes ${SLOW_SYNC / 1_000} ms more`, needs: ["injection"], lastsMs: WHILE, answersAfter: "strike", strike: slowAgent },
  { name: "kill-agent-in-write", about: "an agent dies in the middle of writing its journal", needs: ["injection"], lastsMs: WHILE, answersAfter: "strike", strike: killInWrite },
  { name: "kill-leader-in-write", about: "the leader dies in the middle of what it says", needs: ["injection"], lastsMs: WHILE, answersAfter: "undo", strike: (world, chance) => killMasterInWrite(world, leader(world), chance) },
  { name: "kill-standby-in-write", about: "a standby dies in the middle of what it says", needs: ["injection"], lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => killMasterInWrite(world, standby(world, chance), chance) },
  { name: "fill-etcd-disk", about: "no room is left on the disk of an etcd member that follows, and then there is", needs: ["disk"], lastsMs: WHILE, answersAfter: "strike", strike: fillEtcdDisk },
  { name: "lose-etcd-power", about: "the leading etcd member loses its power, and what it had not synced", needs: ["disk", "powerLoss"], lastsMs: WHILE, answersAfter: "strike", boundMs: ETCD_ELECTION_MS, strike: loseEtcdPower },
  { name: "kill-etcd-in-sync", about: "an etcd member dies in the middle of a sync", needs: ["injection"], lastsMs: WHILE, answersAfter: "strike", strike: async (world, chance) => killEtcdInSync(world, await etcdFollower(world, chance), chance) },
  { name: "kill-etcd-leader-in-sync", about: "the leading etcd member dies in the middle of a sync", needs: ["injection"], lastsMs: WHILE, answersAfter: "undo", strike: async (world, chance) => killEtcdInSync(world, await etcdLeader(world), chance) },
  { name: "slow-etcd-disk", about: `each sync of the leading etcd member takes ${SLOW_SYNC / 1_000} ms more`, needs: ["injection"], lastsMs: WHILE, answersAfter: "undo", strike: async (world) => slowSync(world, (await etcdLeader(world)).daemon, SLOW_SYNC) },
  { name: "stall-etcd-disk", about: `a sync of the leading etcd member takes ${STALLED_SYNC / 1e6} s`, needs: ["injection"], lastsMs: [12_000, 14_000], answersAfter: "undo", strike: async (world) => slowSync(world, (await etcdLeader(world)).daemon, STALLED_SYNC) },
  { name: "damage-journal", about: "a byte of an agent's journal is wrong: it must refuse to start, and its tasks go on", needs: [], lastsMs: [4_000, 8_000], answersAfter: "strike", strike: (world, chance) => damageJournal(world, chance, flipByte) },
  { name: "truncate-journal", about: "an agent's journal is cut off: it must refuse to start, and its tasks go on", needs: [], lastsMs: [4_000, 8_000], answersAfter: "strike", strike: (world, chance) => damageJournal(world, chance, (path) => truncateSync(path, TRUNCATED_TO)) },
];
