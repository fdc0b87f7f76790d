import test from "ava";
import { TaskStatus_Reason as Reason } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { JournalRecord } from "../../../src/wire/gen/mesarch/v1/checkpoint.ts";
import { AgentWorld, RUNNING, exited, launchId, launchOrder } from "./agent-world.ts";

/** A world whose agent died right after task 1 was accepted, before its monitor took the start mark. */
function diedBeforeStart(): AgentWorld {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.restart();
  return world;
}

test("6: dead before the journal had it: not in the list, so it is delivered again", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  const batch = { clusterId: "cluster-1", epoch: { generation: 1, revision: 5 }, session: link.session, messages: [{ body: launchOrder(1) }] };
  t.is(world.stepUnsynced({ kind: "fromMaster", link: link.id, batch })[0]!.kind, "start");
  world.restart();
  world.link().lead(6);
  t.deepEqual(world.report().held, []);
});

test("6.3: accepted, not started, the agent restarts: it asks first", (t) => {
  const world = diedBeforeStart();
  t.deepEqual(world.take(), [], "nothing is started by itself");
  const link = world.link();
  link.lead(6);
  t.true(world.report().held[0]!.unstarted);
  link.confirm();
  world.take();
  link.say({ $case: "settle", value: { start: [launchId(1)], cancel: [], forget: [] } });
  t.deepEqual(world.take(), ["start 1"]);
  link.lead(7);
  t.false(world.report().held.some(({ unstarted }) => unstarted));
});

test("6.3: a launch order for it is the same answer", (t) => {
  const world = diedBeforeStart();
  const link = world.confirmed(6);
  link.launch(1);
  t.deepEqual(world.take(), ["start 1"]);
});

test("6.3, 9.3: the verdict is cancel: the start mark is taken, the task forgotten without a word", (t) => {
  const world = diedBeforeStart();
  const link = world.confirmed(6);
  link.say({ $case: "settle", value: { start: [], cancel: [launchId(1)], forget: [] } });
  t.deepEqual(world.take(), ["cancel 1"]);
  world.step({ kind: "cancelled", launchId: launchId(1), won: true });
  t.deepEqual(world.take(), ["forgotten 1", "collect 1"]);
  t.is(world.machine.state.tasks.size, 0);
});

test("6.3: cancelled too late, since a monitor of the earlier process was on its way: killed", (t) => {
  const world = diedBeforeStart();
  const link = world.confirmed(6);
  link.say({ $case: "settle", value: { start: [], cancel: [launchId(1)], forget: [] } });
  world.take();
  world.step({ kind: "cancelled", launchId: launchId(1), won: false });
  t.deepEqual(world.take(), ["kill 1 3000"]);
});

test("6.3: cancelled too late, and seen to run before the answer: killed as well", (t) => {
  const world = diedBeforeStart();
  const link = world.confirmed(6);
  link.say({ $case: "settle", value: { start: [], cancel: [launchId(1)], forget: [] } });
  world.run(1, RUNNING);
  world.take();
  world.step({ kind: "cancelled", launchId: launchId(1), won: false });
  t.deepEqual(world.take(), ["kill 1 3000"]);
});

test("6.3: never across a reboot, for the start mark may have been lost: GONE", (t) => {
  const world = AgentWorld.started();
  world.confirmed().launch(1);
  world.boot = "boot-2";
  world.restart();
  world.confirmed(6);
  const [update] = world.machine.state.tasks.get(launchId(1))!.updates;
  t.is(update!.status!.state, 11 /* GONE */);
  t.is(update!.status!.message, "The host restarted");
});

test("8.4: after a reboot what has an exit record tells of it, all else is GONE", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.launch(2);
  world.run(1, RUNNING);
  world.run(2, RUNNING);
  world.boot = "boot-2";
  world.restart({ 1: exited(0), 2: { kind: "lost" } });
  const link2 = world.link();
  link2.lead(6);
  t.deepEqual(world.report().held.map(({ state }) => state), [2 /* FINISHED */, 11 /* GONE */]);
});

test("8.4: an exit record without its update makes that update now", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.restart({ 1: exited(4) });
  world.confirmed(6);
  t.deepEqual(world.machine.state.tasks.get(launchId(1))!.updates.map(({ seq }) => seq), [2]);
});

test("8.9: monitor and command dead without an exit record: GONE, exit status unknown", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.take();
  world.run(1, { kind: "lost" });
  t.regex(world.update().status!.message!, /exit status is unknown/);
  t.is(world.update().status!.reason, Reason.REASON_EXECUTOR_TERMINATED);
});

test("8.9: the monitor died before its child: DROPPED, or KILLED if that was ordered", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.take();
  world.run(1, { kind: "neverRan" });
  t.deepEqual(world.take(), ["update 1.1 TASK_DROPPED"]);
});

test("8.8: what runs goes on running and is not said again once acknowledged", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.restart({ 1: RUNNING });
  world.confirmed(6);
  world.run(1, RUNNING);
  t.deepEqual(world.take(), []);
});

test("8.10: a run that was forgotten and not removed is collected; one that runs without a record is left alone", (t) => {
  const world = AgentWorld.started();
  world.restart({ 1: exited(0), 2: RUNNING });
  t.deepEqual(world.take(), ["collect 1", `alarm stray/${launchId(2)}`]);
});

test("9.3: forget what history has; never what has not ended", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.launch(2);
  world.run(1, exited(0));
  world.take();
  link.say({ $case: "settle", value: { start: [], cancel: [], forget: [launchId(1), launchId(2)] } });
  t.deepEqual(world.take(), ["forgotten 1", "collect 1", `alarm forget/${launchId(2)}`]);
});

test("8.3: a snapshot means what the journal means", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.launch(2);
  link.launch(3, { resources: "cpus:99" });
  link.launch(4);
  world.run(1, RUNNING);
  world.run(2, RUNNING);
  link.acknowledge(world.update());
  link.kill(1, 100);
  world.run(4, exited(0));
  const before = world.machine.snapshot().map((record) => JournalRecord.encode(record).finish());
  world.journal = before;
  world.restart({ 1: RUNNING, 2: RUNNING, 4: exited(0) });
  t.deepEqual(world.machine.snapshot().map((record) => JournalRecord.encode(record).finish()), before);
  t.is(world.machine.state.digest.count, 4);
});

test("storage is low: new tasks are dropped, for good; running ones go on", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.step({ kind: "storage", storage: "low" });
  world.take();
  link.launch(2);
  t.regex(world.update().status!.message!, /disk is full/);
  t.deepEqual(world.take(), ["update 2.1 TASK_DROPPED"]);
  world.run(1, RUNNING);
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
});

test("storage is stalled: launches are not answered, updates wait and are said when it is over", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.step({ kind: "storage", storage: "stalled" });
  world.take();
  link.launch(2);
  world.run(1, RUNNING);
  t.deepEqual(world.take(), []);
  world.step({ kind: "storage", storage: "good" });
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
  link.launch(2);
  t.deepEqual(world.take(), ["start 2"]);
});
