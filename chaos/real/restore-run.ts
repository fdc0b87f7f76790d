/** The store is lost, and comes back as it was some time ago: what happened since is unknown to it, and no task may suffer. */
import { execFile } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Chance } from "../sim/chance.ts";
import { IMPATIENT } from "./expectations.ts";
import { startEtcd, startMaster, until } from "./nemesis/comebacks.ts";
import type { FaultKind, Struck, World } from "./nemesis/fault.ts";
import { perform, type Performance, PLAIN_HOSTS, USUAL_RESOURCES } from "./performance.ts";
import type { RestoreOrder } from "./orders.ts";

const PACES = { quietMs: 8_000, settleMs: 25_000, restMs: 5_000 } as const;
const AFTERWARDS_MS = 15_000;
/** Leases of masters that are gone run out meanwhile. */
const REFUSED_MS = 60_000;
const AGAIN_MS = 500;

/** Resolves with the exit code. */
export async function restoreRun(order: RestoreOrder, performance: Performance): Promise<number> {
  const backup = join(performance.belongings.directory, "backup");
  const none = { needs: [], lastsMs: [0, 0], answersAfter: "undo" } as const;
  const save: FaultKind = { ...none, name: "save-backup", about: "etcd stands still while its data is copied", strike: (world) => saveData(world, backup) };
  const restore: FaultKind = { ...none, name: "restore-backup", about: "all masters and etcd are lost, and etcd is restored from a backup", strike: (world) => setBack(world, backup) };
  return perform(performance, {
    order,
    kinds: [save, restore],
    settings: IMPATIENT,
    paces: PACES,
    workload: "mixed",
    demanded: [save.name, restore.name],
    agentFlags: [USUAL_RESOURCES],
    ...PLAIN_HOSTS,
    play: {
      seed: order.seed,
      wants: { services: 20, jobs: 4, jobBeats: [1, 30], killEveryMs: 3_000, reconcileEveryMs: 4_000, forgetsAck: 0 },
      guests: false,
      failoverTimeoutSeconds: 3_600,
    },
    async chaos(nemesis, answersAgain) {
      const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal: performance.signal }).catch(() => {});
      const play = (kind: FaultKind): Promise<void> => nemesis.play({ number: 1, faults: [{ kind, afterMs: 0, forMs: 0, chance: new Chance(order.seed, kind.name) }], pauseMs: 0 });
      await play(save);
      await pause(order.lostMs);
      await play(restore);
      await answersAgain();
      await pause(AFTERWARDS_MS);
    },
  });
}

async function saveData({ cluster }: World, directory: string): Promise<Struck> {
  const { members } = cluster.etcd;
  for (const { daemon } of members) daemon.freeze();
  try {
    await until(() => members.every(({ daemon }) => daemon.stopped));
    for (const { node, dataDirectory } of members) await cp(dataDirectory, join(directory, node), { recursive: true });
  } finally {
    for (const { daemon } of members) daemon.resume();
  }
  return { targets: members.map(({ daemon }) => daemon.name), undo: async () => {} };
}

async function setBack(world: World, backup: string): Promise<Struck> {
  const { cluster, watcher } = world;
  const { etcd, masters } = cluster;
  const daemons = [...masters, ...etcd.members].map(({ daemon }) => daemon);
  await watcher.pause();
  await Promise.all(daemons.map((daemon) => daemon.end("SIGKILL")));
  for (const { node, dataDirectory } of etcd.members) {
    await rm(dataDirectory, { recursive: true });
    await cp(join(backup, node), dataDirectory, { recursive: true });
  }
  const undo = async (): Promise<void> => {
    await Promise.all(etcd.members.map(startEtcd));
    watcher.setBack(await etcd.revision());
    watcher.start();
    await sayRestored(world);
    await Promise.all(masters.map((master) => startMaster(world, master)));
  };
  return { targets: daemons.map(({ name }) => name), undo };
}

/** As an operator would: `mesarch registry restore`, until no key of a master that is gone is left. */
async function sayRestored({ cluster, mark }: World): Promise<void> {
  const [program, ...args] = cluster.cli("registry", "restore", "--yes", `--etcd-endpoints=${cluster.etcd.endpoints.join(",")}`) as [string, ...string[]];
  let problem: unknown;
  const done = await until(async () => {
    try {
      await promisify(execFile)(program, args);
      return true;
    } catch (error) {
      problem = error;
      await delay(AGAIN_MS);
      return false;
    }
  }, REFUSED_MS);
  if (!done) throw problem;
  mark("registry restored");
}
