/** What an administrator may do to etcd, or forget to. */
import type { Chance } from "../../../sim/chance.ts";
import type { EtcdMember } from "../../cluster/etcd.ts";
import { between } from "../../cluster/firewall.ts";
import { until } from "../comebacks.ts";
import { etcdLeader, type FaultKind, standby, type Struck, type World } from "../fault.ts";

const BALLAST = "ballast/";
const ONE_PUT_MS = 10_000;
const ADMIN_MS = 30_000;
const SIZES = [512 * 1024, 32 * 1024, 1024];
const FULL = /database space exceeded/;

/** All revisions up to the present are given up: who watches from before has to load anew. */
async function compact(world: World): Promise<Struck> {
  const member = await etcdLeader(world);
  await member.post("kv/compaction", { revision: String(world.watcher.revision) }, ADMIN_MS);
  return { targets: names(world), undo: async () => {} };
}

/** While a standby is cut off: what it would go on from is gone when it is back, and it has to load anew. */
async function compactPastStandby(world: World, chance: Chance): Promise<Struck> {
  const { node, daemon } = standby(world, chance);
  const members = world.cluster.etcd.members.map((each) => each.node);
  const mend = await world.cluster.network.firewall!.cut(between(node, members));
  const undo = async (): Promise<void> => {
    await compact(world).finally(mend);
  };
  return { targets: [daemon.name, ...names(world)], undo };
}

/** Members stand still while they do it, one after the other. One that something else kills meanwhile does not. */
async function defragment(world: World): Promise<Struck> {
  const { members } = world.cluster.etcd;
  const working = (async () => {
    const problems: unknown[] = [];
    for (const member of members) await member.post("maintenance/defragment", {}, ADMIN_MS).catch((error: unknown) => problems.push(error));
    if (problems.length === members.length) throw new AggregateError(problems, `no member was defragmented: ${problems.map(String).join("; ")}`);
  })();
  working.catch(() => {}); // told when it is undone
  return { targets: names(world), undo: () => working };
}

async function fill(world: World): Promise<Struck> {
  const member = await etcdLeader(world);
  for (const size of SIZES) {
    for (let i = 0; await putBallast(member, `${BALLAST}${size}-${i}`, size); i += 1);
  }
  world.mark("store is full");
  return { targets: names(world), undo: () => makeRoom(world) };
}

async function putBallast(member: EtcdMember, key: string, size: number): Promise<boolean> {
  try {
    await member.post("kv/put", { key: base64(key), value: Buffer.alloc(size, key).toString("base64") }, ONE_PUT_MS);
    return true;
  } catch (error) {
    if (FULL.test(String(error))) return false;
    throw error;
  }
}

async function makeRoom(world: World): Promise<void> {
  const member = await etcdLeader(world);
  const deleted = (await member.post("kv/deleterange", { key: base64(BALLAST), range_end: base64("ballast0") }, ADMIN_MS)) as { header: { revision: string } };
  const revision = Number(deleted.header.revision);
  // The watcher must have seen all that is given up.
  if (!(await until(() => world.watcher.revision >= revision))) throw new Error(`the watcher is at revision ${world.watcher.revision} of ${revision}`);
  await member.post("kv/compaction", { revision: String(revision), physical: true }, ADMIN_MS);
  for (const each of world.cluster.etcd.members) await each.post("maintenance/defragment", {}, ADMIN_MS);
  const { alarms = [] } = (await member.post("maintenance/alarm", { action: "GET" }, ADMIN_MS)) as { alarms?: { memberID: string; alarm: string }[] };
  for (const { memberID, alarm } of alarms) await member.post("maintenance/alarm", { action: "DEACTIVATE", memberID, alarm }, ADMIN_MS);
}

function names({ cluster }: World): string[] {
  return cluster.etcd.daemons.map(({ name }) => name);
}

function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

export const storeFaults: readonly FaultKind[] = [
  { name: "compact-etcd", about: "etcd forgets all revisions before the present", needs: [], lastsMs: [1_000, 2_000], answersAfter: "strike", strike: compact },
  { name: "compact-past-standby", about: "etcd forgets what a standby that is cut off has not seen", needs: ["firewall"], lastsMs: [6_000, 12_000], answersAfter: "strike", strike: compactPastStandby },
  { name: "defragment-etcd", about: "etcd's members are defragmented, one after the other", needs: [], lastsMs: [0, 0], answersAfter: "undo", strike: defragment },
  { name: "fill-etcd", about: "etcd is out of space, and then is not", needs: [], lastsMs: [6_000, 12_000], answersAfter: "undo", alone: true, strike: fill },
];
