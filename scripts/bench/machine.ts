/** The machine the numbers belong to. */
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { findEtcd } from "../../src/dev/etcd-binary.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_mb: number;
  readonly os: string;
  readonly node: string;
  readonly etcd: string;
  /** Processes that wanted to run, averaged over the last minute: what else the machine was doing. */
  readonly load_before: number;
}

export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memory_mb: Math.round(totalmem() / 2 ** 20),
    os: `${type()} ${release()}`,
    node: process.versions.node,
    etcd: (await findEtcd()).version,
    load_before: Math.round(loadavg()[0]! * 100) / 100,
  };
}
