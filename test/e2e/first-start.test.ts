/** Clusters at their first start: before there is a store, and beside another cluster. */
import test, { type ExecutionContext } from "ava";
import { epochText } from "../../src/base/epoch.ts";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import type { Agent, Member } from "../support/process-cluster.ts";
import { ownCluster } from "./own-cluster.ts";
import { flaws, jobs, newIds, services } from "./traffic.ts";

async function ownStore(t: ExecutionContext): Promise<EtcdCluster> {
  const store = await EtcdCluster.start({ members: 1 });
  t.teardown(() => store[Symbol.asyncDispose]());
  return store;
}

test.serial("masters and agents started before there is a store say so, wait, and begin with it (2.14)", async (t) => {
  const store = await ownStore(t);
  await store.kill(0);
  const cluster = await ownCluster(t, { etcd: store, wait: false });
  await Promise.all(cluster.masters.map((master) => master.logged("the store does not answer; waiting for it")));
  const asked = cluster.cli("status", "--timeout=1s");
  t.is((await asked.exited).code, 2);
  t.regex(asked.stderr.items.join("\n"), /answers and knows no leader[^]*a majority of etcd members is up/);
  for (const { running, name } of [...cluster.masters, ...cluster.agents]) t.true(running, name);
  await store.restart(0);
  await cluster.whole();
  const [record] = await cluster.operator.leaderHistory();
  t.is(record!.cause, "bootstrap");
  await using scheduler = await cluster.scheduler();
  t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 4)), []);
});

test.serial("two clusters on one store, by their prefixes, with the same names, know nothing of each other (I26)", async (t) => {
  const etcd = await ownStore(t);
  const [red, blue] = [
    await ownCluster(t, { etcd, masters: 2, agents: 1, masterFlags: ["--etcd-prefix=red/"] }),
    await ownCluster(t, { etcd, masters: 2, agents: 1, masterFlags: ["--etcd-prefix=blue/"] }),
  ] as const;
  await using ofRed = await red.scheduler();
  await using ofBlue = await blue.scheduler({ id: ofRed.id });
  const [id] = newIds("same", 1) as [string];
  await Promise.all([
    ofRed.launch([red.witnesses.task(id)]).then(() => ofRed.until(id, "TASK_RUNNING")),
    ofBlue.launch([blue.witnesses.task(id)]).then(() => ofBlue.until(id, "TASK_RUNNING")),
  ]);
  await Promise.all([red.witnesses.started([id]), blue.witnesses.started([id])]);
  const [statusRed, statusBlue] = [await red.operator.status(), await blue.operator.status()];
  t.not(statusRed.clusterId, statusBlue.clusterId);
  for (const { masters, agentsIn, frameworksKnown } of [statusRed, statusBlue]) t.deepEqual([masters, agentsIn, frameworksKnown], [2, 1, 1]);

  // What happens to one does not concern the other.
  await red.kill(...red.masters);
  await ofBlue.kill(id);
  await ofBlue.until(id, "TASK_KILLED");
  t.deepEqual(await flaws(blue, ofBlue, await jobs(blue, ofBlue, 4)), []);
  t.is(epochText(blue.operator.leader!.epoch), epochText(statusBlue.epoch!));
  for (const master of red.masters) master.start();
  await red.whole();
  t.deepEqual(await red.witnesses.disturbed([id]), []);
  t.deepEqual(ofRed.states(id), ["TASK_RUNNING"]);
});

test.serial("an agent of one cluster does not serve another: it says so, and its tasks go on (12.2, 13.2, I9)", async (t) => {
  const etcd = await ownStore(t);
  const [red, blue] = [
    await ownCluster(t, { etcd, masters: 1, agents: 1, masterFlags: ["--etcd-prefix=red/"] }),
    await ownCluster(t, { etcd, masters: 1, agents: 0, masterFlags: ["--etcd-prefix=blue/"] }),
  ] as const;
  const [agent] = red.agents as readonly [Agent];
  const [master] = blue.masters as readonly [Member];
  await using scheduler = await red.scheduler();
  const running = await services(red, scheduler, 2);
  await red.kill(agent);
  const strayed = agent.stderr.items.length;
  agent.start([`--masters=${master.address}`]);
  const { msg } = await agent.logged(/a master of cluster .* leads; this agent is of/, strayed);
  t.true(msg.includes((await blue.operator.status()).clusterId));
  t.deepEqual(await blue.operator.agents(), []);
  t.deepEqual(await red.witnesses.disturbed(running), []);
  await red.kill(agent);
  agent.start();
  await red.whole();
  t.deepEqual(await red.witnesses.disturbed(running), []);
  t.deepEqual(scheduler.disorder(), []);
});
