import { readFileSync } from "node:fs";
import { access, mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunLimits } from "../ports/containers.ts";

/** One hierarchy of control groups: where our groups are, and the files that hold the limits. */
interface Hierarchy {
  readonly parent: string;
  limitFiles(limits: RunLimits): [file: string, value: number][];
}

/** Those who join within this time of one another wait once. */
const ANTICIPATED_MS = 20;

/**
 * A control group for each run, of version 2 or 1, whichever the host has. Without one a task is only as tame as its
 * process group: what starts a session of its own escapes a kill.
 */
export class ControlGroups {
  readonly #hierarchies: readonly Hierarchy[];
  /** The group this very process is in; undefined where that is not to be seen. */
  readonly #own: string | undefined;
  #anticipatedAt = -Infinity;

  private constructor(hierarchies: readonly Hierarchy[], own: string | undefined) {
    this.#hierarchies = hierarchies;
    this.#own = own;
  }

  /** Groups will be made inside the group `name`. Undefined where this process may not make any. */
  static async open(name: string, root = "/sys/fs/cgroup"): Promise<ControlGroups | undefined> {
    try {
      const unified = await isUnified(root);
      const hierarchies = unified ? [await openUnified(root, name)] : await openLegacy(root, name);
      return new ControlGroups(hierarchies, ownGroup(root, unified));
    } catch {
      return undefined;
    }
  }

  /**
   * A process is about to join a group. The kernel lets it do so only once all processors have passed a quiet moment,
   * some 10 ms later, and for about as long lets others follow at once. Asking early, by joining the group we are in,
   * lets that pass while the process is made. Without effect on anything but time.
   */
  anticipate(): void {
    const last = this.#anticipatedAt;
    this.#anticipatedAt = performance.now();
    // When many are on their way, each is ahead of the next.
    if (this.#own === undefined || this.#anticipatedAt - last < ANTICIPATED_MS) return;
    writeFile(join(this.#own, "cgroup.procs"), String(process.pid)).catch(() => {});
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

function ownGroup(root: string, unified: boolean): string | undefined {
  const lines = readFileSync("/proc/self/cgroup", "latin1").split("\n");
  const path = lines.find((line) => line.split(":")[1] === (unified ? "" : "cpu"))?.split(":")[2];
  const directory = join(root, unified ? "" : "cpu", path ?? "");
  // What is mounted need not begin where that path does.
  return path !== undefined && members(directory).includes(process.pid) ? directory : undefined;
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
