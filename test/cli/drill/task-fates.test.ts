import test from "ava";
import { duplicates, fateOf, runningTasks } from "../../../src/cli/drill/task-fates.ts";
import { TaskView } from "../../../src/wire/gen/mesarch/v1/operator.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";

interface Shown {
  readonly state: TaskState;
  readonly launchId?: string;
  readonly taskId?: string;
  readonly frameworkId?: string;
  readonly exit?: number;
  readonly killOrdered?: boolean;
  readonly finished?: boolean;
}

function task({ state, launchId = "l1", taskId = "t1", frameworkId = "f1", exit, killOrdered = false, finished = false }: Shown): TaskView {
  const labels = exit === undefined ? [] : [{ key: "mesarch.exit_status", value: String(exit) }];
  return TaskView.fromPartial({
    shownState: state,
    finished,
    record: {
      launchId,
      frameworkId,
      info: { name: "x", taskId: { value: taskId }, agentId: { value: "a1" } },
      status: { taskId: { value: taskId }, state, labels: { labels } },
      ...(killOrdered && { kill: { graceMs: 0, at: 1 } }),
    },
  });
}

test("a task that goes on is alive, in whichever live state", (t) => {
  for (const state of [TaskState.TASK_RUNNING, TaskState.TASK_KILLING]) t.is(fateOf(task({ state })), "alive");
});

test("a task that ended by itself, or by order, is no loss", (t) => {
  t.is(fateOf(task({ state: TaskState.TASK_FINISHED, exit: 0 })), "ended");
  for (const exit of [3, 128, 193, 255]) t.is(fateOf(task({ state: TaskState.TASK_FAILED, exit })), "ended");
  t.is(fateOf(task({ state: TaskState.TASK_GONE_BY_OPERATOR })), "ended");
  for (const state of [TaskState.TASK_KILLED, TaskState.TASK_FAILED, TaskState.TASK_GONE]) t.is(fateOf(task({ state, killOrdered: true })), "ended");
});

test("a task that a signal ended, or that is killed without an order, was killed", (t) => {
  for (const exit of [137, 143, 192]) t.is(fateOf(task({ state: TaskState.TASK_FAILED, exit })), "killed");
  t.is(fateOf(task({ state: TaskState.TASK_KILLED })), "killed");
});

test("a task whose end nobody has seen, or that is away or unknown, is lost", (t) => {
  t.is(fateOf(undefined), "lost");
  t.is(fateOf(task({ state: TaskState.TASK_FAILED })), "lost");
  for (const state of [TaskState.TASK_UNREACHABLE, TaskState.TASK_LOST, TaskState.TASK_GONE, TaskState.TASK_DROPPED]) {
    t.is(fateOf(task({ state })), "lost");
  }
});

test("running are those that run now", (t) => {
  const all = [
    task({ state: TaskState.TASK_RUNNING, launchId: "a" }),
    task({ state: TaskState.TASK_STAGING, launchId: "b" }),
    task({ state: TaskState.TASK_RUNNING, launchId: "c", finished: true }),
    task({ state: TaskState.TASK_FINISHED, launchId: "d" }),
  ];
  t.deepEqual([...runningTasks(all).keys()], ["a"]);
});

test("two live launches of one task are a duplicate; one of each framework, and one that ended, are not", (t) => {
  const state = TaskState.TASK_RUNNING;
  const sound = [
    task({ state, launchId: "a" }),
    task({ state, launchId: "b", frameworkId: "f2" }),
    task({ state: TaskState.TASK_FAILED, launchId: "c" }),
    task({ state, launchId: "a" }),
  ];
  t.deepEqual(duplicates(sound), []);
  t.deepEqual(duplicates([...sound, task({ state: TaskState.TASK_STAGING, launchId: "e" })]), ["t1 of framework f1"]);
});
