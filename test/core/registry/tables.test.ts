import test from "ava";
import { Tables } from "../../../src/core/registry/tables.ts";
import { FrameworkRecord, HistoryRecord, TaskRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";

const hex = (n: number) => n.toString(16).padStart(32, "0");

function row(taskId: string, launchId = hex(1)): TaskRecord {
  const state = TaskState.TASK_FINISHED;
  return TaskRecord.fromPartial({ launchId, frameworkId: "f", agentId: "a", role: "*", state, latestState: state, info: { taskId: { value: taskId } } });
}

function past(number: number, taskId: string): HistoryRecord {
  return HistoryRecord.fromPartial({ task: row(taskId, hex(number)), number, at: number });
}

test("13.4 who has no rows has no books: nothing is kept of names that were only asked about", (t) => {
  const tables = new Tables();
  const nothing = tables.agentBooks("nobody");
  t.is(tables.agentBooks("somebody else"), nothing);
  t.is(tables.frameworkBooks("g"), tables.frameworkBooks("f"));
  tables.apply({ kind: "t", id: hex(1), record: row("t1") });
  t.deepEqual([...tables.agentBooks("a").launches], [hex(1)]);
  t.is(tables.frameworkBooks("f").live.get("t1"), hex(1));
  tables.apply({ kind: "t", id: hex(1), record: undefined });
  t.is(tables.agentBooks("a"), nothing);
  t.true(tables.frameworkBooks("f").isEmpty);
  t.is(tables.frameworkBooks("f"), tables.frameworkBooks("nobody"));
});

test("4.2 a framework's history is numbered on as long as any of it is left", (t) => {
  const tables = new Tables();
  tables.apply({ kind: "h", id: "f/7", record: past(1007, "t1") });
  t.is(tables.frameworkBooks("f").nextHistory, 1008);
  tables.apply({ kind: "t", id: hex(1), record: row("t2") });
  tables.apply({ kind: "t", id: hex(1), record: undefined });
  t.is(tables.frameworkBooks("f").nextHistory, 1008);
  t.deepEqual([...tables.frameworkBooks("f").slots.keys()], ["f/7"]);
  tables.apply({ kind: "h", id: "f/7", record: undefined });
  t.is(tables.frameworkBooks("f").nextHistory, 0);
  t.is(tables.finishedLaunch(hex(1007)), undefined);
});

test("10.3 of a task id used twice the newer end is known, in whatever order rows are loaded", (t) => {
  for (const order of [[9, 10], [10, 9]]) {
    const tables = new Tables();
    for (const number of order) tables.apply({ kind: "h", id: `f/${number}`, record: past(number, "again") });
    t.is(tables.finishedById("f", "again")?.number, 10);
  }
});

test("5.1 the frameworks that are not removed are known without a look at the others", (t) => {
  const tables = new Tables();
  const there = FrameworkRecord.fromPartial({ standing: { $case: "disconnectedAt", value: 1 } });
  const removed = FrameworkRecord.fromPartial({ standing: { $case: "removedAt", value: 1 } });
  tables.apply({ kind: "f", id: "f", record: there });
  tables.apply({ kind: "f", id: "g", record: there });
  const undo = tables.apply({ kind: "f", id: "g", record: removed });
  t.deepEqual([...tables.present], ["f"]);
  tables.apply(undo);
  t.deepEqual([...tables.present], ["f", "g"]);
  tables.apply({ kind: "f", id: "f", record: undefined });
  t.deepEqual([...tables.present], ["g"]);
});
