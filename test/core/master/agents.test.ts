import test from "ava";
import { Refusal_Kind as Kind } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, Cluster } from "./cluster.ts";

test("8.7 a registration whose answer was lost yields the same id", (t) => {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const { id } = agent;
  agent.disconnect();
  agent.id = "";
  agent.reconnect();
  t.is(agent.id, id);
  t.is(cluster.tables.agents.size, 1);
});

test("9.2 equal digests: confirmed without a write", (t) => {
  const { cluster, agent } = running();
  const row = cluster.agentRow(agent);
  cluster.failover();
  agent.reconnect();
  t.true(agent.confirmed);
  t.is(cluster.agentRow(agent), row);
  t.is(agent.told("listWanted").length, 0);
});

test("9.1 updates under way and kills that were lost ask for no list, and the kill is ordered again", (t) => {
  const { cluster, agent, framework } = running();
  agent.disconnect();
  framework.kill("t1");
  agent.update("t1", TaskState.TASK_KILLING);
  cluster.failover();
  agent.reconnect();
  t.true(agent.confirmed);
  t.is(agent.told("listWanted").length, 0);
  t.is(agent.told("kill").length, 1);
});

test("9.3 a new process of an agent is listed, and the registry remembers its incarnation", (t) => {
  const { cluster, agent } = running();
  agent.disconnect();
  agent.starts = 2;
  agent.process = "p2";
  agent.connect();
  agent.report();
  t.deepEqual(agent.told("listWanted"), [{ withInfos: false }]);
  agent.report(true);
  t.true(agent.confirmed);
  t.like(cluster.agentRow(agent).incarnation, { starts: 2, nonce: "p2" });
});

test("5.5 a broken agent stream withdraws its offers, nothing else", (t) => {
  const { cluster, agent, framework } = running();
  t.is(cluster.machine.state.offers.size, 1);
  agent.disconnect();
  t.is(cluster.machine.state.offers.size, 0);
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  cluster.advance(60_000);
  t.is(cluster.agentRow(agent).standing!.$case, "in");
  agent.reconnect();
  cluster.drain();
  t.is(cluster.machine.state.offers.size, 1);
});

test("8.2 a newer session of the same process replaces the older one", (t) => {
  const { cluster, agent } = running();
  const old = agent.session;
  agent.reconnect();
  t.true(agent.confirmed);
  t.true(cluster.words.some((word) => word.kind === "closeAgent" && word.session === old));
  t.is(cluster.machine.state.agentSessions.size, 1);
});

test("8.2 the late report of an older session settles nothing: the newer one is the process's by now", (t) => {
  const { cluster, agent, framework } = running();
  // A new process: its first session hangs in a slow connection after it was led, and it dials again.
  agent.update("t1", TaskState.TASK_FINISHED);
  agent.forget("t1");
  agent.disconnect();
  Object.assign(agent, { starts: 2, process: "p2" });
  agent.connect();
  const slow = agent.session;
  agent.connect();
  const live = agent.session;
  agent.report(true);
  t.true(agent.confirmed);
  t.true(cluster.words.some((word) => word.kind === "closeAgent" && word.session === slow));
  cluster.advance(1_100);
  framework.launch(agent, "t2");
  agent.run("t2");
  agent.held.clear();
  agent.session = slow;
  agent.report(true);
  t.is(cluster.task("t2")!.state, TaskState.TASK_RUNNING);
  t.is(cluster.machine.state.agentStreams.get(agent.id)!.session, live);
});

test("8.2 what an older session reports before the newer one was heard at all is too late as well", (t) => {
  const { cluster, agent } = running();
  agent.disconnect();
  Object.assign(agent, { starts: 2, process: "p2" });
  agent.connect();
  const slow = agent.session;
  agent.connect();
  const live = agent.session;
  const { held } = agent;
  const tasks = [...held];
  held.clear();
  agent.session = slow;
  agent.report(true);
  t.deepEqual(agent.told("confirm"), []);
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
  agent.session = live;
  for (const [launchId, task] of tasks) held.set(launchId, task);
  agent.report(true);
  t.true(agent.confirmed);
});

test("8.7, 8.2 the late first registration of an older session does not end what was launched in the newer one", (t) => {
  const cluster = new Cluster();
  const agent = new Agent(cluster, "a");
  const framework = cluster.framework();
  agent.connect();
  const slow = agent.session;
  agent.connect();
  const live = agent.session;
  agent.report();
  const { id } = agent;
  cluster.drain();
  framework.launch(agent, "t1");
  agent.run("t1");
  Object.assign(agent, { session: slow, id: "", storedGeneration: 0 });
  agent.held.clear();
  agent.report(true, true);
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
  t.is(cluster.machine.state.agentStreams.get(id)!.session, live);
  t.true(cluster.words.some((word) => word.kind === "closeAgent" && word.session === slow));
});

