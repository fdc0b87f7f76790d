import type { ProcessCluster } from "../support/process-cluster.ts";
import type { TestScheduler } from "../support/test-scheduler.ts";

let serial = 0;

/** Ids of tasks that were never used before in this process. */
export function newIds(kind: string, count: number): string[] {
  serial += 1;
  return Array.from({ length: count }, (_, i) => `${kind}-${serial}-${i + 1}`);
}

/** Starts witnesses that stay, and resolves with their ids once they run. */
export async function services(cluster: ProcessCluster, scheduler: TestScheduler, count: number, on?: string): Promise<string[]> {
  const ids = newIds("service", count);
  await scheduler.launch(ids.map((id) => cluster.witnesses.task(id)), on === undefined ? {} : { on });
  await scheduler.untilAll(ids, "TASK_RUNNING");
  await cluster.witnesses.started(ids);
  return ids;
}

/** Launches witnesses that end by themselves; resolves with their ids once each launch is durable. */
export async function jobs(cluster: ProcessCluster, scheduler: TestScheduler, count: number): Promise<string[]> {
  const ids = newIds("job", count);
  for (const id of ids) cluster.witnesses.end(id);
  await scheduler.launch(ids.map((id) => cluster.witnesses.task(id)));
  return ids;
}

/** Launches batches of jobs one after the other until `event` is over, and one more. Resolves with all ids. */
export async function launchThroughout(cluster: ProcessCluster, scheduler: TestScheduler, event: () => Promise<unknown>): Promise<string[]> {
  let over = false;
  const ids = await jobs(cluster, scheduler, 4);
  const happening = event().finally(() => (over = true));
  while (!over) ids.push(...(await jobs(cluster, scheduler, 4)));
  await happening;
  ids.push(...(await jobs(cluster, scheduler, 4)));
  return ids;
}

/** What is wrong with jobs that all should have run once and ended well (I6, I7, I8), once their ends are told. */
export async function flaws(cluster: ProcessCluster, scheduler: TestScheduler, ids: readonly string[]): Promise<string[]> {
  await scheduler.untilAll(ids, "TASK_FINISHED");
  const starts = ids.filter((id) => cluster.witnesses.starts(id).length !== 1).map((id) => `${id}: ${cluster.witnesses.starts(id).length} starts`);
  return [...starts, ...scheduler.disorder(), ...scheduler.failedCalls.map(String)];
}
