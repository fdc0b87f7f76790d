import test from "ava";
import { boundedDecode } from "../../src/grpc/bounded-decode.ts";
import { limits } from "../../src/model/limits.ts";
import { SchedulerCalls } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Call, Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";

const decode = boundedDecode(SchedulerCalls, { items: ({ calls }) => calls });

function encode(...calls: object[]): Buffer {
  return Buffer.from(
    SchedulerCalls.encode({ calls: calls.map((call, number) => ({ number, call: Call.fromPartial(call), traceparent: "" })) }).finish(),
  );
}

test("13.4 what an honest framework says is decoded as ever", (t) => {
  const tasks = Array.from({ length: 50_000 }, (_, i) => ({ taskId: { value: `task-${i}` }, agentId: { value: "agent" } }));
  const bytes = encode({ type: Call_Type.RECONCILE, reconcile: { tasks } });
  t.is(decode(bytes).calls[0]!.call!.reconcile!.tasks.length, tasks.length);
  const large = encode({ type: Call_Type.MESSAGE, message: { data: Buffer.alloc(8 * 1024 * 1024, 0x0a) } });
  t.is(decode(large).calls[0]!.call!.message!.data!.length, 8 * 1024 * 1024);
});

test("13.4 elements are counted at every depth, not only bytes", (t) => {
  const taskInfos = Array.from({ length: limits.messageWords / 2 }, () => ({ resources: [], limits: {} }));
  const bytes = encode({ type: Call_Type.ACCEPT, accept: { operations: [{ type: 1, launch: { taskInfos } }] } });
  t.true(bytes.length < 1024 * 1024);
  t.throws(() => decode(bytes), { message: /elements/ });
});

test("13.4 items of a batch are counted, and bytes where less is enough", (t) => {
  t.notThrows(() => decode(encode(...Array.from({ length: limits.messageItems }, () => ({})))));
  t.throws(() => decode(encode(...Array.from({ length: limits.messageItems + 1 }, () => ({})))), { message: /items/ });
  t.throws(() => boundedDecode(SchedulerCalls, { bytes: 10 })(Buffer.alloc(11)), { message: /11 bytes/ });
});
