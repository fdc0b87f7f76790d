import test from "ava";
import { stateName } from "../../../src/model/task-state.ts";
import { type TaskState, TaskStatus_Reason as Reason } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, Cluster, type Framework } from "./cluster.ts";

test("5.5 an agent silent for a full window is unreachable: one write, the rest is derived (4.1)", (t) => {
  const { cluster, agent, framework } = running();
  const task = cluster.task("t1");
  const { term } = cluster.agentRow(agent);
  agent.disconnect();
  cluster.advance(74_000);
  t.is(cluster.agentRow(agent).standing!.$case, "in");
  cluster.advance(2_000);
  t.is(cluster.agentRow(agent).standing!.$case, "unreachableAt");
  t.is(cluster.agentRow(agent).term, term + 1);
  t.is(cluster.task("t1"), task);
  const status = framework.statuses("t1").at(-1)!;
  t.deepEqual(framework.heard("t1"), ["RUNNING", "UNREACHABLE"]);
  t.is(status.reason, Reason.REASON_AGENT_REMOVED);
  t.not(status.unreachableTime, undefined);
  t.deepEqual(framework.failures, [agent.id]);
});

test("Mesos 8.1 a framework without PARTITION_AWARE hears LOST", (t) => {
  const { cluster, agent } = running();
  const simple = cluster.framework("g", []);
  cluster.advance(1_100);
  simple.launch(agent, "s1");
  agent.run("s1");
  agent.disconnect();
  cluster.advance(76_000);
  t.deepEqual(simple.heard("s1"), ["RUNNING", "LOST"]);
});

test("5.5 an agent that answers pings stays; one whose stream is open and silent does not", (t) => {
  const { cluster, agent } = running();
  const silent = cluster.agent("b");
  for (let i = 0; i < 8; i++) {
    cluster.advance(15_000);
    agent.answer();
  }
  t.is(cluster.agentRow(agent).standing!.$case, "in");
  t.is(cluster.agentRow(silent).standing!.$case, "unreachableAt");
  t.true(cluster.words.some((word) => word.kind === "closeAgent" && word.session === silent.session));
});

test("4.1, Mesos 10 an agent that returns is in again, and its tasks are told with AGENT_REREGISTERED", (t) => {
  const { cluster, agent, framework } = running();
  agent.disconnect();
  cluster.advance(80_000);
  agent.reconnect();
  t.is(cluster.agentRow(agent).standing!.$case, "in");
  t.deepEqual(framework.heard("t1"), ["RUNNING", "UNREACHABLE", "RUNNING"]);
  const status = framework.statuses("t1").at(-1)!;
  t.is(status.reason, Reason.REASON_AGENT_REREGISTERED);
  t.is(status.uuid, undefined);
  cluster.advance(30_000);
  t.true(framework.offers.length > 0);
});

test("4.1, I25 operators hear of each task that its agent's absence made unreachable, and of each that is back", (t) => {
  const { cluster, agent } = running();
  const told = (): string[] =>
    cluster.words.flatMap((word) => (word.kind === "notice" && word.event.event?.$case === "task" ? [stateName(word.event.event.value.shownState as TaskState)] : []));
  agent.disconnect();
  cluster.advance(80_000);
  t.is(told().at(-1), "TASK_UNREACHABLE");
  agent.reconnect();
  t.is(told().at(-1), "TASK_RUNNING");
});

test("5.5, D10 a new leader gives every agent a full window of its own", (t) => {
  const { cluster, agent } = running();
  agent.disconnect();
  cluster.advance(70_000);
  cluster.failover();
  cluster.advance(74_000);
  t.is(cluster.agentRow(agent).standing!.$case, "in");
  cluster.advance(2_000);
  t.is(cluster.agentRow(agent).standing!.$case, "unreachableAt");
});

test("5.5, 3.6 time spent mute does not count as silence", (t) => {
  const { cluster, agent } = running();
  agent.disconnect();
  cluster.advance(30_000);
  cluster.step({ kind: "mute", on: true });
  cluster.advance(100_000);
  cluster.step({ kind: "mute", on: false });
  cluster.advance(44_000);
  t.is(cluster.agentRow(agent).standing!.$case, "in");
  cluster.advance(20_000);
  t.is(cluster.agentRow(agent).standing!.$case, "unreachableAt");
});

