import test from "ava";
import { FrameworkInfo_Capability_Type as Capability, TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { AgentWorld, exited, launchId, RUNNING } from "./agent-world.ts";

test("13.4 whatever is seen and ordered again and again, a task that nobody acknowledges has three updates", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1, { framework: { capabilities: [{ type: Capability.TASK_KILLING_STATE }] } });
  for (let round = 0; round < 50; round += 1) {
    world.run(1, RUNNING);
    link.kill(1, 10_000 - round);
    link.launch(1);
  }
  world.restart({ 1: RUNNING });
  for (let round = 0; round < 50; round += 1) world.run(1, exited(0, true));
  world.confirmed(6).kill(1, 1);
  const { updates } = world.machine.state.tasks.get(launchId(1))!;
  t.deepEqual(updates.map(({ seq, status }) => [seq, status!.state]), [
    [1, TaskState.TASK_RUNNING],
    [2, TaskState.TASK_KILLING],
    [3, TaskState.TASK_KILLED],
  ]);
});

test("8.11 an agent refuses an executor as well, should a master order one", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1, { task: { executor: { executorId: { value: "e" }, resources: [] } } });
  const { status } = world.update();
  t.is(status?.state, TaskState.TASK_ERROR);
  t.regex(status!.message!, /command tasks only/);
  t.deepEqual(world.take(), ["update 1.1 TASK_ERROR"], "nothing is started");
});
