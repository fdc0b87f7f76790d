import test from "ava";
import { SharedParts } from "../../../src/core/registry/shared-parts.ts";
import { HealthCheck, TaskInfo, TaskState, TaskStatus, Value_Type } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { TaskRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";

const uuid = new Uint8Array(16).fill(7);

/** A row as a standby reads it, cut out of a larger message. */
function row(number: number, command = "serve"): TaskRecord {
  const info = TaskInfo.create({
    name: "web",
    taskId: { value: `t-${number}` },
    agentId: { value: "S1" },
    resources: [
      { name: "cpus", type: Value_Type.SCALAR, scalar: { value: 0.5 } },
      { name: "ports", type: Value_Type.RANGES, ranges: { range: [{ begin: 31_000n, end: 31_001n }] } },
    ],
    killPolicy: { gracePeriod: { nanoseconds: 5_000_000_000n } },
    command: { value: command, environment: { variables: [{ name: "A", value: "b" }] } },
    labels: { labels: [{ key: "team", value: "x" }] },
    data: Uint8Array.of(1, 2, 3),
  });
  const status = TaskStatus.create({ taskId: { value: `t-${number}` }, agentId: { value: "S1" }, state: TaskState.TASK_RUNNING, uuid });
  const record = TaskRecord.create({ launchId: String(number), frameworkId: "F", agentId: "S1", role: "*", uuid, info, status });
  return TaskRecord.decode(TaskRecord.encode(record).finish());
}

test("a row whose parts are shared is the same row", (t) => {
  const parts = new SharedParts();
  for (const each of [row(1), row(2), row(3, "other"), TaskRecord.create({ launchId: "4" })]) {
    const bytes = TaskRecord.encode(each).finish();
    t.deepEqual(TaskRecord.encode(parts.share(each)).finish(), bytes);
    t.deepEqual(TaskRecord.encode(each).finish(), bytes, "and what was given is as it was");
  }
});

test("rows hold equal parts once, and different parts apart", (t) => {
  const parts = new SharedParts();
  const [one, same, other] = [parts.share(row(1)), parts.share(row(2)), parts.share(row(3, "other"))];
  t.is(one.info?.resources, same.info!.resources);
  t.is(one.info?.command, same.info!.command);
  t.is(one.info?.labels, same.info!.labels);
  t.is(one.status?.agentId, same.status!.agentId);
  t.is(one.status?.taskId, one.info!.taskId);
  t.is(one.info?.resources, other.info!.resources);
  t.is(other.info?.command?.value, "other");
  t.is(same.info?.taskId?.value, "t-2");
});

test("a row and its status have one uuid", (t) => {
  const shared = new SharedParts().share(row(1));
  t.is(shared.status?.uuid, shared.uuid);
});

test("numbers that JSON has no form for are different parts", (t) => {
  const parts = new SharedParts();
  for (const delaySeconds of [Infinity, -Infinity, NaN, 0, -0]) {
    const asked = row(1);
    const shared = parts.share({ ...asked, info: { ...asked.info!, healthCheck: HealthCheck.create({ delaySeconds }) } });
    t.true(Object.is(shared.info?.healthCheck?.delaySeconds, delaySeconds));
  }
});

test("what is remembered is bounded, and rows stay right when it is forgotten", (t) => {
  const parts = new SharedParts();
  const first = parts.share(row(0));
  for (let number = 1; number < 10_000; number += 1) parts.share(row(number, `command ${number}`));
  const last = parts.share({ ...first, state: TaskState.TASK_FINISHED });
  t.is(last.info?.command?.value, "serve");
  t.is(last.state, TaskState.TASK_FINISHED);
  t.is(parts.size <= 2 * 4_096, true);
});

test("13.1 what a newer version put into a status is kept, also where the rest is like its task's", (t) => {
  const newer = row(1);
  newer.status!.taskId!._unknownFields = { 98: [Uint8Array.of(1, 2)] };
  const bytes = TaskRecord.encode(newer).finish();
  t.deepEqual(TaskRecord.encode(new SharedParts().share(TaskRecord.decode(bytes))).finish(), bytes);
});
