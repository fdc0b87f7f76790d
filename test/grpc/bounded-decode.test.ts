import test from "ava";
import { boundedDecode } from "../../src/grpc/bounded-decode.ts";
import { decodeCalls } from "../../src/grpc/decode-calls.ts";
import { limits } from "../../src/model/limits.ts";
import { AgentBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { NumberedCall, SchedulerCalls } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { TaskRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { FrameworkInfo, TaskInfo } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Call, Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { CountingReader } from "../../src/wire/counting-reader.ts";
import { decodeRow } from "../../src/wire/registry-codec.ts";

function encode(...calls: object[]): Buffer {
  const numbered = calls.map((call, index) => ({ number: index + 1, call: Call.fromPartial(call), traceparent: "" }));
  return Buffer.from(SchedulerCalls.encode({ calls: numbered }).finish());
}

/** An ACCEPT of so many elements, two for each task, and a few more. */
function accept(elements: number): object {
  const taskInfos = Array.from({ length: elements / 2 }, () => ({ resources: [], limits: {} }));
  return { type: Call_Type.ACCEPT, accept: { operations: [{ type: 1, launch: { taskInfos } }] } };
}

const revive = { type: Call_Type.REVIVE };

/** What became of each call: taken, or the code of its answer. */
function fates(...calls: object[]): [number, "taken" | number][] {
  return decodeCalls(encode(...calls)).calls.map((call) => [call.number, "code" in call ? call.code : "taken"]);
}

test("13.4 what an honest framework says is decoded as ever", (t) => {
  const tasks = Array.from({ length: 50_000 }, (_, i) => ({ taskId: { value: `task-${i}` }, agentId: { value: "agent" } }));
  const large = { type: Call_Type.MESSAGE, message: { data: Buffer.alloc(8 * 1024 * 1024, 0x0a) } };
  const calls = [{ type: Call_Type.RECONCILE, reconcile: { tasks } }, large, revive];
  const decoded = decodeCalls(encode(...calls)).calls as NumberedCall[];
  t.is(decoded[0]!.call!.reconcile!.tasks.length, tasks.length);
  t.is(decoded[1]!.call!.message!.data!.length, 8 * 1024 * 1024);
  t.deepEqual(decoded.map(({ number }) => number), [1, 2, 3]);
  const few = encode(revive, { type: Call_Type.KILL, kill: { taskId: { value: "t" } } });
  t.deepEqual(decodeCalls(few).calls as NumberedCall[], SchedulerCalls.decode(few).calls);
});

test("13.4 a call of too many elements is refused by itself, and those around it are taken", (t) => {
  const dense = encode(accept(limits.callWords));
  t.true(dense.length < 1024 * 1024, "elements count, not bytes");
  t.deepEqual(fates(revive, accept(limits.callWords), revive), [[1, "taken"], [2, 400], [3, "taken"]]);
  t.deepEqual(fates(accept(limits.callWords - 1_000)), [[1, "taken"]]);
});

test("13.4 a message has bounds of its own: what has no room in it may come again", (t) => {
  const half = accept(limits.callWords - 1_000);
  t.deepEqual(fates(half, half, accept(8_000), revive), [[1, "taken"], [2, "taken"], [3, 503], [4, 503]]);
  t.notThrows(() => decodeCalls(encode(...Array.from({ length: limits.messageItems }, () => ({})))));
  t.throws(() => decodeCalls(encode(...Array.from({ length: limits.messageItems + 1 }, () => ({})))), { message: /items/ });
});

test("13.4 what is no batch of calls ends the stream", (t) => {
  const whole = encode(revive, revive);
  t.throws(() => decodeCalls(whole.subarray(0, whole.length - 1)));
  t.throws(() => decodeCalls(Buffer.alloc(1_000_000, 0x7b)), undefined, "groups within groups");
  t.throws(() => decodeCalls(Buffer.alloc(1_000_000, 0x10)), undefined, "fields without end");
});

test("13.4 a task that fitted a call fits an agent's list, with its framework", (t) => {
  const label = { key: "", value: "" };
  const task = TaskInfo.decode(TaskInfo.encode({ ...TaskInfo.fromPartial({}), labels: { labels: Array(Math.floor(limits.callWords / 6.5)).fill(label) } }).finish());
  const framework = FrameworkInfo.fromPartial({ labels: { labels: Array(Math.floor(limits.infoBytes / 6) - 100).fill(label) } });
  t.deepEqual(fates({ type: Call_Type.ACCEPT, accept: { operations: [{ type: 1, launch: { taskInfos: [task] } }] } }), [[1, "taken"]]);
  t.true(TaskInfo.encode(task).finish().length < limits.taskInfoBytes);
  t.true(FrameworkInfo.encode(framework).finish().length < limits.infoBytes);
  const held = Array.from({ length: limits.heldInfosPerPart }, () => ({ launchId: "l", info: task, framework }));
  const batch = AgentBatch.fromPartial({ messages: [{ session: 1, body: { $case: "heldPart", value: { held } } }] } as never);
  const decode = boundedDecode(AgentBatch, { items: ({ messages }) => messages });
  t.notThrows(() => decode(Buffer.from(AgentBatch.encode(batch).finish())));
});

test("13.4 items of a batch are counted, and bytes where less is enough", (t) => {
  const decode = boundedDecode(AgentBatch, { items: ({ messages }) => messages });
  const batch = (length: number): Buffer => Buffer.from(AgentBatch.encode({ messages: Array(length).fill({ session: 1 }) }).finish());
  t.notThrows(() => decode(batch(limits.messageItems)));
  t.throws(() => decode(batch(limits.messageItems + 1)), { message: /items/ });
  t.throws(() => decode(Buffer.alloc(2 * limits.messageWords, 0x0a)), { message: /elements|EOF/ });
  t.throws(() => boundedDecode(SchedulerCalls, { bytes: 10 })(Buffer.alloc(11)), { message: /11 bytes/ });
});

test("13.4 what was read keeps nothing of its message: bytes, and fields that are not known, are copies", (t) => {
  const task = TaskInfo.fromPartial({ name: "t", taskId: { value: "t" }, data: Buffer.alloc(100) });
  const launch = { type: Call_Type.ACCEPT, accept: { operations: [{ type: 1, launch: { taskInfos: [task, { name: "u", data: Buffer.alloc(100_000) }] } }] } };
  const [{ call }] = decodeCalls(encode(launch)).calls as [NumberedCall];
  const read = call!.accept!.operations[0]!.launch!.taskInfos[0]!;
  t.is(read.data?.buffer.byteLength, 100);
  // Field 999, of one byte.
  const newer = TaskInfo.decode(new CountingReader(Buffer.concat([TaskInfo.encode(task).finish(), Buffer.of(0xba, 0x3e, 1, 5)]), 100));
  t.deepEqual(Object.values(newer._unknownFields!).map(([bytes]) => bytes!.buffer.byteLength), [2]);
  const value = TaskRecord.encode(TaskRecord.fromPartial({ launchId: "0".repeat(32), frameworkId: "f", agentId: "a", role: "*", info: task, uuid: Buffer.alloc(16) })).finish();
  const row = decodeRow({ key: `t/${"0".repeat(32)}`, value });
  t.is(row.kind, "change");
  if (row.kind !== "change" || row.change.kind !== "t") return;
  t.is(row.change.record?.uuid.buffer.byteLength, 16);
  t.is(row.change.record?.info?.data?.buffer.byteLength, 100);
});
