import test from "ava";
import { isDeliverable } from "../../../src/core/master/standing.ts";
import type { HeldTask } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { FrameworkInfo, TaskInfo, TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, Cluster } from "./cluster.ts";

const { TASK_RUNNING, TASK_FINISHED, TASK_STAGING, TASK_DROPPED, TASK_KILLING } = TaskState;

test("9.3 a started task that its agent no longer has is GONE, is told, and goes to history", (t) => {
  const { cluster, agent, framework } = running();
  agent.held.clear();
  agent.restart();
  t.deepEqual(framework.heard("t1"), ["RUNNING", "GONE"]);
  t.true(agent.confirmed);
  t.true(cluster.tables.agentBooks(agent.id).used.isEmpty);
  cluster.advance(61_000);
  t.is(cluster.task("t1"), undefined);
  t.is(cluster.past("t1")!.state, TaskState.TASK_GONE);
});

test("9.4 the agent hears of its confirmation only after its settlements are written and told", (t) => {
  const { cluster, agent } = running();
  agent.held.clear();
  cluster.words = [];
  agent.restart();
  const kinds = cluster.words.map((word) => (word.kind === "agent" ? word.message.body!.$case : word.kind));
  t.true(kinds.indexOf("event") < kinds.indexOf("confirm"));
});

test("4.5 what the master ended stays in the registry until its framework heard of it", (t) => {
  const { cluster, agent, framework } = running();
  framework.disconnect();
  agent.held.clear();
  agent.restart();
  cluster.advance(30_000);
  t.true(cluster.task("t1")!.settled);
  cluster.failover();
  agent.reconnect();
  t.is(agent.told("listWanted").length, 0);
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["GONE"]);
  cluster.advance(61_000);
  t.is(cluster.task("t1"), undefined);
});

test("9.3 a task that ended and was forgotten while nobody listened goes to history, in silence", (t) => {
  const { cluster, agent, framework } = running();
  agent.update("t1", TASK_FINISHED);
  agent.held.clear();
  agent.restart();
  t.is(cluster.past("t1")!.state, TASK_FINISHED);
  t.deepEqual(framework.heard("t1"), ["RUNNING", "FINISHED"]);
});

test("9.3, 7.4 an end that only the leader knew of is told as it was, not as GONE", (t) => {
  const { agent, framework } = running();
  agent.update("t1", TASK_RUNNING, { seq: 1, latest: TASK_FINISHED });
  agent.disconnect();
  agent.held.clear();
  agent.restart();
  t.deepEqual(framework.heard("t1"), ["RUNNING", "RUNNING", "FINISHED"]);
});

test("6.3 a task accepted but not started before the agent's restart is started when its order still stands", (t) => {
  const { agent } = launched();
  const { launchId } = agent.hold("t1", TASK_STAGING, true);
  agent.disconnect();
  agent.restart();
  t.deepEqual(agent.told("settle"), [{ start: [launchId], cancel: [], forget: [] }]);
  t.is(agent.told("launch").length, 0);
});

test("6.3, 6.4 a task killed before it was started is cancelled, and KILLED is said", (t) => {
  const { agent, framework } = launched();
  const { launchId } = agent.hold("t1", TASK_STAGING, true);
  agent.disconnect();
  framework.kill("t1");
  agent.restart();
  t.deepEqual(agent.told("settle"), [{ start: [], cancel: [launchId], forget: [] }]);
  t.deepEqual(framework.heard("t1"), ["KILLED"]);
});

test("6.2 what was announced unreachable never starts late: it is DROPPED when the agent is back", (t) => {
  const { cluster, agent, framework } = launched();
  agent.disconnect();
  cluster.advance(80_000);
  t.deepEqual(framework.heard("t1"), ["UNREACHABLE"]);
  agent.connect();
  agent.report();
  agent.report(true);
  t.true(agent.confirmed);
  t.is(agent.told("launch").length, 0);
  t.deepEqual(framework.heard("t1"), ["UNREACHABLE", "DROPPED"]);
});

