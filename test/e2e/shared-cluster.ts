/** One cluster for the tests of a file, which then run one after the other. */
import test from "ava";
import { ProcessCluster, type ProcessClusterOptions } from "../support/process-cluster.ts";

/** To be called once in a file, before its tests. What the processes logged is shown when a test fails. */
export function sharedCluster(options: ProcessClusterOptions = {}): () => ProcessCluster {
  let cluster: ProcessCluster | undefined;
  test.before("a cluster", async (t) => {
    t.timeout(60_000);
    cluster = await ProcessCluster.start(options);
  });
  // So that a test that hangs tells its story, too.
  test.beforeEach((t) => t.timeout(90_000));
  test.afterEach.always(async (t) => {
    if (!t.passed && cluster !== undefined) console.error(`--- ${t.title}\n${await cluster.story()}`);
  });
  test.after.always("its end", async () => cluster?.[Symbol.asyncDispose]());
  return () => cluster!;
}
