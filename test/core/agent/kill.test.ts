import test from "ava";
import { TaskStatus_Reason as Reason, FrameworkInfo_Capability_Type as Capability } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { AgentWorld, RUNNING, exited, launchId } from "./agent-world.ts";

test("6.4: a kill is journaled, then done; its end is KILLED", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.take();
  const before = world.journal.length;
  link.kill(1, 5000);
  t.deepEqual(world.take(), ["kill 1 5000"]);
  t.is(world.journal.length, before + 1);
  world.run(1, exited(143, true));
  t.deepEqual(world.take(), ["update 1.2 TASK_KILLED"]);
});

test("6.4, 6.1: a kill of a launch that was never taken is answered as forgotten, so that it ends", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  world.step({ kind: "storage", storage: "stalled" });
  link.launch(1);
  world.step({ kind: "storage", storage: "good" });
  world.take();
  link.kill(1);
  t.deepEqual(world.take(), ["forgotten 1"]);
});

test("6.4: a repeated kill only shortens the grace", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  world.take();
  for (const graceMs of [5000, 9000, 5000, 100]) link.kill(1, graceMs);
  t.deepEqual(world.take(), ["kill 1 5000", "kill 1 100"]);
});

test("6.4: not started yet: the agent takes the start mark, KILLED during launch", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.kill(1);
  t.deepEqual(world.take(), ["start 1", "cancel 1"]);
  world.run(1, { kind: "cancelled" });
  t.is(world.update().status!.reason, Reason.REASON_TASK_KILLED_DURING_LAUNCH);
  t.deepEqual(world.take(), ["update 1.1 TASK_KILLED"]);
  world.step({ kind: "cancelled", launchId: launchId(1), won: true });
  t.deepEqual(world.take(), [], "told twice, said once");
});

test("6.4: the monitor was faster: it is killed", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.kill(1, 2000);
  world.take();
  world.step({ kind: "cancelled", launchId: launchId(1), won: false });
  t.deepEqual(world.take(), ["kill 1 2000"]);
  world.run(1, { kind: "neverRan" });
  t.deepEqual(world.take(), ["update 1.1 TASK_KILLED"]);
});

test("6.4: seen running before the answer: killed at once", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.kill(1, 2000);
  world.take();
  world.run(1, RUNNING);
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING", "kill 1 2000"]);
});

test("11.2: a kill ordered before a restart is done again, its grace whole", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  link.kill(1, 5000);
  world.restart({ 1: RUNNING });
  t.deepEqual(world.take(), ["kill 1 5000"]);
});

test("a framework that wants TASK_KILLING hears it", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1, { framework: { capabilities: [{ type: Capability.TASK_KILLING_STATE }] } });
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.take();
  link.kill(1);
  t.deepEqual(world.take(), ["update 1.2 TASK_KILLING", "kill 1 3000"]);
});

test("6.5: a kill of what has ended does nothing", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, exited(0));
  world.take();
  link.kill(1);
  t.deepEqual(world.take(), []);
});
