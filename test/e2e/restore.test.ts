/** The store comes back as it was some time ago, or empty, or written by a newer version. */
import { join } from "node:path";
import test from "ava";
import { compareEpochs } from "../../src/base/epoch.ts";
import { exitStatus, type Status } from "../../src/sdk/index.ts";
import { MetaRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { loseData, restoreData, saveData } from "../support/etcd-backup.ts";
import { EtcdGateway } from "../support/etcd-gateway.ts";
import { eventually } from "../support/eventually.ts";
import type { Exited } from "../support/mesarch-process.ts";
import type { Agent, ProcessCluster } from "../support/process-cluster.ts";
import { ownCluster } from "./own-cluster.ts";
import { flaws, jobs, newIds, services } from "./traffic.ts";

interface Said extends Exited {
  readonly text: string;
}

async function restoreRegistry(cluster: ProcessCluster, ...args: string[]): Promise<Said> {
  const command = cluster.cli("registry", "restore", `--etcd-endpoints=${cluster.etcd.endpoints.join(",")}`, ...args);
  const exited = await command.exited;
  return { ...exited, text: `${command.text}${command.stderr.items.join("\n")}` };
}

/** Once the leases of the masters that were are over. */
async function restored(cluster: ProcessCluster, ...args: string[]): Promise<void> {
  await eventually("registry restore", async () => (await restoreRegistry(cluster, "--yes", ...args)).code === 0);
}

/** How the masters of a cluster explain that they went. */
async function lastWords(cluster: ProcessCluster): Promise<(Said & { readonly name: string })[]> {
  return Promise.all(
    cluster.masters.map(async (master) => ({ ...(await master.exited), name: master.name, text: master.stderr.items.join("\n") })),
  );
}

async function restartMasters(cluster: ProcessCluster): Promise<void> {
  await cluster.kill(...cluster.masters);
  for (const master of cluster.masters) master.start();
  await cluster.whole();
}

async function taskIds(cluster: ProcessCluster): Promise<string[]> {
  const { tasks } = await cluster.operator.tasks();
  return tasks.map(({ record }) => record!.info!.taskId!.value!).sort();
}

/** Resolves when these tasks, and no others, are live. */
async function untilLive(cluster: ProcessCluster, ids: readonly string[]): Promise<void> {
  const wanted = ids.toSorted().join(" ");
  await eventually(`only ${wanted}`, async () => (await taskIds(cluster)).join(" ") === wanted);
}

test.serial("a store set back under running masters: they go and name the remedy; after it nothing is lost, killed or repeated (3.11, 13.2, 9.3, 6.2, I8, I9)", async (t) => {
  const cluster = await ownCluster(t, { etcd: { members: 1 } });
  const [agent] = cluster.agents as readonly [Agent];
  const backup = join(cluster.directory, "backup");
  await using older = await cluster.scheduler();
  const early = await services(cluster, older, 2);
  const [over] = (await services(cluster, older, 1)) as [string];
  const [late] = newIds("late", 1) as [string];
  cluster.witnesses.end(late);
  // A launch that its agent has not heard of: in the backup it is STAGING.
  agent.pause();
  await older.launch([cluster.witnesses.task(late)], { on: agent.name });
  await saveData(cluster.etcd, backup);
  agent.resume();

  // What the backup does not know: two ends, a framework, tasks, and later epochs.
  cluster.witnesses.end(over);
  await older.untilAll([late, over], "TASK_FINISHED");
  await untilLive(cluster, early);
  await using newer = await cluster.scheduler();
  const [ofNewer] = (await services(cluster, newer, 1)) as [string];
  await restartMasters(cluster);
  const adopted = await services(cluster, older, 3);
  const running = [...early, ofNewer, ...adopted];
  const { epoch: before } = cluster.operator.leader!;

  await restoreData(cluster.etcd, backup);
  for (const { name, code, text } of await lastWords(cluster)) {
    t.is(code, 4, name);
    t.regex(text, /the store went back in time[^]*stop all masters and run `mesarch registry restore`/, name);
  }
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  const asked = await restoreRegistry(cluster);
  t.is(asked.code, 4);
  t.regex(asked.text, /would get a new generation[^]*--yes/);
  await restored(cluster);

  for (const master of cluster.masters) master.start();
  await cluster.whole();
  const { epoch: after } = cluster.operator.leader!;
  t.true(after.generation > before.generation && compareEpochs(after, before) > 0);
  await older.until(over, "TASK_GONE");
  await older.until(late, "TASK_DROPPED");
  await untilLive(cluster, running);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  for (const id of [over, late]) t.is(cluster.witnesses.starts(id).length, 1, id);

  // What was adopted is as much the cluster's as before.
  const [failing, killed, ...staying] = adopted as [string, string, string];
  cluster.witnesses.end(failing, 3);
  t.is(exitStatus(await older.until(failing, "TASK_FAILED")), 3);
  await older.kill(killed);
  await older.until(killed, "TASK_KILLED");
  cluster.witnesses.end(ofNewer);
  await newer.until(ofNewer, "TASK_FINISHED");
  t.deepEqual(await flaws(cluster, newer, await jobs(cluster, newer, 4)), []);
  await cluster.kill(await cluster.leader());
  t.deepEqual(await flaws(cluster, newer, await jobs(cluster, newer, 4)), []);
  t.deepEqual(await cluster.witnesses.disturbed([...early, ...staying]), []);
  t.deepEqual(older.failedCalls, []);
});

test.serial("a store set back to a time when the same master led: its next write fails, and with it the leadership (3.3, 3.11, I1, I9)", async (t) => {
  const cluster = await ownCluster(t, { masters: 2, etcd: { members: 1 } });
  const backup = join(cluster.directory, "backup");
  await using scheduler = await cluster.scheduler();
  await saveData(cluster.etcd, backup);
  const running = await services(cluster, scheduler, 4);
  const leader = await cluster.leader();
  await restoreData(cluster.etcd, backup);
  const launching = jobs(cluster, scheduler, 4);
  for (const { name, code } of await lastWords(cluster)) t.is(code, 4, name);
  t.true(leader.log.some(({ msg }) => msg === "somebody else writes to the registry"));
  await restored(cluster);
  for (const master of cluster.masters) master.start();
  t.deepEqual(await flaws(cluster, scheduler, await launching), []);
  await cluster.whole();
  await untilLive(cluster, running);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
});

test.serial("masters started on a store set back: agents obey none of them, and the cluster says what to do (9.5, 12.1, 13.2, I2)", async (t) => {
  const cluster = await ownCluster(t, { masters: 2, etcd: { members: 1 } });
  const backup = join(cluster.directory, "backup");
  await using scheduler = await cluster.scheduler();
  const early = await services(cluster, scheduler, 2);
  await saveData(cluster.etcd, backup);
  const running = [...early, ...(await services(cluster, scheduler, 4))];
  await restartMasters(cluster);
  await cluster.kill(...cluster.masters);
  await restoreData(cluster.etcd, backup);

  for (const master of cluster.masters) master.start();
  // Asked by somebody new: who knows the later epoch does not follow these leaders either.
  const { agentsConfirmed } = await eventually("a warning", async () => {
    const command = cluster.cli("status", "--output=json");
    const { code } = await command.exited;
    const { status } = JSON.parse(command.text) as { status: Status };
    return code === 5 && status.warnings.some((warning) => /obeys epoch .*`mesarch registry restore`/.test(warning)) && status;
  });
  t.is(agentsConfirmed, 0);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);

  const refused = await restoreRegistry(cluster, "--yes");
  t.is(refused.code, 1);
  t.regex(refused.text, /a master is running[^]*Stop all masters/);
  await cluster.kill(...cluster.masters);
  await restored(cluster);
  for (const master of cluster.masters) master.start();
  await cluster.whole();
  t.deepEqual(await taskIds(cluster), running.toSorted());
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 4)), []);
});

