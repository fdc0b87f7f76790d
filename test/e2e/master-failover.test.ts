/** Masters are killed, frozen and told to go while tasks run and launches are under way. */
import { credentials, type ServiceError } from "@grpc/grpc-js";
import test from "ava";
import { compareEpochs } from "../../src/base/epoch.ts";
import { OperatorServiceClient, type OperatorResponse } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { eventually } from "../support/eventually.ts";
import { sharedCluster } from "./shared-cluster.ts";
import { flaws, jobs, launchThroughout, services } from "./traffic.ts";

const shared = sharedCluster();

test.serial("the leader is killed in the middle of launches: each task runs once, no call fails (I6, I8, I9)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 4);
  const launching = jobs(cluster, scheduler, 60);
  await scheduler.updates.until("some tasks on their way", (updates) => updates.length > running.length + 5);
  const leader = await cluster.leader();
  await cluster.kill(leader);
  t.deepEqual(await flaws(cluster, scheduler, await launching), []);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  leader.start();
  await cluster.whole();
  await scheduler.session.teardown();
  await cluster.witnesses.ended(running);
});

test.serial("all masters are killed at once and come back: tasks, calls and updates go on (I6, I9, 5.1)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 4);
  const [ending] = running as [string];
  await cluster.kill(...cluster.masters);
  cluster.witnesses.end(ending, 5);
  await cluster.witnesses.ended([ending]);
  const launching = jobs(cluster, scheduler, 10);
  for (const master of cluster.masters) master.start();
  t.deepEqual(await flaws(cluster, scheduler, await launching), []);
  const failed = await scheduler.until(ending, "TASK_FAILED");
  t.regex(failed.message ?? "", /5/);
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
  await cluster.whole();
  await scheduler.session.teardown();
});

test.serial("SIGTERM to the leader hands over with calls in flight: none fails (2.15)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 4);
  const leader = await cluster.leader();
  const before = cluster.operator.leader!;
  const ids = await launchThroughout(cluster, scheduler, async () => {
    t.like(await leader.end("SIGTERM"), { code: 0, signal: null });
    await cluster.operator.nextLeader(before.epoch);
  });
  t.deepEqual(await flaws(cluster, scheduler, ids), []);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  const [record] = await cluster.operator.leaderHistory({ limit: 1 });
  t.is(record!.cause, "handover");
  leader.start();
  await cluster.whole();
  await scheduler.session.teardown();
});

test.serial("leader step-down with calls in flight: none fails, and the old leader queues again (2.8, 2.15)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 4);
  const leader = await cluster.leader();
  const ids = await launchThroughout(cluster, scheduler, async () => {
    const command = cluster.cli("leader", "step-down");
    t.is((await command.exited).code, 0);
    t.regex(command.text, new RegExp(`^${leader.name} .* handed over to m\\d`));
  });
  t.deepEqual(await flaws(cluster, scheduler, ids), []);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  t.not((await cluster.leader()).name, leader.name);
  await cluster.whole();
  await scheduler.session.teardown();
});

test.serial("a frozen leader is replaced; when it wakes it answers nothing, and obeys (2.9, 3.1, 3.3, I4)", async (t) => {
  const cluster = shared();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 4);
  const leader = await cluster.leader();
  const before = cluster.operator.leader!;
  const logged = leader.stderr.items.length;
  leader.pause();
  // These wait in its sockets: an order and a question that only a leader may answer.
  const client = new OperatorServiceClient(leader.address, credentials.createInsecure());
  const ask = (call: Parameters<typeof client.call>[0]["call"]): Promise<string> =>
    new Promise((resolve) => {
      const done = (error: ServiceError | null, answer: OperatorResponse): void => resolve(error === null ? `answered ${answer.answer?.$case}` : "refused");
      client.call({ allowStale: false, call }, { deadline: Date.now() + 30_000 } as never, done as never);
    });
  const asked = [ask({ $case: "killTask", value: { id: running[0]!, graceMs: undefined } }), ask({ $case: "listTasks", value: { frameworkId: "", agentId: "", finished: false, limit: 0 } })];
  const launching = jobs(cluster, scheduler, 10);
  const after = await cluster.operator.nextLeader(before.epoch);
  t.true(compareEpochs(after.epoch, before.epoch) > 0);
  const ids = await launching;
  leader.resume();
  t.deepEqual(await Promise.all(asked), ["refused", "refused"]);
  client.close();
  await leader.logged("leadership ended", logged);
  ids.push(...(await jobs(cluster, scheduler, 4)));
  t.deepEqual(await flaws(cluster, scheduler, ids), []);
  await cluster.whole();
  t.deepEqual(cluster.operator.leader, after);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  await scheduler.session.teardown();
});

test.serial("a standby frozen for longer than its lease queues again when it wakes (2.2, 2.7)", async (t) => {
  const cluster = shared();
  const leader = await cluster.leader();
  const standby = cluster.masters.find(({ name }) => name !== leader.name)!;
  standby.pause();
  await eventually("the end of its lease", async () => (await cluster.operator.status()).masters === 2);
  standby.resume();
  await cluster.whole();
  t.is((await cluster.leader()).name, leader.name);
});
