import test from "ava";
import { delay } from "../../src/async/abort.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { decodeRow } from "../../src/wire/registry-codec.ts";
import { rowKey } from "../../src/core/registry/change.ts";
import { AgentClient, Masters, type Node, SchedulerClient } from "./masters.ts";

const TRIO = ["m1", "m2", "m3"];

async function trio(): Promise<Masters> {
  const masters = new Masters();
  await masters.start(TRIO);
  return masters;
}

/** The rows a master holds in memory, as the registry would have them. */
function foldedRows(masters: Masters): Map<string, unknown> {
  const rows = new Map<string, unknown>();
  for (const row of masters.server.rows()) {
    const decoded = decodeRow(row);
    if (decoded.kind === "change") rows.set(rowKey(decoded.change), decoded.change.record);
  }
  return rows;
}

async function knownFrameworks(masters: Masters, node: Node): Promise<string[]> {
  const asked = node.master.operators.call({ allowStale: true, call: { $case: "listFrameworks", value: {} } }, "");
  await masters.run(50);
  const { answer } = await asked;
  return answer?.$case === "frameworks" ? answer.value.frameworks.map(({ id }) => id) : [];
}

test("2.4 one of three leads, the others queue behind it", async (t) => {
  await using masters = await trio();
  t.deepEqual(masters.leaders(), ["m1"]);
  t.is(masters.server.candidates().length, 3);
});

test("2.10 a crash is seen by the closed link: the next leads within 100 ms, by a higher epoch", async (t) => {
  await using masters = await trio();
  const before = masters.leader().master.views.view.epoch!.revision;
  masters.kill("m1");
  await masters.run(100);
  const leaders = masters.leaders().filter((name) => name !== "m1");
  t.deepEqual(leaders, ["m2"]);
  t.true(masters.node("m2").master.views.view.epoch!.revision > before);
});

test("2.10 standbys die too: their keys go, and the survivor leads alone", async (t) => {
  await using masters = await trio();
  masters.kill("m2");
  await masters.run(500);
  t.is(masters.server.candidates().length, 2);
  masters.kill("m1");
  await masters.run(500);
  t.deepEqual(masters.leaders().filter((name) => name !== "m1"), ["m3"]);
});

test("2.9 a frozen leader is deposed by two that hear nothing; thawed, it says nothing more and queues again", async (t) => {
  await using masters = await trio();
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await masters.run(50);
  t.true(framework.subscribed);
  masters.freeze("m1");
  const call = framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
  await masters.run(1_000);
  t.deepEqual(masters.leaders().filter((name) => name !== "m1"), ["m2"]);
  const said = framework.items.length;
  masters.thaw("m1");
  await masters.run(500);
  t.deepEqual(masters.leaders(), ["m2"]);
  t.is(framework.reply(call), undefined, "3.1 a deposed leader cannot even answer a read");
  t.true(framework.items.slice(said).every(({ item }) => item?.$case === "notLeading"));
  t.true(framework.closed);
  await masters.run(2_000);
  t.is(masters.server.candidates().length, 3, "2.8 it queues on a new key");
});

test("2.12 a leader cut from its peers, but not from the store, is deposed once and patience then doubles", async (t) => {
  await using masters = await trio();
  masters.cut("m1", "m2");
  masters.cut("m1", "m3");
  await masters.run(10_000);
  const epochs = new Set<number>();
  for (let seconds = 0; seconds < 30; seconds += 1) {
    epochs.add(Math.max(...[...masters.nodes.values()].map(({ master }) => master.views.view.epoch?.revision ?? 0)));
    await masters.run(1_000);
  }
  t.true(epochs.size <= 2, `leaders changed ${epochs.size} times`);
  t.is(masters.leaders().length, 1);
});