test.serial("the store is lost without a backup: everything is adopted from the agents (13.2, 3.11, I6, I9)", async (t) => {
  const cluster = await ownCluster(t, { etcd: { members: 1 } });
  await using first = await cluster.scheduler();
  await using second = await cluster.scheduler();
  const running = [...(await services(cluster, first, 3)), ...(await services(cluster, second, 2))];
  const { clusterId } = await cluster.operator.status();
  await loseData(cluster.etcd);
  for (const { name, code, text } of await lastWords(cluster)) {
    t.is(code, 4, name);
    t.regex(text, /mesarch registry restore/, name);
  }
  const without = await restoreRegistry(cluster, "--yes");
  t.is(without.code, 3);
  t.regex(without.text, /holds no registry[^]*--empty --cluster ID/);
  t.is((await restoreRegistry(cluster, "--yes", "--empty")).code, 64);
  await restored(cluster, "--empty", `--cluster=${clusterId}`);
  for (const master of cluster.masters) master.start();
  await cluster.whole();
  t.is((await cluster.operator.status()).clusterId, clusterId);
  t.deepEqual(await taskIds(cluster), running.toSorted());
  t.is((await cluster.operator.agents()).length, cluster.agents.length);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);

  const [ending] = running as [string];
  cluster.witnesses.end(ending, 3);
  t.is(exitStatus(await first.until(ending, "TASK_FAILED")), 3);
  t.deepEqual(await flaws(cluster, second, await jobs(cluster, second, 4)), []);
  const again = await restoreRegistry(cluster, "--yes", "--empty", `--cluster=${clusterId}`);
  t.is(again.code, 1);
  t.regex(again.text, /the store is not empty/);
});

test.serial("a registry of a newer format: masters and restore leave it alone, and say why (2.3, 13.1)", async (t) => {
  const cluster = await ownCluster(t, { masters: 1, agents: 1, etcd: { members: 1 } });
  const [master] = cluster.masters;
  const gateway = new EtcdGateway(cluster.etcd);
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 2);
  await cluster.kill(master!);
  const meta = (await gateway.get("mesarch/meta"))!;
  await gateway.put("mesarch/meta", MetaRecord.encode({ ...MetaRecord.decode(meta), format: 99 }).finish());
  t.is((await master!.start().exited).code, 4);
  const newer = /the registry is of format 99; this version [^]*run the newer version/;
  t.regex(master!.stderr.items.join("\n"), newer);
  const refused = await restoreRegistry(cluster, "--yes");
  t.is(refused.code, 4);
  t.regex(refused.text, newer);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  await gateway.put("mesarch/meta", meta);
  master!.start();
  await cluster.whole();
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 2)), []);
});
