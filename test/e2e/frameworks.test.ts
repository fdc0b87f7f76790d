/** Frameworks that are taken over, come back, or never do. */
import test from "ava";
import { FrameworkFailedOverError, FrameworkRemovedError } from "../../src/sdk/index.ts";
import { eventually } from "../support/eventually.ts";
import { sharedCluster } from "./shared-cluster.ts";
import { services } from "./traffic.ts";

const shared = sharedCluster({ agents: 1, etcd: { members: 1 }, masterFlags: ["--resubscribe-window=1s", "--lost-by-master-grace=1s"] });

test.serial("a second process takes a framework over: the first is told, tasks and states are the second's (10.1, I20)", async (t) => {
  const cluster = shared();
  await using first = await cluster.scheduler();
  const running = await services(cluster, first, 2);
  await using second = await cluster.scheduler({ id: first.id });
  t.true((await first.ended) instanceof FrameworkFailedOverError);
  await second.session.reconcile();
  await second.untilAll(running, "TASK_RUNNING");
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  cluster.witnesses.end(running[0]!, 3);
  await second.until(running[0]!, "TASK_FAILED");
  t.deepEqual(second.failedCalls, []);
  await second.session.teardown();
  await cluster.witnesses.ended(running);
});

test.serial("a framework that is away for less than its timeout, across a failover, loses nothing (10.5, I20)", async (t) => {
  const cluster = shared();
  const first = await cluster.scheduler({ failoverTimeoutSeconds: 60 });
  const running = await services(cluster, first, 2);
  await first.close();
  cluster.witnesses.end(running[0]!);
  await cluster.witnesses.ended([running[0]!]);
  const leader = await cluster.leader();
  await cluster.kill(leader);
  await using second = await cluster.scheduler({ id: first.id });
  await second.until(running[0]!, "TASK_FINISHED");
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
  leader.start();
  await cluster.whole();
  await second.session.teardown();
});

test.serial("a framework away for longer than its timeout, across a failover, is removed: not early, not never (11.1, I20, I21)", async (t) => {
  const cluster = shared();
  const timeoutSeconds = 4;
  const scheduler = await cluster.scheduler({ failoverTimeoutSeconds: timeoutSeconds });
  const running = await services(cluster, scheduler, 2);
  const left = performance.now();
  await scheduler.close();
  // The loss must be durable before the leader goes, or it is the failover's (10.5).
  await eventually("the loss is durable", async () => {
    for await (const { key, json } of cluster.operator.registry({ kinds: ["f"] })) if (key.endsWith(scheduler.id)) return json.includes("disconnectedAt");
    return false;
  });
  const leader = await cluster.leader();
  await cluster.kill(leader);
  // The cluster clock stands still without a leader, and is written every 5 s.
  await cluster.witnesses.ended(running, 30_000);
  const away = (performance.now() - left) / 1_000;
  t.true(away >= timeoutSeconds, `ended after ${away} s`);
  t.true(away <= timeoutSeconds + 10, `ended after ${away} s`);
  const error = await t.throwsAsync(cluster.scheduler({ id: scheduler.id }));
  t.true(error instanceof FrameworkRemovedError, String(error));
  leader.start();
  await cluster.whole();
});