test("3.3 a batch whose reply was lost is recognised, and said once", async (t) => {
  await using masters = await trio();
  const leader = masters.leader();
  leader.store.loseNextCommitReply();
  const framework = new SchedulerClient(leader, "f1");
  await masters.run(500);
  t.true(framework.subscribed);
  t.is(framework.items.filter(({ item }) => item?.$case === "event" && item.value.type === 1).length, 1);
  t.deepEqual(masters.leaders(), ["m1"]);
});

test("2.11 a leader cut from the store alone says it is stuck, and is replaced", async (t) => {
  await using masters = await trio();
  masters.node("m1").store.link = "hung";
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await masters.run(2_500);
  t.deepEqual(masters.leaders().filter((name) => name !== "m1"), ["m2"]);
  t.false(framework.subscribed);
});

test("3.7 what was pending is undone: the tables are the registry again, whether the batch landed or not", async (t) => {
  for (const landed of [false, true]) {
    await using masters = await trio();
    const leader = masters.leader();
    const framework = new SchedulerClient(leader, "kept");
    await masters.run(50);
    t.true(framework.subscribed);
    if (landed) leader.store.loseNextCommitReply();
    new SchedulerClient(leader, "pending");
    await masters.calm();
    leader.store.link = "hung";
    leader.process.freeze();
    await masters.run(1_000);
    masters.thaw("m1");
    await masters.run(2_000);
    const rows = [...foldedRows(masters).keys()].filter((key) => key.startsWith("f/")).map((key) => key.slice(2));
    t.deepEqual((await knownFrameworks(masters, leader)).sort(), rows.sort());
  }
});

test("3.5 a full store makes the leader read-only, not deposed; with room again it serves on", async (t) => {
  await using masters = await trio();
  const leader = masters.leader();
  const framework = new SchedulerClient(leader, "f1");
  await masters.run(50);
  masters.server.full = true;
  const teardown = framework.call({ type: Call_Type.TEARDOWN });
  await masters.run(1_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.true(framework.closed, "the call that could not be kept is cut, its outcome unknown");
  t.is(framework.reply(teardown), undefined);
  const again = new SchedulerClient(leader, "f1");
  await masters.run(200);
  t.true(again.subscribed, "known frameworks may still subscribe");
  const read = again.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
  const write = again.call({ type: Call_Type.TEARDOWN });
  await masters.run(200);
  t.is(again.reply(read), 202);
  t.is(again.reply(write), 503);
  t.deepEqual(masters.leaders(), ["m1"]);
  masters.server.full = false;
  await masters.run(7_000);
  const healed = new SchedulerClient(leader, "f1");
  await masters.run(200);
  const done = healed.call({ type: Call_Type.TEARDOWN });
  await masters.run(200);
  t.is(healed.reply(done), 202);
  t.deepEqual(masters.leaders(), ["m1"]);
});

test("3.5, 3.11 a leader that came through a full store steps down, and follows and queues like any other", async (t) => {
  await using masters = await trio();
  const leader = masters.leader();
  let failure: unknown;
  leader.master.done.catch((error: unknown) => (failure = error));
  masters.server.full = true;
  new SchedulerClient(leader, "f1");
  await masters.run(1_000);
  masters.server.full = false;
  await masters.run(7_000);
  const stepDown = leader.master.operators.call({ allowStale: false, call: { $case: "stepDown", value: {} } }, "");
  await masters.run(2_000);
  await stepDown;
  t.is(failure, undefined);
  t.deepEqual(masters.leaders(), ["m2"]);
  t.is(masters.server.candidates().length, 3);
});

test("3.5 the store is tried again under steady traffic, too: what waits for a barrier lets it go first", async (t) => {
  await using masters = await trio();
  const leader = masters.leader();
  masters.server.full = true;
  new SchedulerClient(leader, "f1");
  await masters.run(500);
  const agent = new AgentClient(leader);
  const { store } = leader;
  const barrier = store.barrier.bind(store);
  store.barrier = async (...args) => {
    await delay(15, undefined, masters.clock);
    return barrier(...args);
  };
  const busy = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      void leader.master.operators.call({ allowStale: false, call: { $case: "listMasters", value: {} } }, "").catch(() => {});
      await masters.run(10);
    }
  };
  await busy(6_000);
  t.true(leader.telemetry.lines.every(({ message }) => !message.includes("takes writes again")));
  masters.server.full = false;
  await busy(6_000);
  t.true(leader.telemetry.lines.some(({ message }) => message.includes("takes writes again")));
  t.false(agent.closed);
  t.deepEqual(masters.leaders(), ["m1"]);
});