test("6.2 an order stands for its term and its generation, and for an agent that is in", (t) => {
  const { cluster, agent } = launched();
  const { tables } = cluster;
  const order = cluster.task("t1")!;
  const row = cluster.agentRow(agent);
  t.true(isDeliverable(tables, order, 1));
  t.false(isDeliverable(tables, order, 2));
  t.false(isDeliverable(tables, { ...order, kill: { graceMs: 0, at: 0 } }, 1));
  tables.apply({ kind: "a", id: agent.id, record: { ...row, term: row.term + 1 } });
  t.false(isDeliverable(tables, order, 1));
  tables.apply({ kind: "a", id: agent.id, record: { ...row, standing: { $case: "goneAt", value: 1 } } });
  t.false(isDeliverable(tables, order, 1));
});

test("6.2 a task accepted before its agent was announced unreachable goes on", (t) => {
  const { cluster, agent, framework } = launched();
  agent.hold("t1");
  agent.disconnect();
  cluster.advance(80_000);
  agent.restart();
  agent.update("t1", TASK_RUNNING);
  t.deepEqual(framework.heard("t1"), ["UNREACHABLE", "STAGING", "RUNNING"]);
});

test("9.3 what the master ended and its agent runs after all is killed, with an alarm", (t) => {
  const { cluster, agent, framework } = running();
  const task = [...agent.held.values()][0]!;
  agent.held.clear();
  framework.disconnect();
  agent.restart();
  agent.held.set(task.launchId, task);
  cluster.words = [];
  agent.restart();
  t.is(agent.told("kill")[0]!.launchId, task.launchId);
  t.regex(cluster.alarms[0]!, /told that it ended/);
});

test("9.3 a task of history that its agent still holds is forgotten", (t) => {
  const { agent } = running();
  agent.update("t1", TASK_FINISHED);
  const task = [...agent.held.values()][0]!;
  agent.forget("t1");
  agent.held.set(task.launchId, { ...task, state: TASK_FINISHED });
  agent.disconnect();
  agent.restart();
  t.deepEqual(agent.told("settle")[0]!.forget, [task.launchId]);
});

test("13.2 after a restore, what the agents run beyond the backup is adopted, with its framework", (t) => {
  const { cluster, agent, framework } = running();
  loseRows(cluster, "t1", framework.id);
  cluster.failover(true);
  agent.connect();
  agent.report();
  t.deepEqual(agent.told("listWanted"), [{ withInfos: true }]);
  agent.report(true, true);
  t.true(agent.confirmed);
  t.is(cluster.task("t1")!.state, TASK_RUNNING);
  t.is(cluster.tables.frameworks.get(framework.id)!.standing!.$case, "disconnectedAt");
  framework.subscribe();
  agent.update("t1", TASK_FINISHED);
  t.deepEqual(framework.heard("t1"), ["RUNNING", "FINISHED"]);
});

test("13.2, 7.1 of a task adopted after its end the framework still hears what it had not acknowledged, in order", (t) => {
  const { cluster, agent, framework } = launched();
  agent.hold("t1", TASK_FINISHED);
  loseRows(cluster, "t1", framework.id);
  cluster.failover(true);
  agent.connect();
  agent.report();
  agent.report(true, true);
  t.is(cluster.task("t1")!.latestState, TASK_FINISHED);
  framework.subscribe();
  agent.update("t1", TASK_RUNNING, { latest: TASK_FINISHED });
  agent.update("t1", TASK_FINISHED);
  t.deepEqual(cluster.alarms, []);
  t.deepEqual(framework.heard("t1").slice(-2), ["RUNNING", "FINISHED"]);
});

