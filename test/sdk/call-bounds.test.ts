/** Calls that no master takes. */
import test from "ava";
import { decodeCalls } from "../../src/grpc/decode-calls.ts";
import { limits } from "../../src/model/limits.ts";
import { beyondBounds } from "../../src/sdk/call-bounds.ts";
import { commandTask, type TaskInfo } from "../../src/sdk/index.ts";
import { NumberedCall, SchedulerCalls } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Call, Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { FakeMaster } from "../support/fake-master.ts";
import { connect, isKind, nextEvent, offers } from "../support/fake-session.ts";

/** As the SDK sends it. */
function launch(taskInfos: readonly TaskInfo[]): NumberedCall {
  const call = Call.fromPartial({ type: Call_Type.ACCEPT, accept: { operations: [{ type: 1, launch: { taskInfos } }] } } as never);
  return { number: 1, call, traceparent: "00-aa-bb-01" };
}

const env = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`NAME_${i}`, "value"]));
const tasks = (count: number): TaskInfo[] => Array.from({ length: count }, (_, i) => ({ ...commandTask({ id: `t${i}`, command: "true", env }), agentId: { value: "a1" } }));

test("13.4 client and master count alike: what one lets pass the other takes", (t) => {
  const isTaken = (count: number): boolean => {
    const call = launch(tasks(count));
    const within = beyondBounds("ACCEPT", NumberedCall.encode(call).finish()) === undefined;
    const [received] = decodeCalls(Buffer.from(SchedulerCalls.encode({ calls: [call] }).finish())).calls;
    t.is("code" in received!, !within, `${count} tasks`);
    return within;
  };
  let [fits, tooMany]: [number, number] = [1, limits.acceptItems];
  t.true(isTaken(fits));
  t.false(isTaken(tooMany));
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (isTaken(middle)) fits = middle;
    else tooMany = middle;
  }
  t.true(fits > 5_000, `${fits} tasks fit`);
});

test("13.4 a launch of more than a master takes is invalid at once; its offer can still be used", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  master.sessions[0]!.event(offers("o1"));
  await nextEvent(session, "offers");
  const remedy = /Split it/;
  const dense = await t.throwsAsync(session.launch("o1", tasks(9_000)), { code: "invalid", message: /ACCEPT has more than \d+ elements/ });
  t.regex((dense as { remedy?: string }).remedy!, remedy);
  const heavy = { ...commandTask({ command: "true" }), data: Buffer.alloc(limits.messageBytes) };
  const large = await t.throwsAsync(session.launch("o1", [heavy]), { code: "invalid", message: /ACCEPT has \d+ bytes/ });
  t.regex((large as { remedy?: string }).remedy!, remedy);
  await session.launch("o1", tasks(10));
  const sent = master.calls.all.filter(isKind("ACCEPT"));
  t.is(sent.length, 1);
  t.is(sent[0]!.call.accept!.operations[0]!.launch!.taskInfos[0]!.agentId?.value, "a1");
  t.is(master.sessions.length, 1, "the stream is the first one");
});

test("13.4 a framework too large to subscribe is told so, not kept waiting", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  const labels = { text: "x".repeat(limits.messageBytes) };
  await t.throwsAsync(connect([master], { framework: { name: "large", labels } }), { code: "invalid", message: /SUBSCRIBE has \d+ bytes/ });
});

test("10.9 a call on which the stream breaks again and again fails, and the session goes on", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  master.onCall = (call) => {
    if (call.kind === "KILL") call.session.cut();
    else master.answer(call);
  };
  const others = [session.decline("o1"), session.revive()];
  const killed = session.kill("t1");
  others.push(session.decline("o2"), session.acknowledge({ uuid: Buffer.alloc(16) } as never));
  const error = await t.throwsAsync(killed, { code: "internal", message: /KILL: the stream broke 3 times/ });
  t.regex((error as { remedy?: string }).remedy!, /reconcile/);
  await Promise.all(others);
  await session.reconcile();
  t.true(master.sessions.length <= 8, `${master.sessions.length} streams`);
});
