import test from "ava";
import {
  FrameworkInfo_Capability_Type as Capability,
  TaskState,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
} from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

const aware = { capabilities: [{ type: Capability.PARTITION_AWARE }], failoverTimeout: 600 };

test("Mesos 9, S9: a known task is answered with its last status, without uuid, data and labels", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  const more = { data: new Uint8Array([1]), labels: { labels: [] }, healthy: true, executorId: { value: "t1" }, timestamp: 77 };
  agent.update("t1", TaskState.TASK_RUNNING, more);
  framework.reconcile(["t1"]);
  t.deepEqual(framework.update(), {
    taskId: { value: "t1" },
    agentId: { value: agent.id },
    state: TaskState.TASK_RUNNING,
    source: Source.SOURCE_MASTER,
    reason: Reason.REASON_RECONCILIATION,
    message: "Reconciliation: Latest task state",
    timestamp: 77,
    executorId: { value: "t1" },
    healthy: true,
  });
});

test("Mesos 9: implicit reconciliation names every row of the framework, and no others'", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const [framework, other] = [s.subscribe(), s.subscribe()];
  const owner = framework.offers.size > 0 ? framework : other;
  owner.accept([task("t1", agent.id), task("t2", agent.id)], undefined, 0);
  agent.update("t2", TaskState.TASK_FINISHED);
  const before = owner.updates.length;
  owner.reconcile();
  t.deepEqual(owner.states.slice(before), ["t1 STAGING", "t2 FINISHED"]);
  const silent = owner === framework ? other : framework;
  silent.reconcile();
  t.deepEqual(silent.states, []);
});

test("10.4, Mesos 9: an unknown task is GONE, UNREACHABLE, GONE_BY_OPERATOR or UNKNOWN, by its agent", (t) => {
  const s = new Scenario();
  const [here, lost, gone] = [s.agent({ hostname: "h1" }), s.agent({ hostname: "h2" }), s.agent({ hostname: "h3" })];
  const framework = s.subscribe(aware);
  s.operator({ $case: "markAgentGone", value: { agentId: gone.id } });
  lost.disconnect();
  s.advance(160_000);
  framework.reconcile(["t1", here.id], ["t2", lost.id], ["t3", gone.id], ["t4", "no such agent"], ["t5"]);
  t.deepEqual(framework.states, ["t1 GONE", "t2 UNREACHABLE", "t3 GONE_BY_OPERATOR", "t4 UNKNOWN", "t5 UNKNOWN"]);
  t.true(framework.updates[1]!.unreachableTime!.nanoseconds! > 0n);
  t.true(framework.updates.every(({ reason, uuid }) => reason === Reason.REASON_RECONCILIATION && uuid === undefined));
});

test("without PARTITION_AWARE all of these are LOST", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.reconcile(["t1", agent.id], ["t2"]);
  t.deepEqual(framework.states, ["t1 LOST", "t2 LOST"]);
});

test("4.5 reconciliation looks in history too", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe(aware);
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_FAILED);
  framework.acknowledge();
  framework.reconcile(["t1", agent.id]);
  t.deepEqual(framework.states, ["t1 FAILED", "t1 FAILED"]);
});

test("10.4 right after a failover there is an answer at once, agents or not", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe(aware);
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_RUNNING);
  s.failover();
  framework.subscribe();
  const before = framework.states.length;
  framework.reconcile(["t1"], ["t2"], ["t3", agent.id]);
  t.deepEqual(framework.states.slice(before), ["t1 RUNNING", "t2 UNKNOWN", "t3 GONE"]);
});

test("5.4 after a restore there is silence for agents still in the older generation", (t) => {
  const s = new Scenario();
  const [back, away] = [s.agent({ hostname: "h1" }), s.agent({ hostname: "h2" })];
  const framework = s.subscribe(aware);
  s.failover({ generation: 7 });
  framework.subscribe();
  back.connect();
  framework.reconcile(["t1", away.id], ["t2"], ["t3", back.id], ["t4", "no such agent"]);
  t.deepEqual(framework.states, ["t3 GONE", "t4 UNKNOWN"]);
  away.connect();
  framework.reconcile(["t1", away.id]);
  t.deepEqual(framework.states.slice(2), ["t1 GONE"]);
});

