import test from "ava";
import type { LeaderRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Cluster } from "./cluster.ts";

test("5.2 a leadership writes its record, completes it later, and the next one takes the next place in the ring", (t) => {
  const { cluster } = running();
  cluster.step({ kind: "leaderRecord", record: record("crash") });
  cluster.step({ kind: "leaderRecord", record: { ...record("crash"), phases: { firstLaunchMs: 7 } } });
  t.is(cluster.tables.leaders.size, 1);
  t.like(cluster.tables.leaders.get("0"), { number: 0, tasksCarried: 1, agentsKnown: 1, phases: { firstLaunchMs: 7 } });
  cluster.failover();
  cluster.step({ kind: "leaderRecord", record: record("silence") });
  t.deepEqual([...cluster.tables.leaders.keys()], ["0", "1"]);
});

test("11.1 while a durable deadline runs, something is written every 5 s, so that the clock is durable", (t) => {
  const { cluster, agent } = running();
  cluster.step({ kind: "leaderRecord", record: record("bootstrap") });
  t.is(writes(cluster, 20_000), 0);
  agent.disconnect();
  cluster.advance(80_000);
  t.is(cluster.agentRow(agent).standing!.$case, "unreachableAt");
  t.is(writes(cluster, 20_000), 4);
});

test("5.1 promotion makes no write and says nothing", (t) => {
  const { cluster } = running();
  const before = [...cluster.tables.tasks.values()];
  cluster.failover();
  t.deepEqual(cluster.words, []);
  t.deepEqual([...cluster.tables.tasks.values()], before);
});

test("3.6 no offers while mute; they are made when the store answers again", (t) => {
  const { cluster, framework } = running();
  cluster.step({ kind: "mute", on: true });
  cluster.advance(5_000);
  t.is(cluster.machine.state.offers.size, 0);
  cluster.step({ kind: "mute", on: false });
  t.true(framework.offers.length > 0);
  t.is(cluster.machine.state.offers.size, 1);
});

test("3.5 a full store voids the offers, and what is used is counted anew from the tables", (t) => {
  const { cluster, agent, framework } = running();
  cluster.advance(1_100);
  framework.launch(agent, "t2");
  // The launch was pending when the store refused it: the shell undid it.
  cluster.tables.apply({ kind: "t", id: cluster.task("t2")!.launchId, record: undefined });
  cluster.checking = false;
  cluster.step({ kind: "readOnly", on: true, reason: "full" });
  cluster.checking = true;
  cluster.advance(2_000);
  t.is(cluster.machine.state.offers.size, 0);
  t.is(cluster.machine.state.allocator.available(agent.id).scalar("cpus"), 7_000);
});

test("4.2 tasks of a gone agent go to history, and the agent is told to stop", (t) => {
  const { cluster, agent, framework } = running();
  cluster.step(operator("markAgentGone", { agentId: agent.id }));
  t.is(agent.told("refusal").length, 1);
  t.deepEqual(framework.heard("t1"), ["RUNNING", "GONE_BY_OPERATOR"]);
  t.deepEqual(framework.failures, [agent.id]);
  cluster.advance(121_000);
  t.is(cluster.task("t1"), undefined);
  t.is(cluster.past("t1")!.state, TaskState.TASK_GONE_BY_OPERATOR);
  t.is(cluster.agentRow(agent).standing!.$case, "goneAt");
  agent.disconnect();
  agent.reconnect();
  t.is(agent.told("refusal").length, 1);
});

test("4.2, 4.5 tasks of a gone agent stay until their framework heard of it", (t) => {
  const { cluster, agent, framework } = running();
  framework.disconnect();
  cluster.step(operator("markAgentGone", { agentId: agent.id }));
  cluster.advance(120_000);
  t.not(cluster.task("t1"), undefined);
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["GONE_BY_OPERATOR"]);
  cluster.advance(59_000);
  t.not(cluster.task("t1"), undefined);
  cluster.advance(61_000);
  t.is(cluster.task("t1"), undefined);
});

test("4.2, 9.3 an agent unreachable for two weeks is forgotten with its tasks; if it comes back after all, they run on", (t) => {
  const { cluster, agent, framework } = running({ unreachableRetentionSeconds: 300 });
  agent.disconnect();
  cluster.advance(80_000);
  cluster.advance(290_000);
  t.not(cluster.task("t1"), undefined);
  cluster.advance(80_000);
  t.is(cluster.task("t1"), undefined);
  t.false(cluster.tables.agents.has(agent.id));
  agent.connect();
  agent.report();
  agent.report(true, true);
  t.true(agent.confirmed);
  t.is(agent.told("kill").length, 0);
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
  t.deepEqual(framework.heard("t1"), ["RUNNING", "UNREACHABLE", "RUNNING"]);
});

test("1.4, 4.2 of removed frameworks the newest 50 are kept; older ones leave with their history, under the next leader wholly", (t) => {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const first = cluster.framework("f0");
  first.launch(agent, "t1");
  agent.run("t1");
  agent.update("t1", TaskState.TASK_FINISHED);
  agent.forget("t1");
  first.teardown();
  cluster.advance(1_000);
  for (let i = 1; i <= 50; i++) cluster.framework(`f${i}`).teardown();
  cluster.advance(61_000);
  t.is(cluster.tables.history.size, 0);
  cluster.failover();
  cluster.advance(61_000);
  t.is(cluster.tables.frameworks.size, 50);
  t.false(cluster.tables.frameworks.has(first.id));
});

test("an agent that is deactivated gets no offers until it is active again", (t) => {
  const { cluster, agent } = running();
  cluster.advance(1_100);
  cluster.step(operator("setAgentActive", { agentId: agent.id, active: false }));
  cluster.advance(10_000);
  t.is(cluster.machine.state.offers.size, 0);
  cluster.failover();
  agent.reconnect();
  cluster.advance(1_000);
  t.is(cluster.machine.state.offers.size, 0);
  cluster.step(operator("setAgentActive", { agentId: agent.id, active: true }));
  t.false(cluster.agentRow(agent).deactivated);
});

function operator($case: "markAgentGone" | "setAgentActive", value: { agentId: string; active?: boolean }) {
  const call = $case === "markAgentGone" ? { $case, value } : { $case, value: { ...value, active: value.active === true } };
  return { kind: "operator" as const, token: 1, principal: "op", request: { allowStale: false, call } };
}

/** Steps that write something while time passes. */
function writes(cluster: Cluster, ms: number): number {
  let count = 0;
  const end = cluster.now + ms;
  for (let next = cluster.machine.nextDeadline(); next !== undefined && next <= end; next = cluster.machine.nextDeadline()) {
    cluster.now = next;
    const { atoms } = cluster.machine.step({ kind: "deadline" }, cluster.now);
    if (atoms.length > 0) count += 1;
  }
  cluster.now = end;
  return count;
}

function record(cause: string): LeaderRecord {
  return {
    epoch: { generation: 1, revision: 100 },
    master: "m1",
    cause,
    previousMaster: "",
    electedAtMs: 0,
    tasksCarried: 0,
    agentsKnown: 0,
    traceparent: "",
    number: 0,
  };
}

function running(settings = {}) {
  const cluster = new Cluster(settings);
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  return { cluster, agent, framework };
}
