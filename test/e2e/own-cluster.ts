/** A cluster for one test. */
import type { ExecutionContext } from "ava";
import { ProcessCluster, type ProcessClusterOptions } from "../support/process-cluster.ts";

/** It ends with the test. What the processes logged is shown when that fails. */
export async function ownCluster(t: ExecutionContext, options: ProcessClusterOptions = {}): Promise<ProcessCluster> {
  t.timeout(110_000);
  const cluster = await ProcessCluster.start(options);
  t.teardown(async () => {
    if (!t.passed) console.error(`--- ${t.title}\n${await cluster.story()}`);
    await cluster[Symbol.asyncDispose]();
  });
  return cluster;
}