test("5.4 after a restore a task on an agent younger than the backup is not called unknown: it comes back with its agent", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe(aware);
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_RUNNING);
  const { launchId } = s.tables.taskById(framework.id, "t1")!;
  s.tables.apply({ kind: "t", id: launchId, record: undefined });
  s.tables.apply({ kind: "a", id: agent.id, record: undefined });
  s.failover({ generation: 7 });
  framework.subscribe();
  const before = framework.states.length;
  framework.reconcile(["t1", agent.id], ["t1"], ["t2", "1-100-abcd-S9"], ["t3", "7-200-abcd-S9"]);
  t.deepEqual(framework.states.slice(before), ["t3 UNKNOWN"]);
  agent.connect();
  framework.reconcile(["t1", agent.id], ["t1"]);
  t.deepEqual(framework.states.slice(-2), ["t1 RUNNING", "t1 RUNNING"]);
});

test("5.4 calls about a task that an agent may still bring are refused for now: none kills or launches past it", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe(aware);
  const offerId = framework.offer().id!.value!;
  const t1 = task("t1", agent.id);
  framework.accept([t1]);
  agent.update("t1", TaskState.TASK_RUNNING);
  const { launchId } = s.tables.taskById(framework.id, "t1")!;
  s.tables.apply({ kind: "t", id: launchId, record: undefined });
  s.failover({ generation: 7 });
  framework.subscribe();
  const before = framework.states.length;
  t.is(framework.accept([t1], [offerId]).code, 503);
  t.is(framework.kill("t1", agent.id).code, 503);
  t.is(framework.kill("t1").code, 503);
  t.deepEqual(framework.states.slice(before), []);
  agent.connect();
  t.is(framework.accept([t1], [offerId]).code, 202);
  t.is(framework.kill("t1", agent.id).code, 202);
  t.is(agent.of("kill").length, 1);
  t.true(framework.states.slice(before).every((each) => each === "t1 RUNNING"));
  // The agent was heard: what it did not bring is not there.
  framework.accept([task("t2", agent.id)], [offerId]);
  t.is(framework.states.at(-1), "t2 DROPPED");
});

test("5.4 that silence ends with one window of the leader: who was not heard in it counts as lost", (t) => {
  const s = new Scenario();
  const framework = s.subscribe(aware);
  s.failover({ generation: 7 });
  framework.subscribe();
  const ask = () => framework.reconcile(["t1"], ["t2", "1-100-abcd-S9"]);
  s.advance(74_000);
  ask();
  t.deepEqual(framework.states, []);
  t.is(framework.kill("t1").code, 503);
  s.advance(1_000);
  ask();
  t.deepEqual(framework.states, ["t1 UNKNOWN", "t2 UNKNOWN"]);
  t.is(framework.kill("t1").code, 202);
});

test("5.4, 13.2 a registry that began empty knows that something was before it", (t) => {
  const s = new Scenario({ generation: 7 });
  s.tables.apply({ kind: "meta", id: "", record: { ...s.tables.meta!, lastEpochBefore: { generation: 0, revision: 0 } } });
  const framework = s.subscribe(aware);
  framework.reconcile(["t1"], ["t2", "1-100-abcd-S9"]);
  t.deepEqual(framework.states, []);
});

test("7.5 each subscription hears what only a master can tell, as the last stream may have lost it", (t) => {
  const s = new Scenario();
  const [here, lost] = [s.agent({ hostname: "h1" }), s.agent({ hostname: "h2" })];
  const framework = s.subscribe(aware);
  const offerOf = (agentId: string) => [...framework.offers.values()].find((offer) => offer.agentId?.value === agentId)!.id!.value!;
  framework.accept([task("t1", here.id)], [offerOf(here.id)]);
  framework.accept([task("t2", lost.id)], [offerOf(lost.id)]);
  here.update("t1", TaskState.TASK_RUNNING);
  lost.update("t2", TaskState.TASK_RUNNING);
  lost.disconnect();
  s.advance(160_000);
  t.is(framework.states.at(-1), "t2 UNREACHABLE");
  s.failover();
  const before = framework.states.length;
  framework.subscribe();
  t.deepEqual(framework.states.slice(before), ["t2 UNREACHABLE"]);
  framework.disconnect();
  framework.subscribe();
  t.deepEqual(framework.states.slice(before), ["t2 UNREACHABLE", "t2 UNREACHABLE"]);
});

test("4.5 what a framework missed while away is told when it is back, until it was told", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe(aware);
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_RUNNING);
  framework.disconnect();
  agent.disconnect();
  agent.held.clear();
  agent.restart();
  agent.connect();
  t.is([...s.tables.tasks.values()][0]?.settled, true);
  framework.subscribe();
  t.is(framework.states.at(-1), "t1 GONE");
  s.advance(61_000);
  t.is(s.tables.tasks.size, 0);
  t.is(s.tables.finishedById(framework.id, "t1")?.task?.state, TaskState.TASK_GONE);
});