test("13.2, 7.1 a row that is behind what its framework acknowledged after the backup catches up, and the framework is told", (t) => {
  const { cluster, agent, framework } = launched();
  agent.hold("t1", TASK_RUNNING);
  cluster.failover(true);
  agent.connect();
  agent.report(true);
  t.is(cluster.task("t1")!.state, TASK_RUNNING);
  t.is(cluster.task("t1")!.latestState, TASK_RUNNING);
  framework.subscribe();
  t.deepEqual(framework.heard("t1").slice(-1), ["RUNNING"]);
  framework.reconcile();
  t.deepEqual(framework.heard("t1").slice(-1), ["RUNNING"]);
  agent.update("t1", TASK_FINISHED);
  t.deepEqual(framework.heard("t1").slice(-1), ["FINISHED"]);
  t.deepEqual(cluster.alarms, []);
});

test("13.2 a framework that is there before its agent hears of a row that catches up, once", (t) => {
  const { cluster, agent, framework } = launched();
  agent.hold("t1", TASK_RUNNING);
  cluster.failover(true);
  framework.subscribe();
  agent.connect();
  agent.report(true);
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  // Later lists are about updates that are still to come: those say what is new.
  const { state, agentTerm } = cluster.task("t1")!;
  agent.hold("t1", TASK_KILLING);
  agent.connect();
  agent.report(true);
  t.is(cluster.task("t1")!.state, state);
  t.is(cluster.task("t1")!.agentTerm, agentTerm);
  agent.update("t1", TASK_KILLING);
  t.is(cluster.task("t1")!.state, TASK_KILLING);
  t.deepEqual(cluster.alarms, []);
});

test("13.2 a task that its agent refused is adopted as that: nobody hears that it runs", (t) => {
  const { cluster, agent, framework } = launched();
  agent.hold("t1", TASK_DROPPED);
  loseRows(cluster, "t1", framework.id);
  cluster.failover(true);
  agent.connect();
  agent.report();
  agent.report(true, true);
  framework.subscribe();
  framework.reconcile();
  agent.update("t1", TASK_DROPPED);
  t.deepEqual(cluster.alarms, []);
  t.deepEqual([...new Set(framework.heard("t1"))], ["DROPPED"]);
});

test("13.2, 1.4 a framework that the leadership of the backup registered after it keeps its tasks, and comes back", (t) => {
  const { cluster, agent, framework } = running();
  t.true(framework.id.startsWith("1-100-"));
  loseRows(cluster, "t1", framework.id, { generation: 1, revision: 100 });
  cluster.failover(true);
  agent.connect();
  agent.report();
  agent.report(true, true);
  t.deepEqual(agent.told("kill"), []);
  t.is(cluster.task("t1")!.state, TASK_RUNNING);
  const { id } = framework;
  framework.subscribe();
  t.is(cluster.machine.state.frameworks.get(id)?.session, framework.session);
});

test("13.2 an agent whose row the backup lacks keeps its id and its tasks", (t) => {
  const { cluster, agent, framework } = running();
  const { id } = agent;
  loseRows(cluster, "t1", framework.id);
  cluster.tables.apply({ kind: "a", id, record: undefined });
  cluster.failover(true);
  agent.connect();
  agent.report();
  agent.report(true, true);
  t.is(agent.id, id);
  t.is(cluster.task("t1")!.agentId, id);
});

test("6.2, 13.2 rows of an older generation are never delivered", (t) => {
  const { cluster, agent, framework } = launched();
  cluster.failover(true);
  framework.subscribe();
  agent.connect();
  agent.report();
  agent.report(true, true);
  t.is(agent.told("launch").length, 0);
  t.deepEqual(framework.heard("t1"), ["DROPPED"]);
});

test("9.3 what cannot be adopted is left running and counted as used; its agent joins all the same", (t) => {
  const { cluster, agent, framework } = running();
  loseRows(cluster, "t1", framework.id);
  const [launchId, task] = [...agent.held][0]!;
  agent.held.set(launchId, { ...task, framework: undefined });
  cluster.failover(true);
  agent.connect();
  agent.report();
  agent.report(true, true);
  t.true(agent.confirmed);
  t.regex(cluster.alarms[0]!, /cannot be adopted/);
  t.is(cluster.machine.state.allocator.available(agent.id).scalar("cpus"), 7_000);
});

