import test from "ava";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

test("6.4 the mark is durable before the order is given, and the answer after it", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  const before = s.steps.length;
  t.is(framework.kill("t1").code, 202);
  t.deepEqual(s.steps[before]!.atoms.map(({ writes }) => writes.map(({ kind }) => kind)), [["t"]]);
  t.is(agent.of("kill").length, 1);
  t.is(s.tables.taskById(framework.id, "t1")?.kill?.graceMs, 3_000);
});

test("6.4 a repeated kill may only shorten the grace, and is ordered again", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id, { killPolicy: { gracePeriod: { nanoseconds: 20_000_000_000n } } })]);
  framework.kill("t1");
  const before = s.steps.length;
  framework.kill("t1", undefined, 60_000);
  t.is(s.steps[before]!.atoms.length, 0);
  framework.kill("t1", undefined, 1_000);
  t.deepEqual(agent.of("kill").map(({ graceMs }) => graceMs), [20_000, 20_000, 1_000]);
});

test("6.4 the order is given again on every session while the task is not ended", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe({ failoverTimeout: 60 });
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_RUNNING);
  agent.disconnect();
  t.is(framework.kill("t1").code, 202);
  t.is(agent.of("kill").length, 0);
  agent.connect();
  t.is(agent.of("kill").length, 1);
  s.failover();
  agent.connect();
  t.is(agent.of("kill").length, 2);
});

test("KILL with another agent than the task's is ignored; of an unknown task it is answered", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  framework.kill("t1", "elsewhere");
  t.is(agent.of("kill").length, 0);
  t.is(framework.kill("t9", agent.id).code, 202);
  t.is(framework.update().state, TaskState.TASK_LOST);
  t.regex(framework.update().message!, /unknown to the agent/);
});

test("SHUTDOWN of a command task's executor ends the task", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  const shutdown = (agentId: string) =>
    framework.call({ type: Call_Type.SHUTDOWN, shutdown: { executorId: { value: "t1" }, agentId: { value: agentId } } });
  t.is(shutdown("elsewhere").code, 202);
  t.is(agent.of("kill").length, 0);
  t.is(shutdown(agent.id).code, 202);
  t.is(agent.of("kill").length, 1);
});
