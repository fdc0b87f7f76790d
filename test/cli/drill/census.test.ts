import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { Census } from "../../../src/cli/drill/census.ts";
import { OperatorClient } from "../../../src/sdk/operator.ts";
import { Frameworks, Tasks, type TaskView } from "../../../src/wire/gen/mesarch/v1/operator.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeMaster } from "../../support/fake-master.ts";

interface Row {
  readonly task: string;
  readonly state: TaskState;
  readonly framework?: string;
  readonly launch?: string;
}

function view({ task, state, framework = "f1", launch = `${task}-launch` }: Row): TaskView {
  const info = { name: task, taskId: { value: task }, agentId: { value: "a1" } };
  return Tasks.fromPartial({ tasks: [{ shownState: state, record: { launchId: launch, frameworkId: framework, agentId: "a1", info } }] }).tasks[0]!;
}

const running = (task: string, more: Partial<Row> = {}): Row => ({ task, state: TaskState.TASK_RUNNING, ...more });

/** A cluster whose list of tasks a test replaces. */
async function cluster(t: ExecutionContext, before: readonly Row[]) {
  const master = await FakeMaster.start("m1");
  master.lead(5);
  const world = { live: before, past: [] as readonly Row[], removed: [] as readonly string[] };
  master.onOperator = ({ call }) => {
    if (call?.$case === "listTasks") return { $case: "tasks", value: { tasks: world.live.map(view), truncated: false } };
    if (call?.$case === "listFrameworks") {
      const frameworks = ["f1", "f2"].map((id) => ({ id, record: world.removed.includes(id) ? { standing: { $case: "removedAt" as const, value: 1 } } : {} }));
      return { $case: "frameworks", value: Frameworks.fromPartial({ frameworks }) };
    }
    const past = call?.$case === "getTask" ? world.past.map(view).find(({ record }) => record?.launchId === call.value.id) : undefined;
    return past === undefined ? { refuse: status.NOT_FOUND, details: "no such task" } : { $case: "tasks", value: { tasks: [past], truncated: false } };
  };
  const operator = new OperatorClient({ masters: master.address });
  const census = await Census.begin({ operator, frameworkId: "canaries", signal: new AbortController().signal });
  t.teardown(async () => {
    await census[Symbol.asyncDispose]();
    operator[Symbol.dispose]();
    await master[Symbol.asyncDispose]();
  });
  return { world, census, master };
}

test("nothing has happened: every task is where it was, and new ones do not count", async (t) => {
  const { world, census } = await cluster(t, [running("a"), running("b"), { task: "c", state: TaskState.TASK_STAGING }]);
  world.live = [running("a"), running("b"), running("d")];
  t.deepEqual(await census.outcome(), { counts: { running_before: 2, lost: 0, killed: 0, restarted: 0, duplicated: 0 }, findings: [] });
});

test("a task that left the list is looked for: ended, killed, or lost when nobody knows it", async (t) => {
  const { world, census } = await cluster(t, [running("a"), running("b"), running("c")]);
  world.live = [];
  world.past = [{ task: "a", state: TaskState.TASK_FINISHED }, { task: "b", state: TaskState.TASK_KILLED }];
  const { counts, findings } = await census.outcome();
  t.deepEqual(counts, { running_before: 3, lost: 1, killed: 1, restarted: 0, duplicated: 0 });
  t.deepEqual(findings, ["task b of framework f1 on agent a1 was killed", "task c of framework f1 on agent a1 was lost"]);
});

test("tasks of a framework that was removed meanwhile are no loss", async (t) => {
  const { world, census } = await cluster(t, [running("a"), running("b", { framework: "f2" })]);
  world.live = [];
  world.removed = ["f2"];
  t.deepEqual((await census.outcome()).findings, ["task a of framework f1 on agent a1 was lost"]);
});

test("a second live launch of a task is a duplicate", async (t) => {
  const { world, census } = await cluster(t, [running("a")]);
  world.live = [running("a"), running("a", { launch: "other" })];
  t.like(await census.outcome(), { counts: { lost: 0, duplicated: 1 }, findings: ["task a of framework f1 has more than one live launch"] });
});

test("an end that was only seen in passing counts as that: history forgets", async (t) => {
  const { world, census, master } = await cluster(t, [running("a"), running("b")]);
  const { stream } = await master.eventStreams.next();
  const ended = view({ task: "a", state: TaskState.TASK_FINISHED });
  stream.write({ events: [{ epoch: { generation: 1, revision: 5 }, revision: 2, event: { $case: "task", value: ended } }] });
  world.live = [running("b")];
  await eventually("the end is seen", async () => (await census.outcome()).counts.lost === 0);
  t.pass();
});
