/** Disks that are full, read-only, slow, damaged, or without power; and processes that die in the middle of a write. */
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chance } from "../../../sim/chance.ts";
import type { AgentHost } from "../../cluster/agent-host.ts";
import type { Daemon } from "../../cluster/daemon.ts";
import { inject } from "../../host/injection.ts";
import { startAgent, startEtcd, startMaster } from "../comebacks.ts";
import { etcdFollower, etcdLeader, type FaultKind, leader, NobodyToStrike, someAgent, type Struck, type World } from "../fault.ts";

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
  host.disk!.fill();
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

function withDisk({ cluster }: World, chance: Chance): AgentHost {
  return chance.pick(cluster.agents.filter(({ disk }) => disk !== undefined));
}

/** The journal cannot be written; the agent's epoch can. */
async function readOnly(world: World, chance: Chance): Promise<Struck> {
  const host = someAgent(world, chance);
  const { journal, newJournal } = journals(host);
  const detach = await inject({ pid: pidOf(host.daemon), calls: ["openat", "write", "pwrite64", "rename"], tamper: "error=EROFS", paths: [journal, newJournal] }, world.cluster.belongings);
  return { targets: [host.daemon.name], undo: detach };
}

async function slowAgent(world: World, chance: Chance): Promise<Struck> {
  return slowSync(world, someAgent(world, chance).daemon, SLOW_SYNC);
}

async function slowSync({ cluster }: World, daemon: Daemon, microseconds: number): Promise<Struck> {
  const detach = await inject({ pid: pidOf(daemon), calls: SYNC_CALLS, tamper: `delay_enter=${microseconds}` }, cluster.belongings);
  return { targets: [daemon.name], undo: detach };
}

/** It dies on the way into its n-th write to the journal, and is started again. */
async function killInWrite(world: World, chance: Chance): Promise<Struck> {
  const host = someAgent(world, chance);
  const { journal, newJournal } = journals(host);
  const write = chance.integer(1, 6);
  host.daemon.hold();
  const detach = await inject({ pid: pidOf(host.daemon), calls: ["pwrite64", "write", "rename"], tamper: `signal=SIGKILL:when=${write}`, paths: [journal, newJournal] }, world.cluster.belongings);
  return {
    targets: [host.daemon.name],
    undo: async () => {
      await detach();
      await host.daemon.end("SIGKILL");
      await startAgent(world, host);
    },
  };
}

/** The leader dies on the way into one of its next words to anybody. */
async function killLeaderInWrite(world: World, chance: Chance): Promise<Struck> {
  const master = leader(world);
  master.daemon.hold();
  const detach = await inject({ pid: pidOf(master.daemon), calls: ["write", "writev"], tamper: `signal=SIGKILL:when=${chance.integer(1, 60)}` }, world.cluster.belongings);
  return {
    targets: [master.daemon.name],
    undo: async () => {
      await detach();
      await master.daemon.end("SIGKILL");
      await startMaster(world, master);
    },
  };
}

async function killEtcdInSync(world: World, chance: Chance): Promise<Struck> {
  const member = await etcdFollower(world, chance);
  member.daemon.hold();
  const detach = await inject({ pid: pidOf(member.daemon), calls: ["fdatasync"], tamper: `signal=SIGKILL:when=${chance.integer(1, 30)}` }, world.cluster.belongings);
  return {
    targets: [member.daemon.name],
    undo: async () => {
      await detach();
      await member.daemon.end("SIGKILL");
      await startEtcd(member);
    },
  };
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
  { name: "kill-leader-in-write", about: "the leader dies in the middle of what it says", needs: ["injection"], lastsMs: WHILE, answersAfter: "undo", strike: killLeaderInWrite },
  { name: "kill-etcd-in-sync", about: "an etcd member dies in the middle of a sync", needs: ["injection"], lastsMs: WHILE, answersAfter: "strike", strike: killEtcdInSync },
  { name: "slow-etcd-disk", about: `each sync of the leading etcd member takes ${SLOW_SYNC / 1_000} ms more`, needs: ["injection"], lastsMs: WHILE, answersAfter: "undo", strike: async (world) => slowSync(world, (await etcdLeader(world)).daemon, SLOW_SYNC) },
  { name: "stall-etcd-disk", about: `a sync of the leading etcd member takes ${STALLED_SYNC / 1e6} s`, needs: ["injection"], lastsMs: [12_000, 14_000], answersAfter: "undo", strike: async (world) => slowSync(world, (await etcdLeader(world)).daemon, STALLED_SYNC) },
  { name: "damage-journal", about: "a byte of an agent's journal is wrong: it must refuse to start, and its tasks go on", needs: [], lastsMs: [4_000, 8_000], answersAfter: "strike", strike: (world, chance) => damageJournal(world, chance, flipByte) },
  { name: "truncate-journal", about: "an agent's journal is cut off: it must refuse to start, and its tasks go on", needs: [], lastsMs: [4_000, 8_000], answersAfter: "strike", strike: (world, chance) => damageJournal(world, chance, (path) => truncateSync(path, TRUNCATED_TO)) },
];
