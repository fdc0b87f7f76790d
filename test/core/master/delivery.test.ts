import test from "ava";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, Cluster } from "./cluster.ts";

test("6.1 a launch without word for 30 s on a live session is said again", (t) => {
  const { cluster, agent } = launched();
  cluster.advance(29_000);
  t.is(agent.told("launch").length, 1);
  cluster.advance(2_000);
  t.is(agent.told("launch").length, 2);
  agent.run("t1");
  cluster.advance(60_000);
  t.is(agent.told("launch").length, 2);
});

test("6.1 a launch that was lost with its session is delivered in the next one", (t) => {
  const { agent } = launched();
  agent.disconnect();
  agent.connect();
  agent.report();
  t.is(agent.told("listWanted").length, 1);
  agent.report(true);
  t.deepEqual(agent.told("launch").map(({ task }) => task!.taskId!.value), ["t1"]);
});

test("6.1 a launch committed by a leader that died is delivered by the next one", (t) => {
  const { cluster, agent, framework } = launched();
  cluster.failover();
  framework.subscribe();
  agent.connect();
  agent.report();
  agent.report(true);
  t.is(agent.told("launch").length, 1);
  agent.run("t1");
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
});

test("6.1 a launch the agent holds without word is not said at once, but watched", (t) => {
  const { cluster, agent } = launched();
  agent.hold("t1");
  agent.disconnect();
  agent.reconnect();
  t.is(agent.told("listWanted").length, 0);
  t.is(agent.told("launch").length, 0);
  cluster.advance(31_000);
  t.is(agent.told("launch").length, 1);
});

test("6.4 a kill is marked, sent, and sent again on every session until the task ended", (t) => {
  const { cluster, agent, framework } = launched();
  agent.run("t1");
  framework.kill("t1");
  t.is(agent.told("kill").length, 1);
  t.not(cluster.task("t1")!.kill, undefined);
  agent.disconnect();
  agent.reconnect();
  t.is(agent.told("kill").length, 1);
  agent.update("t1", TaskState.TASK_KILLED);
  agent.disconnect();
  agent.reconnect();
  t.is(agent.told("kill").length, 0);
});

test("6.4, 6.1 a kill of a launch that its agent never took is said again, and ends it when the agent shows that it lacks it", (t) => {
  for (const order of ["kill", "teardown"] as const) {
    const { cluster, agent, framework } = launched();
    const { launchId } = cluster.task("t1")!;
    cluster.advance(5_000);
    if (order === "kill") framework.kill("t1");
    else framework.teardown();
    t.is(agent.told("kill").length, 1);
    cluster.advance(65_000);
    agent.answer();
    t.is(agent.told("kill").length, 3, "once more each 30 s");
    t.is(agent.told("launch").length, 1);
    cluster.step({ kind: "agentForgot", session: agent.session, launchIds: [launchId] });
    t.is(cluster.task("t1")!.state, TaskState.TASK_KILLED);
    t.deepEqual(framework.heard("t1"), order === "kill" ? ["KILLED"] : []);
    t.deepEqual(cluster.alarms, []);
    t.true(cluster.tables.agentBooks(agent.id).used.isEmpty);
    cluster.advance(65_000);
    t.is(agent.told("kill").length, 3);
    t.is(cluster.task("t1"), undefined);
  }
});

test("6.4, 6.1 the same for a kill that waited for its agent and meets a launch it holds without word", (t) => {
  const { cluster, agent, framework } = launched();
  agent.hold("t1");
  agent.disconnect();
  framework.kill("t1");
  agent.reconnect();
  t.is(agent.told("kill").length, 1);
  cluster.advance(31_000);
  t.is(agent.told("kill").length, 2);
  agent.update("t1", TaskState.TASK_KILLED);
  cluster.advance(61_000);
  t.is(agent.told("kill").length, 2);
});

test("6.5 a kill for an unconfirmed agent is only marked; KILLED is said once the agent showed that it lacks the task", (t) => {
  const { agent, framework } = launched();
  agent.disconnect();
  framework.kill("t1");
  t.deepEqual(framework.heard("t1"), []);
  agent.connect();
  t.deepEqual(framework.heard("t1"), []);
  agent.report();
  agent.report(true);
  t.deepEqual(framework.heard("t1"), ["KILLED"]);
  t.is(agent.told("launch").length, 0);
});

test("4.1 the tasks of a removed framework are killed on agents that come back later", (t) => {
  const { cluster, agent, framework } = launched();
  agent.run("t1");
  agent.disconnect();
  framework.teardown();
  t.is(cluster.task("t1")!.kill, undefined);
  agent.reconnect();
  t.is(agent.told("kill").length, 1);
});

test("5.3 agents with orders to deliver are told to lead first, and never more than 500 at a time", (t) => {
  const cluster = new Cluster();
  cluster.checking = false;
  const framework = cluster.framework();
  const agents = Array.from({ length: 510 }, (_, i) => cluster.agent(`a${i}`));
  const last = agents.at(-1)!;
  framework.launch(last, "t1");
  cluster.failover();
  for (const agent of agents.slice(0, -1)) agent.connect();
  const led = () => agents.filter((agent) => agent.told("lead").length > 0).length;
  t.is(led(), 500);
  last.connect();
  t.is(led(), 500);
  agents[0]!.report();
  t.is(last.told("lead").length, 1);
  for (const agent of agents.slice(1, 20)) agent.report();
  t.is(led(), 510);
});

test("5.3 an agent that does not report in time no longer keeps others waiting", (t) => {
  const cluster = new Cluster();
  cluster.checking = false;
  const agents = Array.from({ length: 501 }, (_, i) => cluster.agent(`a${i}`));
  cluster.failover();
  for (const agent of agents) agent.connect();
  t.is(agents.at(-1)!.told("lead").length, 0);
  cluster.advance(5_000);
  t.is(agents.at(-1)!.told("lead").length, 1);
});

function launched() {
  const cluster = new Cluster();
  const agent: Agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  return { cluster, agent, framework };
}
