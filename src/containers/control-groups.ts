import { readFileSync } from "node:fs";
import { access, mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunLimits } from "../ports/containers.ts";

/** One hierarchy of control groups: where our groups are, and the files that hold the limits. */
interface Hierarchy {
  readonly parent: string;
  limitFiles(limits: RunLimits): [file: string, value: number][];
}

/**
 * A control group for each run, of version 2 or 1, whichever the host has. Without one a task is only as tame as its
 * process group: what starts a session of its own escapes a kill.
 */
export class ControlGroups {
  readonly #hierarchies: readonly Hierarchy[];

  private constructor(hierarchies: readonly Hierarchy[]) {
    this.#hierarchies = hierarchies;
  }

  /** Groups will be made inside the group `name`. Undefined where this process may not make any. */
  static async open(name: string, root = "/sys/fs/cgroup"): Promise<ControlGroups | undefined> {
    try {
      return new ControlGroups((await isUnified(root)) ? [await openUnified(root, name)] : await openLegacy(root, name));
    } catch {
      return undefined;
    }
  }

  /** The directories of the run's group, one per hierarchy. Making it again keeps it. Rejects with a system error. */
  async create(launchId: string, limits: RunLimits): Promise<string[]> {
    return Promise.all(
      this.#hierarchies.map(async ({ parent, limitFiles }) => {
        const directory = join(parent, launchId);
        await mkdir(directory, { recursive: true });
        for (const [file, value] of limitFiles(limits)) await writeFile(join(directory, file), String(value));
        return directory;
      }),
    );
  }

  /** KILL to everything in the run's group. */
  kill(launchId: string): void {
    for (const { parent } of this.#hierarchies) {
      for (const pid of members(join(parent, launchId))) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It ended meanwhile.
        }
      }
    }
  }

  /** Rejects with EBUSY while anything runs in it. */
  async remove(launchId: string): Promise<void> {
    for (const { parent } of this.#hierarchies) {
      await rmdir(join(parent, launchId)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }
}

function members(directory: string): number[] {
  try {
    return readFileSync(join(directory, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

async function isUnified(root: string): Promise<boolean> {
  return access(join(root, "cgroup.controllers")).then(
    () => true,
    () => false,
  );
}

async function openUnified(root: string, name: string): Promise<Hierarchy> {
  const parent = join(root, name);
  await mkdir(parent, { recursive: true });
  for (const directory of [root, parent]) await writeFile(join(directory, "cgroup.subtree_control"), "+cpu +memory");
  return {
    parent,
    limitFiles: ({ cpus, memoryBytes }) => [
      ...(cpus === undefined ? [] : [["cpu.weight", Math.min(10_000, Math.max(1, Math.round(cpus * 100)))] as [string, number]]),
      ...(memoryBytes === undefined ? [] : [["memory.max", memoryBytes] as [string, number]]),
    ],
  };
}

async function openLegacy(root: string, name: string): Promise<Hierarchy[]> {
  const [cpu, memory] = [join(root, "cpu", name), join(root, "memory", name)];
  // A controller that is not mounted must not become a plain directory.
  for (const controller of ["cpu", "memory"]) await access(join(root, controller, "cgroup.procs"));
  for (const parent of [cpu, memory]) await mkdir(parent, { recursive: true });
  return [
    { parent: cpu, limitFiles: ({ cpus }) => (cpus === undefined ? [] : [["cpu.shares", Math.max(2, Math.round(cpus * 1024))]]) },
    { parent: memory, limitFiles: ({ memoryBytes }) => (memoryBytes === undefined ? [] : [["memory.limit_in_bytes", memoryBytes]]) },
  ];
}
