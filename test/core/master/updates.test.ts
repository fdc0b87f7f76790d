import test from "ava";
import { TaskUpdate } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { sizeOfChange } from "../../../src/wire/registry-codec.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, Cluster } from "./cluster.ts";

test("6.1, 7.1, 7.3 a task is launched, runs, ends and is forgotten; its row goes to history", (t) => {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  t.is(agent.told("launch").length, 1);
  t.is(cluster.task("t1")!.state, TaskState.TASK_STAGING);

  agent.run("t1");
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  t.deepEqual(cluster.milestones, ["agentsConfirmed", "firstLaunch"]);
  const { status } = agent.update("t1", TaskState.TASK_FINISHED);
  framework.acknowledge(agent, "t1", status!.uuid!);
  t.deepEqual(agent.told("acknowledge").at(-1)!.uuid, status!.uuid!);
  t.is(cluster.task("t1")!.state, TaskState.TASK_FINISHED, "the agent forgets first");

  agent.forget("t1");
  t.is(cluster.task("t1"), undefined);
  t.is(cluster.past("t1")!.state, TaskState.TASK_FINISHED);
});

test("13.4 the data of a status reaches the framework and never the registry", (t) => {
  const { cluster, agent, framework } = running();
  agent.update("t1", TaskState.TASK_FINISHED);
  t.deepEqual(framework.statuses("t1").at(-1)!.data, new Uint8Array([1, 2]));
  t.is(cluster.task("t1")!.status!.data, undefined);
});

test("7.2 a status speaks of the task its launch is, by its agent; none of them speaks as a master", (t) => {
  const { cluster, agent, framework } = running();
  const { launchId } = cluster.task("t1")!;
  const status = { taskId: { value: "other" }, agentId: { value: "else" }, state: TaskState.TASK_FINISHED, source: 0 as const, uuid: new Uint8Array(16) };
  agent.say({ ...TaskUpdate.fromPartial({ launchId, seq: 2, latestState: TaskState.TASK_FINISHED }), status });
  const told = framework.statuses("t1").at(-1)!;
  t.like(told, { state: TaskState.TASK_FINISHED, agentId: { value: agent.id }, source: 1 });
  t.like(cluster.task("t1")!.status, { taskId: { value: "t1" }, agentId: { value: agent.id } });
});

test("3.9 of a status too large for a row its gist is kept; its framework hears all of it", (t) => {
  const { cluster, agent, framework } = running();
  const { launchId } = cluster.task("t1")!;
  const labels = { labels: [{ key: "k", value: "x".repeat(2_000_000) }] };
  const status = { taskId: { value: "t1" }, state: TaskState.TASK_FAILED, message: "y".repeat(2_000_000), labels, uuid: new Uint8Array(16) };
  agent.say({ ...TaskUpdate.fromPartial({ launchId, seq: 2, latestState: TaskState.TASK_FAILED }), status });
  const row = cluster.task("t1")!;
  t.is(row.state, TaskState.TASK_FAILED);
  t.true(sizeOfChange({ kind: "t", id: launchId, record: row }) < 10_000);
  t.true(row.status!.message!.startsWith("yyy"));
  t.is(framework.statuses("t1").at(-1)!.message!.length, 2_000_000);
});

test("3.9 a uuid that is none is not taken", (t) => {
  const { cluster, agent, framework } = running();
  agent.update("t1", TaskState.TASK_FINISHED, { uuid: new Uint8Array(100) });
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  t.regex(cluster.alarms[0]!, /uuid/);
});

test("7.2 an update said twice is forwarded twice and written once", (t) => {
  const { cluster, agent, framework } = running();
  const before = cluster.task("t1");
  const update = agent.update("t1", TaskState.TASK_RUNNING, { seq: 1 });
  t.deepEqual(framework.heard("t1"), ["RUNNING", "RUNNING"]);
  t.is(cluster.task("t1"), before);
  t.deepEqual(framework.statuses("t1").at(-1)!.uuid, update.status!.uuid);
});

test("7.2 while its framework is away an update is committed, and said again when it is back (7.1)", (t) => {
  const { cluster, agent, framework } = running();
  framework.disconnect();
  agent.update("t1", TaskState.TASK_FINISHED);
  t.is(cluster.task("t1")!.state, TaskState.TASK_FINISHED);
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  framework.subscribe();
  t.deepEqual(agent.told("resendUpdates").at(-1)!.frameworkId, framework.id);
});