test("8.6 a probe asks the known process where it can hear it: in its newest session", (t) => {
  const { cluster, agent } = running();
  cluster.failover();
  agent.connect();
  const slow = agent.session;
  agent.connect();
  const clone = cloneOf(agent);
  clone.connect();
  clone.report(true);
  t.is(cluster.told(slow, "ping").length, 0);
  agent.answer();
  t.is(clone.told("refusal")[0]!.kind, Kind.KIND_DUPLICATE);
});

test("8.6 while the known process answers, another one with its id is refused", (t) => {
  const { cluster, agent } = running();
  const clone = cloneOf(agent);
  clone.connect();
  clone.report(true);
  t.deepEqual(clone.told("refusal"), []);
  agent.answer();
  t.is(clone.told("refusal")[0]!.kind, Kind.KIND_DUPLICATE);
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
  t.like(cluster.agentRow(agent).incarnation, agent.incarnation);
});

test("8.6 after a failover the known process is asked before a clone is believed", (t) => {
  const { cluster, agent } = running();
  const clone = cloneOf(agent);
  cluster.failover();
  clone.connect();
  agent.connect();
  clone.report(true);
  t.deepEqual(clone.told("refusal"), []);
  agent.report();
  t.true(agent.confirmed);
  agent.answer();
  t.is(clone.told("refusal")[0]!.kind, Kind.KIND_DUPLICATE);
});

test("8.6 only an answer to the probe shows that the known process lives: what it wrote before may arrive late", (t) => {
  const { cluster, agent } = running();
  const next = cloneOf(agent);
  cluster.failover();
  agent.connect();
  next.connect();
  next.report(true);
  agent.report();
  t.deepEqual(next.told("refusal"), []);
  cluster.advance(5_000);
  t.true(next.told("confirm").length > 0);
});

test("8.6 nobody becomes an agent by greeting as it: the report has to say the same", (t) => {
  const { cluster, agent } = running();
  const row = cluster.agentRow(agent);
  for (const nonce of ["of its own", agent.nonce]) {
    const thief = new Agent(cluster, "thief");
    Object.assign(thief, { nonce, process: "another" });
    thief.id = nonce === agent.nonce ? "nobody" : agent.id;
    thief.connect();
    thief.id = "";
    thief.report(true);
    t.is(thief.told("refusal")[0]!.kind, Kind.KIND_INVALID);
    thief.disconnect();
  }
  t.is(cluster.agentRow(agent), row);
  t.is(cluster.tables.agents.size, 1);
});

test("8.7 a nonce stays its first owner's, whoever shows it later", (t) => {
  const { cluster, agent } = running();
  const other = new Agent(cluster, "other");
  Object.assign(other, { nonce: agent.nonce, id: "other", process: "p9" });
  other.connect();
  other.report(true, true);
  t.is(other.id, "other");
  t.is(cluster.tables.agentByNonce(agent.nonce), agent.id);
});

test("13.4 of names that nobody has nothing is kept", (t) => {
  const { cluster } = running();
  for (const id of ["nobody", "x".repeat(100_000), "a/b", ".."]) {
    const stranger = new Agent(cluster, "stranger");
    stranger.id = id;
    stranger.connect();
    stranger.disconnect();
  }
  const { lastHeard, claims } = cluster.machine.state.membership;
  t.deepEqual([...lastHeard.keys(), ...claims.keys()].filter((id) => !cluster.tables.agents.has(id)), []);
});

test("13.2 an agent without a row that lists everything unasked has its tasks adopted", (t) => {
  const { cluster, agent } = running();
  const { launchId } = cluster.task("t1")!;
  cluster.tables.apply({ kind: "t", id: launchId, record: undefined });
  cluster.tables.apply({ kind: "a", id: agent.id, record: undefined });
  cluster.failover();
  agent.connect();
  agent.report(true, true);
  t.true(agent.confirmed);
  t.is(cluster.task("t1")?.agentId, agent.id);
});

test("8.6 a known process that does not answer is taken for dead, and the higher start counter wins", (t) => {
  const { cluster, agent } = running();
  const next = cloneOf(agent);
  next.connect();
  next.report(true);
  cluster.advance(5_000);
  t.true(cluster.words.some((word) => word.kind === "closeAgent" && word.session === agent.session));
  t.true(next.told("confirm").length > 0);
  t.like(cluster.agentRow(agent).incarnation, next.incarnation);
});

test("8.6 a contest ends at once when the stream of the known process closes", (t) => {
  const { cluster, agent } = running();
  const next = cloneOf(agent);
  next.held.set([...agent.held.keys()][0]!, [...agent.held.values()][0]!);
  next.connect();
  next.report(true);
  agent.disconnect();
  t.true(next.told("confirm").length > 0);
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
});

