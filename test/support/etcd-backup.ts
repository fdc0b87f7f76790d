/** What an administrator does with etcd's data: backs it up, restores it, loses it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findEtcd } from "../../src/dev/etcd-binary.ts";
import type { EtcdCluster } from "../../src/dev/etcd-cluster.ts";

const run = promisify(execFile);

export class EtcdBackup {
  readonly #control: string;
  readonly #offline: string;

  private constructor(control: string, offline: string) {
    this.#control = control;
    this.#offline = offline;
  }

  /** Undefined where etcd came without its tools. */
  static async find(): Promise<EtcdBackup | undefined> {
    const directory = dirname((await findEtcd()).path);
    const [control, offline] = [join(directory, "etcdctl"), join(directory, "etcdutl")];
    if (!existsSync(control)) return undefined;
    // From 3.5 on another program restores.
    return new EtcdBackup(control, existsSync(offline) ? offline : control);
  }

  async save(etcd: EtcdCluster, file: string): Promise<void> {
    await run(this.#control, ["snapshot", "save", file, `--endpoints=${etcd.endpoints[0]}`], { env: environment() });
  }

  /** Kills all members and starts them again with what the file holds. */
  async restore(etcd: EtcdCluster, file: string): Promise<void> {
    const urls = await peerUrls(etcd);
    const all = urls.map((url, i) => `${etcd.members[i]!.name}=${url}`).join(",");
    await replaceData(etcd, async (name, dataDir, index) => {
      const own = [`--name=${name}`, `--data-dir=${dataDir}`, `--initial-advertise-peer-urls=${urls[index]}`, `--initial-cluster=${all}`];
      await run(this.#offline, ["snapshot", "restore", file, ...own], { env: environment() });
    });
  }
}

/** Kills all members and starts them again with nothing. */
export async function loseData(etcd: EtcdCluster): Promise<void> {
  await replaceData(etcd, async () => {});
}

async function replaceData(etcd: EtcdCluster, fill: (name: string, dataDir: string, index: number) => Promise<void>): Promise<void> {
  await Promise.all(etcd.members.map((_, index) => etcd.kill(index)));
  for (const [index, { name }] of etcd.members.entries()) {
    const dataDir = join(etcd.directory, name);
    await rm(dataDir, { recursive: true, force: true });
    await fill(name, dataDir, index);
  }
  await Promise.all(etcd.members.map((_, index) => etcd.restart(index)));
}

async function peerUrls(etcd: EtcdCluster): Promise<string[]> {
  const ports = JSON.parse(await readFile(join(etcd.directory, "ports.json"), "utf8")) as { peer: number }[];
  return ports.map(({ peer }) => `http://127.0.0.1:${peer}`);
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, ETCDCTL_API: "3" };
}