test("7.1 a later end that a repeated head tells of frees the resources, before anybody acknowledges it", (t) => {
  const { cluster, agent, framework } = running();
  t.false(cluster.tables.agentBooks(agent.id).used.isEmpty);
  agent.update("t1", TaskState.TASK_RUNNING, { seq: 1, latest: TaskState.TASK_FINISHED });
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
  t.true(cluster.tables.agentBooks(agent.id).used.isEmpty);
  t.is(framework.heard("t1").at(-1), "RUNNING");
});

test("7.2 the updates of a removed framework are committed and acknowledged by the leader", (t) => {
  const { cluster, agent, framework } = running();
  framework.teardown();
  t.is(agent.told("kill").length, 1);
  const { status } = agent.update("t1", TaskState.TASK_KILLED);
  t.deepEqual(agent.told("acknowledge").at(-1)!.uuid, status!.uuid!);
  t.true(cluster.tables.agentBooks(agent.id).used.isEmpty);
  agent.forget("t1");
  t.is(cluster.task("t1"), undefined);
});

test("7.2, 7.1 with the removal of a framework agents are asked at once for what it did not acknowledge", (t) => {
  const { agent, framework } = running();
  agent.update("t1", TaskState.TASK_RUNNING, { latest: TaskState.TASK_KILLED });
  const before = agent.told("resendUpdates").length;
  framework.teardown();
  t.deepEqual(agent.told("resendUpdates").slice(before).map(({ frameworkId }) => frameworkId), [framework.id]);
});

test("7.2 an update of a task in history is acknowledged by the leader", (t) => {
  const { cluster, agent } = running();
  const update = agent.update("t1", TaskState.TASK_FINISHED);
  agent.forget("t1");
  agent.say(update);
  t.deepEqual(agent.told("acknowledge").at(-1)!.uuid, update.status!.uuid!);
  t.is(cluster.task("t1"), undefined);
});

test("7.4 the first end stands: a later one is acknowledged by the leader and not forwarded", (t) => {
  const { cluster, agent, framework } = running();
  agent.update("t1", TaskState.TASK_FINISHED);
  const late = agent.update("t1", TaskState.TASK_FAILED);
  t.deepEqual(framework.heard("t1"), ["RUNNING", "FINISHED"]);
  t.deepEqual(agent.told("acknowledge").at(-1)!.uuid, late.status!.uuid!);
  t.is(cluster.task("t1")!.state, TaskState.TASK_FINISHED);
});

test("12.2 the words of an unconfirmed agent, and of one that does not hold the task, change nothing", (t) => {
  const { cluster, agent, framework } = running();
  const other = cluster.agent("b");
  const held = [...agent.held.values()][0]!;
  other.held.set(held.launchId, held);
  other.update("t1", TaskState.TASK_FAILED, { seq: 9 });
  t.regex(cluster.alarms.at(-1)!, /agent .* speaks of it/);
  agent.disconnect();
  agent.connect();
  agent.update("t1", TaskState.TASK_FAILED);
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
});

test("7.3 an acknowledgement for another agent or an unknown task is dropped", (t) => {
  const { cluster, agent, framework } = running();
  const other = cluster.agent("b");
  framework.acknowledge(other, "t1", new Uint8Array(16));
  framework.acknowledge(agent, "t9", new Uint8Array(16));
  t.is(agent.told("acknowledge").length + other.told("acknowledge").length, 0);
});

test("7.3 a task forgotten before its framework heard of its end is ended by the master's word", (t) => {
  const { cluster, agent, framework } = running();
  agent.forget("t1");
  t.deepEqual(framework.heard("t1"), ["RUNNING", "GONE"]);
  t.is(framework.statuses("t1").at(-1)!.uuid, undefined);
  t.is(cluster.alarms.length, 1);
});

test("3.5 with a full store no update is taken that would have to be written; the agent says it again", (t) => {
  const { cluster, agent, framework } = running();
  cluster.step({ kind: "readOnly", on: true, reason: "full" });
  const update = agent.update("t1", TaskState.TASK_FINISHED);
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  cluster.step({ kind: "readOnly", on: false, reason: "" });
  agent.say(update);
  t.deepEqual(framework.heard("t1"), ["RUNNING", "FINISHED"]);
});

test("4.2 history is a ring: the keyspace of a framework's finished tasks is bounded", (t) => {
  const { cluster, agent, framework } = running();
  const record = cluster.task("t1")!;
  cluster.tables.apply({ kind: "h", id: `${framework.id}/999`, record: { task: { ...record, launchId: "f".repeat(32) }, at: 1, number: 999 } });
  agent.update("t1", TaskState.TASK_FINISHED);
  agent.forget("t1");
  t.is(cluster.tables.history.get(`${framework.id}/0`)!.number, 1000);
});

function running() {
  const cluster = new Cluster();
  const agent: Agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  return { cluster, agent, framework };
}
