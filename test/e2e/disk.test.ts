/** The disk under an agent's work directory is full, and has room again. */
import test, { type ExecutionContext } from "ava";
import { exitStatus } from "../../src/sdk/index.ts";
import { TaskStatus_Reason } from "../../src/wire/gen/mesos/v1/mesos.ts";
import type { Agent, ProcessCluster } from "../support/process-cluster.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { ownCluster } from "./own-cluster.ts";
import { flaws, jobs, newIds, services } from "./traffic.ts";

function clusterOn(t: ExecutionContext, disk: SmallDisk): Promise<ProcessCluster> {
  return ownCluster(t, { masters: 1, agents: 1, etcd: { members: 1 }, masterFlags: ["--launch-resend=1s"], workDirectory: disk.directory });
}

async function smallDisk(t: ExecutionContext): Promise<SmallDisk> {
  const disk = await SmallDisk.mount(6);
  t.teardown(() => disk[Symbol.asyncDispose]());
  return disk;
}

test.serial.runIf(SmallDisk.possible)("a full disk: tasks go on and end with their codes, launches are refused with the reason, and taken when there is room (6.1, 8.3, I9)", async (t) => {
  const disk = await smallDisk(t);
  const cluster = await clusterOn(t, disk);
  const [agent] = cluster.agents as readonly [Agent];
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 3);
  const [ending] = running as [string];
  await disk.fill();

  const [unstartable, refused] = newIds("refused", 2) as [string, string];
  await scheduler.launch([cluster.witnesses.task(unstartable)]);
  t.regex((await scheduler.until(unstartable, "TASK_FAILED")).message ?? "", /^Could not be started: .*no space left on device/);
  // The journal has room of its own for the words about tasks; when that comes to its end nothing is taken any more.
  for (const id of newIds("large", 2)) {
    await scheduler.launch([{ ...cluster.witnesses.task(id), data: Buffer.alloc(400 * 1024) }]);
    await scheduler.until(id, "TASK_FAILED");
  }
  await scheduler.launch([cluster.witnesses.task(refused)]);
  const { message, reason } = await scheduler.until(refused, "TASK_DROPPED");
  t.is(message, "The agent's work disk is full; it takes no new tasks");
  t.is(reason, TaskStatus_Reason.REASON_CONTAINER_LAUNCH_FAILED);
  t.is((await agent.logged(/journal/)).level, "error");
  cluster.witnesses.end(ending, 5);
  t.is(exitStatus(await scheduler.until(ending, "TASK_FAILED")), 5);
  for (const id of [unstartable, refused]) t.deepEqual(cluster.witnesses.starts(id), []);
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);

  await disk.makeRoom();
  await agent.logged("the journal takes everything again");
  t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 4)), []);
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
});

test.serial.runIf(SmallDisk.possible)("an agent that starts on a full disk obeys, keeps its tasks, and works when there is room (8.1, 8.3, I2, I9)", async (t) => {
  const disk = await smallDisk(t);
  const cluster = await clusterOn(t, disk);
  const [agent] = cluster.agents as readonly [Agent];
  const [master] = cluster.masters;
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 3);
  const [ending] = running as [string];
  await cluster.kill(agent);
  await disk.fill();
  agent.start();
  // A new leader, too: its epoch has to be stored.
  await cluster.kill(master!);
  master!.start();
  await cluster.whole();
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  const launching = jobs(cluster, scheduler, 2);
  cluster.witnesses.end(ending, 5);
  await cluster.witnesses.ended([ending]);
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);

  await disk.makeRoom();
  t.is(exitStatus(await scheduler.until(ending, "TASK_FAILED")), 5);
  t.deepEqual(await flaws(cluster, scheduler, [...(await launching), ...(await jobs(cluster, scheduler, 4))]), []);
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
});