test("5.5 each agent is pinged once an interval, but not all at once: their answers come spread over it, too", (t) => {
  const { cluster } = running();
  const agents = Array.from({ length: 30 }, (_, i) => cluster.agent(`many${i}`));
  const told = (): number => agents.reduce((sum, agent) => sum + agent.told("ping").length, 0);
  let most = 0;
  for (let second = 0, before = told(); second < 15; second += 1, before = told()) {
    cluster.advance(1_000);
    most = Math.max(most, told() - before);
  }
  t.deepEqual([...new Set(agents.map((agent) => agent.told("ping").length))], [1]);
  t.true(most <= 8, `${most} of 30 within a second`);
});

test("3.6 a mute leader pings nobody", (t) => {
  const { cluster, agent } = running();
  cluster.step({ kind: "mute", on: true });
  cluster.advance(60_000);
  t.is(agent.told("ping").length, 0);
});

test("5.5 after a pause of our own process nobody is declared dead for what we could not hear", (t) => {
  const { cluster, agent } = running();
  cluster.advance(10_000);
  // Nothing ran for 100 s; the agent's answers are still in the sockets.
  cluster.now += 100_000;
  cluster.drain();
  t.is(cluster.agentRow(agent).standing!.$case, "in");
  agent.answer();
  cluster.advance(70_000);
  t.is(cluster.agentRow(agent).standing!.$case, "in");
});

test("5.5 a pause is counted once, however many deadlines waited for its end", (t) => {
  const cluster = new Cluster();
  cluster.checking = false;
  const agents = Array.from({ length: 600 }, (_, i) => cluster.agent(`a${i}`));
  cluster.advance(1_000);
  cluster.now += 100_000;
  cluster.drain();
  t.true(cluster.machine.state.membership.deafMs <= 100_000);
  t.is(cluster.agentRow(agents[0]!).standing!.$case, "in");
});

test("5.5 the brake: one agent a minute in a small cluster, and none while more than a third are away", (t) => {
  const cluster = new Cluster();
  const agents = Array.from({ length: 9 }, (_, i) => cluster.agent(`a${i}`));
  const unreachable = () => agents.filter((agent) => cluster.agentRow(agent).standing!.$case === "unreachableAt").length;
  const pass = (rest: Agent[], ms: number) => {
    for (let left = ms; left > 0; left -= 15_000) {
      cluster.advance(15_000);
      for (const agent of rest) agent.answer();
    }
  };
  for (const agent of agents.slice(0, 4)) agent.disconnect();
  pass(agents.slice(4), 180_000);
  t.is(unreachable(), 0);
  t.regex(cluster.alarms[0]!, /4 of 9 agents are away/);
  agents[0]!.reconnect();
  agents[1]!.reconnect();
  const alive = [...agents.slice(0, 2), ...agents.slice(4)];
  pass(alive, 30_000);
  t.is(unreachable(), 1);
  pass(alive, 75_000);
  t.is(unreachable(), 2);
});

test("agentsConfirmed is said once, when no member is left unconfirmed", (t) => {
  const cluster = new Cluster();
  const agents = [cluster.agent("a"), cluster.agent("b")];
  cluster.failover();
  agents[0]!.reconnect();
  t.deepEqual(cluster.milestones, []);
  agents[1]!.reconnect();
  t.deepEqual(cluster.milestones, ["agentsConfirmed"]);
  agents[1]!.reconnect();
  t.deepEqual(cluster.milestones, ["agentsConfirmed"]);
});

function running(): { cluster: Cluster; agent: Agent; framework: Framework } {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  return { cluster, agent, framework };
}

test("5.5 the brake lets one through at a time, though rounding may end its minute a moment early", (t) => {
  const cluster = new Cluster();
  // From here a minute after a full window is, by rounding, neither over nor left.
  cluster.now = 1_000.001;
  const agents = Array.from({ length: 4 }, (_, i) => cluster.agent(`a${i}`));
  const unreachable = () => agents.filter((agent) => cluster.agentRow(agent).standing!.$case === "unreachableAt").length;
  cluster.advance(75_000);
  t.is(unreachable(), 1);
  cluster.advance(60_001);
  t.is(unreachable(), 2);
});
