import test from "ava";
import { Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { TaskState, TaskStatus_Reason } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Scenario } from "./scenario.ts";
import { task } from "./framework-double.ts";

test("a task's whole life: offered, launched, running, finished, acknowledged, forgotten, in history (6, 7)", (t) => {
  const s = new Scenario();
  const framework = s.subscribe();
  const agent = s.agent();
  t.true(agent.confirmed);
  const offer = framework.offer();
  t.is(offer.agentId?.value, agent.id);
  t.deepEqual(framework.accept([task("t1", agent.id)]), { code: 202, message: "" });

  t.is(agent.of("launch").length, 1);
  t.deepEqual(framework.updates, []);
  agent.update("t1", TaskState.TASK_RUNNING);
  t.is(framework.update().state, TaskState.TASK_RUNNING);
  t.is(framework.acknowledge().code, 202);
  agent.update("t1", TaskState.TASK_FINISHED);
  t.is(framework.acknowledge().code, 202);

  t.is(agent.held.size, 0);
  t.is(s.tables.tasks.size, 0);
  t.is(s.tables.finishedById(framework.id, "t1")?.task?.state, TaskState.TASK_FINISHED);
  t.deepEqual(framework.states, ["t1 RUNNING", "t1 FINISHED"]);
});

test("SUBSCRIBED is first, then a HEARTBEAT, then the rest (Mesos 4.1, F4)", (t) => {
  const s = new Scenario();
  s.agent();
  const framework = s.subscribe();
  t.deepEqual(
    framework.events.map((event) => event.type),
    [Event_Type.SUBSCRIBED, Event_Type.HEARTBEAT, Event_Type.OFFERS],
  );
  const { subscribed } = framework.events[0]!;
  t.is(subscribed?.heartbeatIntervalSeconds, 15);
  t.is(subscribed?.masterInfo?.ip, 127 + 2 ** 24);
  t.is(subscribed?.masterInfo?.port, 5050);
  t.is(subscribed?.masterInfo?.address?.ip, "127.0.0.1");
  s.advance(15_000);
  t.is(framework.of(Event_Type.HEARTBEAT).length, 2);
});

test("a failover: the task goes on, its framework and agent come back, and its end is told (5.1, 9.1)", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({ failoverTimeout: 60 });
  const agent = s.agent();
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_RUNNING);
  framework.acknowledge();

  s.failover();
  framework.subscribe();
  framework.reconcile(["t1"]);
  t.is(framework.update().state, TaskState.TASK_RUNNING);
  t.is(framework.update().reason, TaskStatus_Reason.REASON_RECONCILIATION);
  const steps = s.steps.length;
  agent.connect();
  s.settle();
  t.true(agent.confirmed);
  t.is(agent.of("listWanted").length, 0);
  t.true(s.steps.slice(steps).every(({ atoms }) => atoms.length === 0));
  t.is(agent.of("launch").length, 1);
  agent.update("t1", TaskState.TASK_FINISHED);
  framework.acknowledge();
  t.is(s.tables.tasks.size, 0);
});
