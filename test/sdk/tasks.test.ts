import test from "ava";
import { amounts, commandTask, exitStatus, fits, isTerminal, scalarResource, taskStateName, TaskState, type Offer } from "../../src/sdk/index.ts";
import { TaskInfo } from "../../src/wire/gen/mesos/v1/mesos.ts";

test("a task from plain options survives the wire", (t) => {
  const task = commandTask({
    id: "t1",
    name: "web server",
    command: ["./serve", "--port", "80"],
    cpus: 0.5,
    mem: 64,
    env: { LEVEL: "info" },
    labels: { team: "a" },
    killGraceMs: 1_500,
  });
  const read = TaskInfo.decode(TaskInfo.encode({ ...task, agentId: { value: "S1" } }).finish());
  t.like(read, { name: "web server", taskId: { value: "t1" } });
  t.like(read.command, { shell: false, value: "./serve", arguments: ["./serve", "--port", "80"] });
  t.deepEqual(amounts(read), { cpus: 0.5, mem: 64 });
  t.is(Number(read.killPolicy?.gracePeriod?.nanoseconds), 1_500_000_000);
});

test("one word is a line for a shell, and ids are fit for ids", (t) => {
  const task = commandTask({ name: "a b/c", command: "echo $HOME" });
  t.like(task.command, { shell: true, value: "echo $HOME" });
  t.regex(task.taskId!.value!, /^a-b-c-[0-9a-f]{8}$/);
});

test("amounts add up in thousandths, and tasks are counted into offers", (t) => {
  const offer = { resources: [scalarResource("cpus", 0.1), scalarResource("cpus", 0.2), scalarResource("mem", 100)] } as Offer;
  t.deepEqual(amounts(offer), { cpus: 0.3, mem: 100 });
  t.deepEqual(amounts(offer, offer), { cpus: 0.6, mem: 200 });
  t.is(fits(offer, commandTask({ command: "x", cpus: 0.1, mem: 10 })), 3);
  t.is(fits(offer, commandTask({ command: "x", cpus: 0.1, mem: 10, gpus: 1 })), 0);
});

test("states and exit codes", (t) => {
  t.is(taskStateName(TaskState.TASK_RUNNING), "TASK_RUNNING");
  t.is(taskStateName(99), "TASK_STATE_99");
  t.true(isTerminal(TaskState.TASK_GONE));
  t.false(isTerminal(TaskState.TASK_UNREACHABLE));
  const labels = (value: string) => ({ labels: { labels: [{ key: "mesarch.exit_status", value }] } }) as never;
  t.is(exitStatus(labels("137")), 137);
  t.is(exitStatus(labels("what")), undefined);
  t.is(exitStatus({} as never), undefined);
});
