/** The store's members are killed and frozen under a running cluster. */
import test from "ava";
import { compareEpochs } from "../../src/base/epoch.ts";
import { eventually } from "../support/eventually.ts";
import type { ProcessCluster } from "../support/process-cluster.ts";
import { sharedCluster } from "./shared-cluster.ts";
import { flaws, jobs, launchThroughout, services } from "./traffic.ts";

const shared = sharedCluster();

async function etcdLeader(cluster: ProcessCluster): Promise<number> {
  return eventually("an etcd leader", () => cluster.etcd.leader());
}

test.serial("an etcd follower is killed: launches go on under the same leader (I28)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const before = await cluster.leader();
  const victim = ((await etcdLeader(cluster)) + 1) % 3;
  const ids = await launchThroughout(cluster, scheduler, () => cluster.etcd.kill(victim));
  t.deepEqual(await flaws(cluster, scheduler, ids), []);
  t.is((await cluster.leader()).name, before.name);
  await cluster.etcd.restart(victim);
  await scheduler.session.teardown();
});

test.serial("the etcd leader and the leading master are killed together: tasks do not notice, launches go on (I6, I9, 3.4)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 3);
  const [master, member] = [await cluster.leader(), await etcdLeader(cluster)];
  const ids = await launchThroughout(cluster, scheduler, async () => {
    await Promise.all([cluster.kill(master), cluster.etcd.kill(member)]);
    await cluster.leader();
  });
  t.deepEqual(await flaws(cluster, scheduler, ids), []);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  master.start();
  await cluster.etcd.restart(member);
  await cluster.whole();
  await scheduler.session.teardown();
});

test.serial("without a quorum of etcd nothing is decided and nothing ends; with it, what was asked is done (I9, 3.6, 5.5)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 3);
  const [ending] = running as [string];
  await Promise.all([cluster.etcd.kill(0), cluster.etcd.kill(1)]);
  const launching = jobs(cluster, scheduler, 6);
  let launched = false;
  void launching.then(() => (launched = true));
  // Longer than the lease: leadership is over, by the leader's own clock.
  const logs = cluster.masters.map((master) => master.logged("leadership ended"));
  await Promise.race(logs);
  t.false(launched);
  cluster.witnesses.end(ending, 4);
  await cluster.witnesses.ended([ending]);
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
  await Promise.all([cluster.etcd.restart(0), cluster.etcd.restart(1)]);
  t.deepEqual(await flaws(cluster, scheduler, await launching), []);
  await scheduler.until(ending, "TASK_FAILED");
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
  await cluster.whole();
  await scheduler.session.teardown();
});

test.serial("an etcd member that is frozen, even the leader, delays at most (3.4, I28)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 3);
  for (const which of ["follower", "leader"]) {
    const leader = await etcdLeader(cluster);
    const member = which === "leader" ? leader : (leader + 1) % 3;
    await cluster.etcd.pause(member);
    t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 6)), [], which);
    await cluster.etcd.resume(member);
    t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 6)), [], which);
  }
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  await scheduler.session.teardown();
});

test.serial("all of etcd and all masters are killed and come back: epochs grow, tasks notice nothing (I1, I6, I9)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 3);
  const before = cluster.operator.leader!;
  await Promise.all([cluster.kill(...cluster.masters), ...[0, 1, 2].map((index) => cluster.etcd.kill(index))]);
  const launching = jobs(cluster, scheduler, 6);
  // Masters that start first wait for the store.
  for (const master of cluster.masters) master.start();
  await Promise.all(cluster.masters.map((master) => master.logged(/the store does not answer/)));
  await Promise.all([0, 1, 2].map((index) => cluster.etcd.restart(index)));
  t.deepEqual(await flaws(cluster, scheduler, await launching), []);
  t.true(compareEpochs(cluster.operator.leader!.epoch, before.epoch) > 0);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  await cluster.whole();
  await scheduler.session.teardown();
});
