/** What operators do with etcd's data: backs it up, restores it, loses it. */
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { eventually } from "./eventually.ts";

/**
 * A copy of all members' data, taken while they are frozen. It needs nothing but etcd, which starts from it as after a
 * crash at that moment.
 */
export async function saveData(etcd: EtcdCluster, directory: string): Promise<void> {
  await Promise.all(etcd.members.map((_, index) => etcd.pause(index)));
  try {
    for (const { name, pid } of etcd.members) {
      await eventually(`${name} frozen`, () => isFrozen(pid!));
      await cp(join(etcd.directory, name), join(directory, name), { recursive: true });
    }
  } finally {
    await Promise.all(etcd.members.map((_, index) => etcd.resume(index)));
  }
}

/** Kills all members and starts them again with what was saved. */
export async function restoreData(etcd: EtcdCluster, directory: string): Promise<void> {
  await replaceData(etcd, (name, dataDir) => cp(join(directory, name), dataDir, { recursive: true }));
}

/** Kills all members and starts them again with nothing. */
export async function loseData(etcd: EtcdCluster): Promise<void> {
  await replaceData(etcd, async () => {});
}

async function replaceData(etcd: EtcdCluster, fill: (name: string, dataDir: string) => Promise<void>): Promise<void> {
  await Promise.all(etcd.members.map((_, index) => etcd.kill(index)));
  for (const { name } of etcd.members) {
    const dataDir = join(etcd.directory, name);
    await rm(dataDir, { recursive: true, force: true });
    await fill(name, dataDir);
  }
  await Promise.all(etcd.members.map((_, index) => etcd.restart(index)));
}

/** A signal is sent at once, and obeyed by each thread when it runs next. */
async function isFrozen(pid: number): Promise<boolean> {
  const directory = `/proc/${pid}/task`;
  const stats = await Promise.all((await readdir(directory)).map((thread) => readFile(join(directory, thread, "stat"), "utf8")));
  return stats.every((stat) => /\) T /.test(stat));
}