test("13.3 a store that is nearly full still keeps launches away after it was full", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const leader = masters.leader();
  leader.store.size = async () => ({ usedBytes: 90, quotaBytes: 100 });
  const keptAway = async (): Promise<boolean> => {
    const asked = leader.master.operators.call({ allowStale: false, call: { $case: "getStatus", value: {} } }, "");
    await masters.run(50);
    const { answer } = await asked;
    return answer?.$case === "status" && answer.value.warnings.some((warning) => warning.startsWith("no launches"));
  };
  await masters.run(12_000);
  t.true(await keptAway());
  masters.server.full = true;
  new SchedulerClient(leader, "f1");
  await masters.run(1_000);
  masters.server.full = false;
  await masters.run(17_000);
  t.true(await keptAway());
  leader.store.size = async () => ({ usedBytes: 70, quotaBytes: 100 });
  await masters.run(12_000);
  t.false(await keptAway());
  t.is(leader.telemetry.lines.filter(({ message }) => message.includes("no launches until")).length, 1, "said once");
});

test("2.13, 3.5 full, with a copy of a batch in doubt: a lone leader is mute, and neither expires nor loses its key", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const leader = masters.leader();
  leader.store.holdNextCommit();
  masters.server.full = true;
  const framework = new SchedulerClient(leader, "f1");
  await masters.run(20_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.false(framework.subscribed);
  t.is(leader.telemetry.lines.filter(({ level, message }) => level === "error" && message.includes("in doubt")).length, 1);
  masters.server.full = false;
  await masters.run(500);
  t.true(framework.subscribed, "the batch is settled");
  t.deepEqual(masters.leaders(), ["m1"]);
});

test("2.13, 3.5 full, with a copy of a batch in doubt: who is deposed meanwhile leads no longer", async (t) => {
  await using masters = await trio();
  const leader = masters.leader();
  leader.store.holdNextCommit();
  masters.server.full = true;
  new SchedulerClient(leader, "f1");
  await masters.run(3_000);
  t.deepEqual(masters.leaders(), ["m2"]);
});

test("2.4 promotion works in a full store", async (t) => {
  await using masters = await trio();
  masters.server.full = true;
  masters.kill("m1");
  await masters.run(1_000);
  t.deepEqual(masters.leaders().filter((name) => name !== "m1"), ["m2"]);
});

test("3.3 somebody else's write ends the leadership with an alarm", async (t) => {
  await using masters = await trio();
  const leader = masters.leader();
  masters.server.apply([{ key: "head", value: new Uint8Array([1, 2, 3]) }]);
  new SchedulerClient(leader, "f1");
  await masters.run(500);
  t.true(leader.telemetry.lines.some(({ level, message }) => level === "error" && message.includes("somebody else writes")));
});

test("2.15 step-down hands over without a failed call: what was admitted is answered, the next in line leads", async (t) => {
  await using masters = await trio();
  const leader = masters.leader();
  const framework = new SchedulerClient(leader, "f1");
  await masters.run(50);
  const call = framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
  const stepDown = leader.master.operators.call({ allowStale: false, call: { $case: "stepDown", value: {} } }, "");
  await masters.run(200);
  await stepDown;
  t.is(framework.reply(call), 202);
  t.deepEqual(masters.leaders(), ["m2"]);
  await masters.run(500);
  t.is(masters.server.candidates().length, 3, "it waits in line again");
});

