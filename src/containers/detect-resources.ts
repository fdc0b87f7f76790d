import { availableParallelism, totalmem } from "node:os";
import { statfs } from "node:fs/promises";

/** What a host has to offer, in the units of Mesos. Nobody detects GPUs: an operator declares them. */
export interface HostResources {
  readonly cpus: number;
  /** Mebibytes. */
  readonly mem: number;
  /** Mebibytes. */
  readonly disk: number;
  readonly gpus: number;
}

const GIB = 1024;

/**
 * Resources to offer where the operator declares none. As Mesos does, keeps back 1 GiB of memory and 5 GiB of the disk
 * that holds `workDirectory`, or half of it on a small host. Rejects with a system error if there is no such directory.
 */
export async function detectResources(workDirectory: string): Promise<HostResources> {
  const { bsize, blocks } = await statfs(workDirectory);
  const limit = process.constrainedMemory();
  const total = totalmem();
  // Without a limit some kernels report one larger than the host.
  const memory = limit > 0 && limit < total ? limit : total;
  return offerable({ cpus: availableParallelism(), memoryBytes: memory, diskBytes: bsize * blocks });
}

export function offerable(host: { cpus: number; memoryBytes: number; diskBytes: number }): HostResources {
  return { cpus: host.cpus, mem: keepBack(host.memoryBytes, 1 * GIB), disk: keepBack(host.diskBytes, 5 * GIB), gpus: 0 };
}

/** Whole mebibytes left of `bytes`. */
function keepBack(bytes: number, reserve: number): number {
  const size = Math.floor(bytes / 1024 / 1024);
  return size >= 2 * reserve ? size - reserve : Math.floor(size / 2);
}
