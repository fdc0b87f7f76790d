/** What only a master can tell, told on a stream that turns out to be broken: nobody else would ever repeat it. */
import test from "ava";
import { TaskStatus_Reason as Reason } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, Cluster, type Framework } from "./cluster.ts";

test("4.5 an end told on a stream that breaks soon after is told again on the next one, and stays until that was received", (t) => {
  const { cluster, agent, framework } = running();
  agent.held.clear();
  agent.restart();
  t.deepEqual(framework.heard("t1"), ["RUNNING", "GONE"]);
  cluster.advance(45_000);
  framework.disconnect();
  cluster.advance(120_000);
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["GONE"]);
  cluster.advance(59_000);
  t.true(cluster.task("t1")!.settled);
  cluster.advance(2_000);
  t.is(cluster.task("t1"), undefined);
  t.is(cluster.machine.state.membership.told.size, 0);
});

test("4.5 the same when a newer subscription takes the place of a stream that nobody saw break", (t) => {
  const { cluster, agent, framework } = running();
  agent.held.clear();
  agent.restart();
  cluster.advance(45_000);
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["GONE"]);
  cluster.advance(45_000);
  t.true(cluster.task("t1")!.settled);
});

test("4.5 asking for it again and again does not keep what ended in the registry", (t) => {
  const { cluster, agent, framework } = running();
  agent.held.clear();
  agent.restart();
  for (let i = 0; i < 7; i++) {
    cluster.advance(10_000);
    framework.reconcile();
  }
  t.is(cluster.task("t1"), undefined);
});

test("4.5 with very many ends told at once, their rows leave in small batches", (t) => {
  const cluster = new Cluster();
  const agent = cluster.agent("a", "cpus:1000;mem:1000000");
  const framework = cluster.framework();
  framework.launch(agent, ...Array.from({ length: 250 }, (_, i) => `t${i}`));
  for (let i = 0; i < 250; i++) agent.run(`t${i}`);
  agent.held.clear();
  agent.restart();
  cluster.advance(59_900);
  t.is(cluster.tables.tasks.size, 250);
  const left: number[] = [];
  for (let i = 0; i < 4; i++) {
    cluster.advance(100);
    left.push(cluster.tables.tasks.size);
  }
  t.deepEqual(left, [150, 50, 0, 0]);
});

test("7.5 UNREACHABLE lost with a stream is told again on the next one, by the same leader", (t) => {
  const { cluster, agent, framework } = running();
  agent.disconnect();
  cluster.advance(76_000);
  t.deepEqual(framework.heard("t1"), ["RUNNING", "UNREACHABLE"]);
  framework.disconnect();
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["UNREACHABLE"]);
});

test("4.2, 7.5 tasks of a gone agent stay until a stream that heard of it lasted: then nobody has to ask", (t) => {
  const { cluster, agent, framework } = running();
  cluster.step({
    kind: "operator",
    token: 1,
    principal: "op",
    request: { allowStale: false, call: { $case: "markAgentGone", value: { agentId: agent.id } } },
  });
  t.deepEqual(framework.heard("t1"), ["RUNNING", "GONE_BY_OPERATOR"]);
  cluster.advance(45_000);
  framework.disconnect();
  cluster.advance(240_000);
  t.not(cluster.task("t1"), undefined);
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["GONE_BY_OPERATOR"]);
  cluster.advance(122_000);
  t.is(cluster.task("t1"), undefined);
});

test("7.5 an agent returns while its framework is away: that it runs again is told when the framework is back", (t) => {
  const { cluster, agent, framework } = running();
  agent.disconnect();
  cluster.advance(76_000);
  framework.disconnect();
  agent.reconnect();
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  t.is(framework.statuses("t1")[0]!.reason, Reason.REASON_AGENT_REREGISTERED);
});

test("7.5 a leader dies after it wrote that an agent returned, before anybody heard: the next one tells", (t) => {
  const { cluster, agent, framework } = running();
  agent.disconnect();
  cluster.advance(76_000);
  agent.reconnect();
  cluster.failover();
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
});

test("7.5 of tasks whose agent was never given up the master says nothing, however often their framework subscribes", (t) => {
  const { cluster, framework } = running();
  for (let i = 0; i < 3; i++) {
    framework.disconnect();
    framework.subscribe();
    t.deepEqual(framework.heard("t1"), []);
  }
  cluster.failover();
  framework.subscribe();
  t.deepEqual(framework.heard("t1"), []);
});

function running(): { cluster: Cluster; agent: Agent; framework: Framework } {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  return { cluster, agent, framework };
}
