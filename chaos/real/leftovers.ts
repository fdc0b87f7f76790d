/** What is still there after everything was torn down, and should not be (I13). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "./cluster/cluster.ts";
import { tasksIn } from "./host/processes.ts";

const LOOK_MS = 200;
/** Where agents make their groups, in either version of control groups. */
const GROUPS = ["/sys/fs/cgroup/mesarch", "/sys/fs/cgroup/cpu/mesarch", "/sys/fs/cgroup/memory/mesarch"];

/** Waits for it to go, but not for long. */
export async function leftoversOf(cluster: Cluster, timeoutMs: number): Promise<string[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = look(cluster);
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(LOOK_MS);
  }
}

function look({ agents, witnesses }: Cluster): string[] {
  const processes = agents.flatMap(({ node, workDirectory }) => tasksIn(workDirectory).map(({ pid }) => `process ${pid} of ${node}`));
  const launches = launchesOf(witnesses);
  const groups = GROUPS.flatMap((root) => (existsSync(root) ? readdirSync(root).filter((name) => launches.has(name)).map((name) => `control group ${join(root, name)}`) : []));
  return [...processes, ...groups];
}

/** Launches of this run: other agents of the machine may use the same groups. */
function launchesOf(witnesses: string): ReadonlySet<string> {
  const starts = readdirSync(witnesses).map((task) => readFileSync(join(witnesses, task), "utf8").split("\n")[0]!.split(" "));
  return new Set(starts.flatMap((words) => (words[0] === "start" ? (words[5] ?? []) : [])));
}
