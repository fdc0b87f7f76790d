/** Executors of frameworks are not there yet: whoever names one is told so, and nothing else suffers. */
import test from "ava";
import {
  ExecutorInfo_Type as ExecutorType,
  Offer_Operation_Type as OperationType,
  type TaskInfo,
  TaskState,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
} from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { launchOf, task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

const executor = (type: ExecutorType) => ({ executorId: { value: "e" }, type, resources: [] });

/** A task for an executor instead of a command. */
function executorTask(id: string, agentId: string, type: ExecutorType = ExecutorType.CUSTOM): TaskInfo {
  const { command: _, ...rest } = task(id, agentId);
  return { ...rest, executor: executor(type) };
}

test("8.11 a task with an executor is refused by the master with a text, and no agent hears of it", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: "cpus:4;mem:1024" });
  const framework = s.subscribe();
  const tasks = [executorTask("custom", agent.id), executorTask("default", agent.id, ExecutorType.DEFAULT), task("command", agent.id)];
  t.is(framework.accept(tasks, undefined, 0).code, 202);
  t.deepEqual(framework.states, ["custom ERROR", "default ERROR"]);
  for (const status of framework.updates) {
    t.like(status, { state: TaskState.TASK_ERROR, reason: Reason.REASON_TASK_INVALID, source: Source.SOURCE_MASTER });
    t.is(status.message, "Custom executors are not supported by this version");
    t.is(status.uuid, undefined, "nothing to acknowledge");
  }
  t.deepEqual(agent.of("launch").map(({ task: launched }) => launched?.taskId?.value), ["command"]);
  t.is(s.tables.tasks.size, 1);
  s.advance(1_000);
  t.is(framework.offer().resources.find(({ name }) => name === "cpus")?.scalar?.value, 3, "what they asked for is given back");
});

test("8.11 so is each task of a group, which the default executor would run", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  const taskGroup = { tasks: [task("a", agent.id), task("b", agent.id)] };
  const group = { type: OperationType.LAUNCH_GROUP, launchGroup: { executor: executor(ExecutorType.DEFAULT), taskGroup } };
  const reply = framework.operate([group, launchOf([task("command", agent.id)])], [framework.offer().id!.value!]);
  t.is(reply.code, 202);
  t.deepEqual(framework.states, ["a ERROR", "b ERROR"]);
  for (const { reason, message } of framework.updates) {
    t.is(reason, Reason.REASON_TASK_GROUP_INVALID);
    t.is(message, "LAUNCH_GROUP is not supported by this version");
  }
  t.deepEqual(agent.of("launch").map(({ task: launched }) => launched?.taskId?.value), ["command"]);
});