test("8.6 an equal or lower start counter never replaces the known process", (t) => {
  const { agent } = running();
  agent.disconnect();
  const twin = cloneOf(agent);
  twin.starts = agent.starts;
  twin.connect();
  twin.report(true);
  t.is(twin.told("refusal")[0]!.kind, Kind.KIND_DUPLICATE);
});

test("a report that makes no sense is refused, and a better one taken in the same session", (t) => {
  const cluster = new Cluster();
  const agent = new Agent(cluster, "a");
  agent.connect();
  const { session } = agent;
  cluster.step({
    kind: "agentReport",
    session,
    report: { agentId: "", clusterId: "", address: "", registrationNonce: "", listed: false, held: [] },
  });
  t.is(agent.told("refusal")[0]!.kind, Kind.KIND_INVALID);
  agent.report();
  t.true(agent.confirmed);
});

test("12.2 an agent of another cluster is refused", (t) => {
  const cluster = new Cluster();
  const agent = new Agent(cluster, "a");
  agent.connect();
  const report = { agentId: "", clusterId: "c2", address: "", registrationNonce: "n", listed: false, held: [] };
  cluster.step({ kind: "agentReport", session: agent.session, report });
  t.is(agent.told("refusal")[0]!.kind, Kind.KIND_OTHER_CLUSTER);
});

test("9.5 an agent that obeys a higher epoch is left alone, behind a barrier and with an alarm", (t) => {
  const { cluster, agent } = running();
  cluster.failover();
  agent.connect();
  cluster.step({ kind: "agentEpochRefused", session: agent.session, storedGeneration: 1, storedRevision: 999 });
  t.is(agent.told("refusal")[0]!.kind, Kind.KIND_LATER);
  t.regex(cluster.alarms[0]!, /registry restore/);
  cluster.advance(1_000);
  t.is(agent.told("confirm").length, 0);
});

test("9.5 a confirmed agent that obeys a higher epoch is offered no more; with a good report it is taken again", (t) => {
  const { cluster, agent } = running();
  t.is(cluster.machine.state.offers.size, 1);
  cluster.step({ kind: "agentEpochRefused", session: agent.session, storedGeneration: 1, storedRevision: 999 });
  t.is(cluster.machine.state.offers.size, 0);
  cluster.advance(10_000);
  t.is(cluster.machine.state.offers.size, 0);
  t.is(cluster.machine.state.agentStreams.size, 0);
  t.is(cluster.task("t1")!.state, TaskState.TASK_RUNNING);
  agent.report();
  cluster.drain();
  t.is(cluster.machine.state.offers.size, 1);
});

test("I14 an agent that comes back smaller than what it runs is over-committed: nothing of it is offered until enough ended", (t) => {
  const { cluster, agent, framework } = running();
  agent.disconnect();
  agent.resources = "cpus:0.5;mem:8192";
  agent.restart();
  cluster.drain();
  t.is(cluster.machine.state.offers.size, 0);
  t.deepEqual(framework.heard("t1"), ["RUNNING"]);
  agent.update("t1", TaskState.TASK_FINISHED);
  cluster.advance(2_000);
  t.is(cluster.machine.state.offers.size, 1);
});

test("3.5 with a full store an agent is confirmed if that needs no write, else told to come later", (t) => {
  const { cluster, agent } = running();
  cluster.step({ kind: "readOnly", on: true, reason: "full" });
  agent.disconnect();
  agent.reconnect();
  t.true(agent.confirmed);
  const fresh = new Agent(cluster, "b");
  fresh.connect();
  fresh.report();
  t.like(fresh.told("refusal")[0], { kind: Kind.KIND_LATER, retryMs: 5_000 });
  cluster.step({ kind: "readOnly", on: false, reason: "" });
  fresh.report();
  t.true(fresh.confirmed);
});

test("3.5 an agent whose registration was undone with the full store has to come again", (t) => {
  const cluster = new Cluster();
  const agent = new Agent(cluster, "a");
  agent.connect();
  agent.report();
  cluster.tables.apply({ kind: "a", id: agent.id, record: undefined });
  cluster.step({ kind: "readOnly", on: true, reason: "full" });
  t.true(cluster.words.some((word) => word.kind === "closeAgent" && word.session === agent.session));
});

/** Another process over a copy of the agent's work directory, started later. */
function cloneOf(agent: Agent): Agent {
  const clone = new Agent(agent.cluster, agent.name);
  clone.id = agent.id;
  clone.starts = agent.starts + 1;
  clone.process = "clone";
  clone.storedGeneration = agent.storedGeneration;
  return clone;
}

function running() {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  // What was not used is offered again after a second.
  cluster.advance(1_100);
  return { cluster, agent, framework };
}