test("2.14 a second master of the same name explains itself and stays out", async (t) => {
  await using masters = await trio();
  const twin = masters.add("m1", {}, "elsewhere:6050");
  masters.nodes.set("twin", twin);
  const refused = t.throwsAsync(twin.master.done, { message: /another master named m1 runs at m1:6050/ });
  await masters.run(1_500);
  await refused;
});

test("2.8 a standby whose fold breaks gives its key up before it pauses: nobody is elected who would not lead", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const { store } = masters.add("m2");
  const watch = store.watch.bind(store);
  const broken = Promise.withResolvers<never>();
  store.watch = (...args) => Promise.race([watch(...args), broken.promise]);
  await masters.run(300);
  masters.add("m3");
  await masters.run(300);
  masters.kill("m1");
  store.watch = watch;
  broken.reject(new TypeError("a bug in the fold"));
  await masters.run(1_000);
  t.deepEqual(masters.leaders().filter((name) => name !== "m1"), ["m3"]);
  await masters.run(6_000);
  t.is(masters.server.candidates().length, 2, "it waits in line again");
});

test("2.14 a candidate key that no master wrote keeps nobody from starting: an alarm says what stands in the way", async (t) => {
  await using masters = new Masters();
  masters.server.apply([{ key: "cand/garbage", value: new Uint8Array([0xff, 0xff]) }]);
  const { master, telemetry } = masters.add("m1");
  let failure: unknown;
  master.done.catch((error: unknown) => (failure = error));
  await masters.run(2_000);
  t.is(failure, undefined);
  t.true(telemetry.lines.some(({ message }) => message.includes("cand/garbage")));
  masters.server.apply([{ key: "cand/garbage" }]);
  await masters.run(2_000);
  t.deepEqual(masters.leaders(), ["m1"]);
});

test("3.11 a store that went back in time is refused by every master, leading or not, with the remedy", async (t) => {
  await using masters = await trio();
  const failures = new Map<string, { message: string; remedy?: string }>();
  for (const [name, { master }] of masters.nodes) master.done.catch((error: Error) => failures.set(name, error));
  const old = masters.server.snapshot();
  new SchedulerClient(masters.leader(), "f1");
  await masters.run(500);
  t.is(failures.size, 0);
  masters.server.restore(old);
  await masters.run(5_000);
  t.deepEqual([...failures.keys()].sort(), TRIO);
  for (const { message, remedy } of failures.values()) {
    t.regex(message, /the store went back in time/);
    t.regex(remedy ?? "", /registry restore/);
  }
  t.deepEqual(masters.leaders(), []);
  t.deepEqual(masters.server.candidates(), []);
});

test("5.1 agents hear `lead` at once from the next leader, on the streams they have", async (t) => {
  await using masters = await trio();
  const agent = new AgentClient(masters.node("m2"));
  agent.say({ session: 0, body: { $case: "greeting", value: { protocol: 1, agentId: "", incarnation: { starts: 1, nonce: "n" }, clusterId: "", storedEpoch: undefined, address: "a:6051" } } });
  await masters.run(50);
  t.true(agent.said("standby"));
  t.false(agent.said("lead"));
  masters.kill("m1");
  await masters.run(150);
  t.true(agent.said("lead"));
});

test("10.6 a standby holds a SUBSCRIBE while a leader appears, and says where it is when it knows", async (t) => {
  await using masters = await trio();
  const redirected = new SchedulerClient(masters.node("m2"), "f1");
  await masters.run(20);
  const [first] = redirected.items;
  t.deepEqual(first?.item, { $case: "notLeading", value: { leaderAddress: "m1:6050" } });
  masters.kill("m1");
  await masters.run(20);
  const held = new SchedulerClient(masters.node("m2"), "f2");
  await masters.run(200);
  t.true(held.subscribed);
});
