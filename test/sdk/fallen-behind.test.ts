/** Readers that are too slow, or do not read at all. */
import test from "ava";
import { setImmediate as turn } from "node:timers/promises";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { FrameworkFailedOverError, TaskState, type SchedulerEvent } from "../../src/sdk/index.ts";
import { openSession } from "../../src/sdk/scheduler.ts";
import { Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { FakeMaster, type FakeSession } from "../support/fake-master.ts";
import { connect, isKind, nextEvent, offers, update } from "../support/fake-session.ts";
import { ScriptedTransport } from "../support/scripted-transport.ts";

const { TASK_RUNNING, TASK_LOST } = TaskState;

/** In one message, so that no reader comes in between. */
function atOnce(stream: FakeSession, events: readonly object[]): void {
  stream.send(...events.map((value) => ({ $case: "event" as const, value: value as never })));
}

test("a loop that falls behind starts over instead of filling memory", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master], { maxQueuedEvents: 10 });
  master.onCall = (call) => call.kind === "SUBSCRIBE" && master.answer(call);
  atOnce(master.sessions[0]!, Array.from({ length: 20 }, (_, i) => update(`t${i}`, TASK_RUNNING)));
  await t.throwsAsync(session.kill("t", { timeoutMs: 50 }));
  t.is(master.sessions.length, 1, "not before the reader has caught up");
  const { reason } = await nextEvent(session, "disconnected");
  t.regex(reason, /10 events waited/);
  t.true((await nextEvent(session, "subscribed")).resumed);
});

test("what a master tells without a uuid is kept: nobody says it again", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master], { maxQueuedEvents: 10 });
  const { session: stream } = await master.calls.next(isKind("SUBSCRIBE"));
  const told = Array.from({ length: 20 }, (_, i) => update(`t${i}`, i % 4 === 0 ? TASK_LOST : TASK_RUNNING, i % 4 === 0 ? "" : undefined));
  atOnce(stream, told);
  const seen: SchedulerEvent[] = [];
  for await (const event of session.events) {
    seen.push(event);
    if (event.type === "disconnected") break;
  }
  const lost = seen.flatMap((event) => (event.type === "update" ? [event.status.taskId?.value] : []));
  t.deepEqual(lost, ["t0", "t4", "t8", "t12", "t16"]);
});

test("a loop that falls behind while it waits for an answer gets the answer", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master], { maxQueuedEvents: 10 });
  master.onCall = (call) => (call.kind === "SUBSCRIBE" || master.sessions.length > 1) && master.answer(call);
  master.sessions[0]!.event(update("first", TASK_RUNNING));
  for await (const event of session.events) {
    if (event.type !== "update") continue;
    const acknowledged = session.acknowledge(event.status);
    atOnce(master.sessions[0]!, Array.from({ length: 20 }, (_, i) => update(`t${i}`, TASK_RUNNING)));
    await acknowledged;
    break;
  }
  t.is(master.sessions.length, 2);
});

test("offers that went with their stream are told of, however often a reader falls behind", async (t) => {
  const transport = new ScriptedTransport();
  const clock = new ManualClock();
  const opening = openSession({ masters: "m1", framework: { name: "test" }, maxQueuedEvents: 10, clock }, { transport, random: seededRandom(1) });
  await turn();
  transport.streams[0]!.subscribed();
  const session = await opening;
  transport.streams[0]!.events(offers("o1"));
  await nextEvent(session, "offers");
  session.kill("t").catch(() => {}); // waits for its answer, so that the session does not wait for the reader
  for (const stream of [0, 1]) {
    transport.streams[stream]!.events(...Array.from({ length: 20 }, (_, i) => update(`t${i}`, TASK_RUNNING)));
    await turn();
    clock.advance(1_000); // a pause for the reader, then one before the next stream
    await turn();
    clock.advance(1_000);
    await turn();
    transport.streams[stream + 1]!.subscribed();
    await turn();
  }
  const seen: SchedulerEvent[] = [];
  for await (const event of session.events) {
    seen.push(event);
    if (event.type === "subscribed") break;
  }
  t.deepEqual(seen[0], { type: "rescinded", offerIds: ["o1"], cause: "leader" });
  t.deepEqual(seen.map(({ type }) => type), ["rescinded", "disconnected", "subscribed"]);
  await session.close({ timeoutMs: 0 });
});

for (const [title, end] of [
  ["close", undefined],
  ["close after another process took over", "Framework failed over"],
] as const) {
  test(`${title} does not wait for a reader`, async (t) => {
    await using master = await FakeMaster.start("m1");
    master.lead(5);
    const session = await connect([master], { maxQueuedEvents: 3 });
    master.sessions[0]!.event(offers("o1", "o2", "o3"));
    await nextEvent(session, "offers");
    if (end !== undefined) {
      master.sessions[0]!.event({ type: Event_Type.ERROR, error: { message: end } });
      await t.throwsAsync(nextEvent(session, "offers"), { instanceOf: FrameworkFailedOverError });
    }
    await session.close();
    t.pass();
  });
}