test("9.3 a task of a removed framework that the registry does not know is killed", (t) => {
  const { cluster, agent, framework } = running();
  framework.teardown();
  cluster.tables.apply({ kind: "t", id: cluster.task("t1")!.launchId, record: undefined });
  cluster.failover();
  agent.restart();
  t.is(agent.told("kill").length, 1);
});

test("9.3 a task nobody knows is left running and counted as used, with an alarm, until it ends", (t) => {
  const { cluster, agent } = running();
  cluster.tables.apply({ kind: "t", id: cluster.task("t1")!.launchId, record: undefined });
  cluster.failover();
  agent.connect();
  agent.report();
  agent.report(true, true);
  t.true(agent.confirmed);
  t.is(agent.told("kill").length, 0);
  t.regex(cluster.alarms[0]!, /not in the registry/);
  t.is(cluster.machine.state.allocator.available(agent.id).scalar("cpus"), 7_000);
  agent.update("t1", TASK_FINISHED);
  t.is(agent.told("acknowledge").length, 1);
  t.is(cluster.machine.state.allocator.available(agent.id).scalar("cpus"), 8_000);
});

test("9.3 more than one vanished task on an agent is an alarm", (t) => {
  const { cluster, agent, framework } = running();
  cluster.advance(1_100);
  framework.launch(agent, "t2");
  agent.run("t2");
  agent.held.clear();
  agent.restart();
  t.regex(cluster.alarms[0]!, /2 started tasks/);
});

test("3.9, 13.2 what is too large or is none is not adopted: it is left running, and its agent joins", (t) => {
  const strange: Partial<HeldTask>[] = [
    { info: TaskInfo.fromPartial({ taskId: { value: "t1" }, data: new Uint8Array(2_000_000) }) },
    { framework: FrameworkInfo.fromPartial({ name: "x".repeat(1_000_000) }) },
    { framework: FrameworkInfo.fromPartial({ failoverTimeout: Number.NaN }) },
    { state: 9_999 },
    { role: "a//b" },
    { taskId: "a/b" },
  ];
  for (const wrong of strange) {
    const { cluster, agent, framework } = running();
    loseRows(cluster, "t1", framework.id);
    const [launchId, task] = [...agent.held][0]!;
    const named = wrong.framework === undefined ? {} : { framework: { ...wrong.framework, id: { value: framework.id } } };
    const info = wrong.taskId === undefined ? {} : { info: { ...task.info!, taskId: { value: wrong.taskId } } };
    agent.held.set(launchId, { ...task, ...info, ...wrong, ...named });
    cluster.failover(true);
    agent.connect();
    agent.report();
    agent.report(true, true);
    t.true(agent.confirmed);
    t.is(cluster.tables.tasks.size, 0);
    t.regex(cluster.alarms[0]!, /cannot be adopted/);
  }
});

test("9.3 a list of very many tasks nobody knows is one alarm", (t) => {
  const { cluster, agent } = running();
  const [, task] = [...agent.held][0]!;
  for (let i = 0; i < 500; i++) {
    const launchId = i.toString(16).padStart(32, "0");
    agent.held.set(launchId, { ...task, launchId, taskId: `s${i}`, info: undefined });
  }
  agent.restart();
  t.is(cluster.alarms.length, 1);
  t.regex(cluster.alarms[0]!, /task s0 .*not in the registry \(and 499 more like it\)/);
});

/** As a backup that is older than the task would have it. */
function loseRows(cluster: Cluster, taskId: string, frameworkId: string, lastEpochBefore = { generation: 1, revision: 50 }): void {
  cluster.tables.apply({ kind: "t", id: cluster.task(taskId)!.launchId, record: undefined });
  cluster.tables.apply({ kind: "f", id: frameworkId, record: undefined });
  cluster.tables.apply({ kind: "meta", id: "", record: { clusterId: "c1", generation: 2, format: 1, lastEpochBefore } });
}

function launched() {
  const cluster = new Cluster();
  const agent: Agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  return { cluster, agent, framework };
}

function running() {
  const all = launched();
  all.agent.run("t1");
  return all;
}
