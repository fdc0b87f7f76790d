/** A control group of the harness's own, of either version, that bounds the memory of what is started in it. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Belongings } from "../belongings.ts";

const ROOT = "/sys/fs/cgroup";
const ENTER = 'echo "$$" > "$0/cgroup.procs" && exec "$@"';

export interface MemoryGroup {
  readonly path: string;
  /** What goes before a command line that is to run in it. */
  readonly enter: readonly string[];
}

/** Rejects with a system error where groups cannot be made. */
export async function makeMemoryGroup(name: string, mebibytes: number, belongings: Belongings): Promise<MemoryGroup> {
  const unified = existsSync(join(ROOT, "cgroup.controllers"));
  const path = unified ? join(ROOT, name) : join(ROOT, "memory", name);
  if (!unified && !existsSync(join(ROOT, "memory/cgroup.procs"))) throw new Error("no memory controller is mounted");
  belongings.add({ kind: "controlGroup", path });
  mkdirSync(path, { recursive: true });
  const bytes = String(mebibytes * 2 ** 20);
  if (unified) {
    writeFileSync(join(ROOT, "cgroup.subtree_control"), "+memory");
    writeFileSync(join(path, "memory.max"), bytes);
  } else writeFileSync(join(path, "memory.limit_in_bytes"), bytes);
  return { path, enter: ["/bin/sh", "-c", ENTER, path] };
}
