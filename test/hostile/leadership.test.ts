/** What a leadership leaves behind, says or undoes when things go wrong under it. */
import test from "ava";
import { defaultMasterSettings } from "../../src/core/master/settings.ts";
import { CandidateRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { Call_Type, Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { AgentClient, Masters, type Node, SchedulerClient } from "../master/masters.ts";

const TRIO = ["m1", "m2", "m3"];

function frameworkRows(masters: Masters): string[] {
  return masters.server.rows().flatMap(({ key }) => (key.startsWith("f/") ? [key.slice(2)] : []));
}

async function frameworksKnownTo(masters: Masters, node: Node): Promise<string[]> {
  const asked = node.master.operators.call({ allowStale: true, call: { $case: "listFrameworks", value: {} } }, "");
  await masters.run(50);
  const { answer } = await asked;
  return answer?.$case === "frameworks" ? answer.value.frameworks.map(({ id }) => id) : [];
}

test("3.7, 3.9 a step that throws half-way leaves nothing in the tables", async (t) => {
  await using masters = new Masters();
  let armed = false;
  // Read after the framework's row was put: a stand-in for any bug in the second half of a step.
  const settings = Object.defineProperty({ ...defaultMasterSettings }, "schedulerHeartbeatMs", {
    get: () => {
      if (armed) throw new Error("a bug");
      return 15_000;
    },
  });
  await masters.start(TRIO, { machine: settings });
  const node = masters.node("m1");
  armed = true;
  new SchedulerClient(node, "poison");
  await masters.run(20);
  armed = false;
  await masters.run(10_000);
  t.deepEqual(frameworkRows(masters), []);
  t.deepEqual(await frameworksKnownTo(masters, node), [], "a standby holds what the registry holds");
});

test("3.9 a call whose handling throws is answered 500, so that its sender does not repeat it to the next leader", async (t) => {
  await using masters = new Masters();
  let armed = false;
  const settings = Object.defineProperty({ ...defaultMasterSettings }, "killGraceMs", {
    get: () => {
      if (armed) throw new Error("a bug");
      return 3_000;
    },
  });
  await masters.start(["m1"], { machine: settings });
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await masters.run(100);
  const agent = await confirmedAgent(masters, masters.node("m1"));
  await masters.run(1_500);
  const offer = framework.items.flatMap(({ item }) => (item?.$case === "event" ? (item.value.offers?.offers ?? []) : []))[0]!;
  framework.call(launchCall(offer.id!.value!, offer.agentId!.value!, "t1") as never);
  await masters.run(100);
  t.true(agent.said("launch"));
  armed = true;
  const number = framework.call({ type: Call_Type.KILL, kill: { taskId: { value: "t1" } } });
  await masters.run(100);
  armed = false;
  t.is(framework.reply(number), 500);
});

test("3.5 while the store stays full, streams stay: a failed try to write again disturbs nobody", async (t) => {
  await using masters = new Masters();
  await masters.start(TRIO);
  const leader = masters.leader();
  new SchedulerClient(leader, "f1");
  await masters.run(100);
  masters.server.full = true;
  new SchedulerClient(leader, "f2");
  await masters.run(1_000);
  const reader = new SchedulerClient(leader, "f1");
  await masters.run(500);
  t.true(reader.subscribed);
  await masters.run(12_000);
  t.false(reader.closed, "two retries have failed meanwhile");
});

test("11.1 after a spell of read-only the cluster clock is durable again within seconds", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const leader = masters.leader();
  new SchedulerClient(leader, "f1").disconnect();
  await masters.run(15_000);
  masters.server.full = true;
  new SchedulerClient(leader, "f2");
  await masters.run(2_000);
  masters.server.full = false;
  await masters.run(10_000);
  // A durable deadline runs: f1 is away.
  new SchedulerClient(leader, "f1");
  await masters.run(200);
  new SchedulerClient(leader, "f3").disconnect();
  await masters.run(6_500);
  const before = masters.server.revision;
  await masters.run(20_000);
  t.true(masters.server.revision - before >= 3, `${masters.server.revision - before} batches in 20 s`);
});

test("3.10 setting the default weight of a role that has none does not make standbys load the registry anew", async (t) => {
  await using masters = new Masters();
  await masters.start(TRIO);
  const { store } = masters.node("m2");
  const load = store.load.bind(store);
  let loads = 0;
  store.load = (...args) => ((loads += 1), load(...args));
  const asked = masters.leader().master.operators.call({ allowStale: false, call: { $case: "setWeight", value: { role: "r", weight: 1 } } }, "");
  await masters.run(500);
  await asked;
  t.is(loads, 0);
});

test("Mesos 4.1 SUBSCRIBED is the first event on a stream", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await masters.run(200);
  const events = framework.items.flatMap(({ item }) => (item?.$case === "event" ? [item.value.type] : []));
  t.is(events[0], Event_Type.SUBSCRIBED);
});

test("10.6 a standby that once was told of another leader does not send clients there after its own leadership", async (t) => {
  await using masters = new Masters();
  await masters.start(TRIO);
  await masters.run(1_000);
  masters.kill("m1");
  await masters.run(1_000);
  const m2 = masters.node("m2");
  t.true(m2.master.leading);
  const framework = new SchedulerClient(m2, "f1");
  await masters.run(200);
  void m2.master.operators.call({ allowStale: false, call: { $case: "stepDown", value: {} } }, "").catch(() => {});
  await masters.run(1_000);
  const hints = framework.items.flatMap(({ item }) => (item?.$case === "notLeading" ? [item.value.leaderAddress] : []));
  t.is(hints.length, 1);
  t.not(hints[0], "m1:6050", "m1 is dead");
});

