/** The store runs out of space, and gets it back. */
import test from "ava";
import { eventually } from "../support/eventually.ts";
import { EtcdGateway } from "../support/etcd-gateway.ts";
import { sharedCluster } from "./shared-cluster.ts";
import { flaws, jobs, services } from "./traffic.ts";

const shared = sharedCluster({ etcd: { quotaBackendBytes: 16 * 1024 * 1024 } });

test.serial("a full store makes the cluster read-only, not headless: tasks go on, launches resume with the space (3.5, 2.13, I9)", async (t) => {
  const cluster = shared();
  const gateway = new EtcdGateway(cluster.etcd);
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 3);
  const [ending] = running as [string];
  await gateway.fill("elsewhere/");
  const launching = jobs(cluster, scheduler, 4);
  cluster.witnesses.end(ending, 6);
  const before = cluster.operator.leader!;
  await eventually("a warning", async () => (await cluster.operator.status()).warnings.some((warning) => /space/.test(warning)));
  t.is(cluster.operator.leader!.name, before.name);
  t.is((await cluster.operator.tasks()).tasks.length, running.length);

  // Nobody can write, but somebody can lead (2.4).
  const leader = await cluster.leader();
  await cluster.kill(leader);
  const after = await cluster.operator.nextLeader(before.epoch);
  t.not(after.name, leader.name);
  t.is((await cluster.operator.tasks()).tasks.length, running.length);
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);

  await gateway.makeRoom("elsewhere/");
  t.deepEqual(await flaws(cluster, scheduler, await launching), []);
  await scheduler.until(ending, "TASK_FAILED");
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
  t.deepEqual((await cluster.operator.status()).warnings, []);
  leader.start();
  await cluster.whole();
  await scheduler.session.teardown();
});