test("10.6 a SUBSCRIBE that reaches a standby while the leader is dead is held, not sent to the dead", async (t) => {
  await using masters = new Masters();
  await masters.start(TRIO);
  await masters.run(1_000);
  // The next leader takes a while: it is dead as well, by silence.
  masters.freeze("m2");
  masters.kill("m1");
  await masters.run(150);
  const framework = new SchedulerClient(masters.node("m3"), "f1");
  await masters.run(50);
  const hints = framework.items.flatMap(({ item }) => (item?.$case === "notLeading" ? [item.value.leaderAddress] : []));
  t.deepEqual(hints, []);
});

test("2.12 a handover on purpose is no deposal, however busy the leader is", async (t) => {
  await using masters = new Masters();
  await masters.start(TRIO);
  const m1 = masters.node("m1");
  for (let i = 0; i < 20; i += 1) new SchedulerClient(m1, `f${i}`);
  await masters.run(500);
  const agents = Array.from({ length: 20 }, () => new AgentClient(m1));
  void m1.master.operators.call({ allowStale: false, call: { $case: "stepDown", value: {} } }, "").catch(() => {});
  for (let i = 0; i < 40; i += 1) {
    // What may not be refused, such as streams that come and go, keeps the pipeline busy.
    agents[i % 20]!.say({ session: 0, body: { $case: "greeting", value: { protocol: 1, agentId: "", incarnation: undefined, clusterId: "", storedEpoch: undefined, address: "" } } });
    await masters.run(10);
  }
  await masters.run(3_000);
  const own = masters.server.candidates().map(({ value }) => CandidateRecord.decode(value)).filter(({ master }) => master === "m1");
  t.deepEqual(own.map(({ deposals }) => deposals), [0]);
});

test("13.4 while the store does not answer, calls beyond what may wait are refused at once", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await masters.run(200);
  masters.node("m1").store.link = "hung";
  for (let burst = 0; burst < 20; burst += 1) {
    for (let i = 0; i < 5_000; i += 1) framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
    await masters.run(10);
  }
  const refused = framework.items.filter(({ item }) => item?.$case === "reply" && item.value.code === 503).length;
  t.true(refused > 50_000, `${refused} of 100,000 refused; the others wait in memory`);
});

test("13.4 a burst of calls that fills their share costs no agent its stream, nor does an answer that finds no room", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const node = masters.node("m1");
  const framework = new SchedulerClient(node, "f1");
  await masters.run(200);
  const agents = Array.from({ length: 3 }, () => new AgentClient(node));
  const greeting = { protocol: 1, agentId: "", incarnation: { starts: 1, nonce: "n" }, clusterId: "", storedEpoch: undefined, address: "a:1" };
  for (const agent of agents) agent.say({ session: 0, body: { $case: "greeting", value: greeting } });
  await masters.run(50);
  // All within one turn: the machine takes nothing meanwhile.
  const calls = Array.from({ length: 3 * 4_096 }, () => framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } }));
  const [speaker, ponging, babbling] = agents as [AgentClient, AgentClient, AgentClient];
  speaker.say({ session: speaker.session, body: { $case: "forgotten", value: { launchIds: [] } } });
  for (let i = 0; i < 11_000; i += 1) ponging.say({ session: ponging.session, body: { $case: "pong", value: { sequence: 1 } } });
  babbling.say({ session: babbling.session, body: { $case: "forgotten", value: { launchIds: [] } } });
  t.false(speaker.closed);
  t.false(ponging.closed);
  t.true(babbling.closed, "what may not be lost ends the stream, and is said again in the next");
  await masters.run(500);
  const codes = calls.map((number) => framework.reply(number));
  t.is(codes.filter((code) => code === 503).length, 3 * 4_096 - 10_000);
  t.is(codes.filter((code) => code === 202).length, 10_000);
});

async function confirmedAgent(masters: Masters, node: Node): Promise<AgentClient> {
  const agent = new AgentClient(node);
  const incarnation = { starts: 1, nonce: "abc" };
  agent.say({
    session: 0,
    body: { $case: "greeting", value: { protocol: 1, agentId: "", incarnation, clusterId: "", storedEpoch: undefined, address: "a:1" } },
  });
  await masters.run(50);
  const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value }, reservations: [] });
  const info = { hostname: "a", resources: [scalar("cpus", 4), scalar("mem", 1024)], attributes: [] } as never;
  // The session's number: one agent, so it is among the first.
  for (let session = 1; session < 50; session += 1) {
    agent.say({
      session,
      body: {
        $case: "report",
        value: {
          agentId: "",
          clusterId: "",
          incarnation,
          info,
          address: "a:1",
          registrationNonce: "n1",
          storedEpoch: undefined,
          tasks: undefined,
          listed: true,
          held: [],
        },
      },
    });
  }
  await masters.run(200);
  return agent;
}

function launchCall(offerId: string, agentId: string, taskId: string) {
  const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value }, reservations: [] });
  const info = {
    name: taskId,
    taskId: { value: taskId },
    agentId: { value: agentId },
    resources: [scalar("cpus", 1), scalar("mem", 32)],
    command: { value: "true", uris: [], arguments: [] },
    limits: {},
  };
  return {
    type: Call_Type.ACCEPT,
    accept: { offerIds: [{ value: offerId }], operations: [{ type: 1, launch: { taskInfos: [info] } }] },
  };
}
