import test from "ava";
import { commandTask, FrameworkFailedOverError, FrameworkRemovedError, TaskState } from "../../src/sdk/index.ts";
import { Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { FakeMaster } from "../support/fake-master.ts";
import { connect, isKind, nextEvent, offers as offersOf, update } from "../support/fake-session.ts";

test("subscribes with an id of its own, launches on offers and acknowledges", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  const subscribe = await master.calls.next(isKind("SUBSCRIBE"));
  t.is(subscribe.call.subscribe?.frameworkInfo?.id?.value, session.frameworkId);
  t.true(session.frameworkId.length >= 32, "10.1: random, or a repeated SUBSCRIBE could make a second framework");
  t.is(session.leader?.epoch.revision, 5);
  subscribe.session.event(offersOf("o1"));
  const { offers } = await nextEvent(session, "offers");
  await session.launch(offers, [commandTask({ command: "true" })], { traceparent: "00-aa-bb-01", refuseSeconds: 0 });
  const accept = await master.calls.next(isKind("ACCEPT"));
  t.is(accept.call.accept?.operations[0]?.launch?.taskInfos[0]?.agentId?.value, "a1");
  t.is(accept.call.accept?.filters?.refuseSeconds, 0);
  t.is(accept.traceparent, "00-aa-bb-01");
  subscribe.session.event(update("t1", TaskState.TASK_RUNNING));
  const { status } = await nextEvent(session, "update");
  await session.acknowledge(status);
  const acknowledge = await master.calls.next(isKind("ACKNOWLEDGE"));
  t.is(Buffer.from(acknowledge.call.acknowledge!.uuid!).toString(), "0123456789abcdef");
});

test("calls of one turn leave in one message", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  await Promise.all(Array.from({ length: 50 }, (_, i) => session.kill(`t${i}`)));
  const first = await master.calls.next(isKind("KILL"));
  t.is(first.batch, 50);
});

test("moves to a new leader on its announcement, repeats what had no answer, and reports the dead offers", async (t) => {
  await using old = await FakeMaster.start("m1");
  await using standby = await FakeMaster.start("m2");
  old.lead(5);
  standby.follow(old);
  await using session = await connect([old, standby]);
  const { session: stream } = await old.calls.next(isKind("SUBSCRIBE"));
  stream.event(offersOf("o1", "o2"));
  const { offers } = await nextEvent(session, "offers");
  old.onCall = () => {};
  const launched = session.launch(offers[0]!, [commandTask({ id: "t1", command: "true" })]);
  const told = session.message("a1", "e1", Buffer.from("x"));
  const lost = await old.calls.next(isKind("ACCEPT"));
  await old.calls.next(isKind("MESSAGE"));

  standby.lead(9); // the old leader hangs: its stream stays open
  t.is((await standby.calls.next(isKind("SUBSCRIBE"))).call.frameworkId?.value, session.frameworkId);
  const repeated = await standby.calls.next(isKind("ACCEPT"));
  t.deepEqual(repeated.call, lost.call);
  await launched;
  await told;
  t.false(standby.calls.all.some(isKind("MESSAGE")), "a message is never repeated");

  t.deepEqual(await nextEvent(session, "rescinded"), { type: "rescinded", offerIds: ["o2"], cause: "leader" });
  const changed = await nextEvent(session, "leaderChanged");
  t.deepEqual([changed.from.name, changed.to.name], ["m1", "m2"]);
  t.true((await nextEvent(session, "subscribed")).resumed);
});

test("a killed leader: calls made without a leader are held and sent to the next one", async (t) => {
  await using old = await FakeMaster.start("m1");
  await using standby = await FakeMaster.start("m2");
  old.lead(5);
  standby.follow(old);
  await using session = await connect([old, standby]);
  old.kill();
  await nextEvent(session, "disconnected");
  const held = [session.kill("t1"), session.reconcile([{ taskId: "t1" }]), session.suppress()];
  standby.lead(9);
  await Promise.all(held);
  t.deepEqual(standby.calls.all.map((call) => call.kind), ["SUBSCRIBE", "KILL", "RECONCILE", "SUPPRESS"]);
  t.deepEqual(standby.calls.all[0]!.call.subscribe?.suppressedRoles, ["*"], "suppression holds across leaders");
});

test("an announcement of an older epoch changes nothing", async (t) => {
  await using leader = await FakeMaster.start("m1");
  await using deposed = await FakeMaster.start("m2");
  leader.lead(9);
  await using session = await connect([leader, deposed]);
  deposed.lead(5);
  deposed.lead(8);
  await session.reconcile();
  t.is(session.leader?.name, "m1");
  t.is(deposed.sessions.length, 0);
});

test("503 is retried, 400 and 500 are not", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  let refusals = 3;
  master.onCall = ({ session, number, kind }) => {
    if (kind === "KILL") session.reply(number, refusals-- > 0 ? 503 : 202);
    else session.reply(number, kind === "RECONCILE" ? 500 : 400, "no such thing");
  };
  await session.kill("t1");
  t.is(master.calls.all.filter(isKind("KILL")).length, 4);
  await t.throwsAsync(session.reconcile(), { code: "internal" });
  t.is(master.calls.all.filter(isKind("RECONCILE")).length, 1);
  await t.throwsAsync(session.decline("o1"), { code: "invalid", message: /DECLINE.*no such thing/ });
});

test("10.8 calls take effect in the order in which they were made, also when one is refused for now", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  const taken: string[] = [];
  let refusals = 2;
  master.onCall = ({ session, number, kind }) => {
    if (kind === "SUPPRESS" && refusals-- > 0) return session.reply(number, 503);
    taken.push(kind);
    session.reply(number, 202);
  };
  await Promise.all([session.suppress(), session.revive()]);
  t.deepEqual(taken.slice(-2), ["SUPPRESS", "REVIVE"]);
});

test("10.8 a kill waits for the launch of its task, and for no other", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  let isFull = true;
  const taken: string[] = [];
  master.onCall = ({ session, number, kind, call }) => {
    if (kind === "ACCEPT" && isFull) session.reply(number, 503);
    else {
      taken.push(`${kind} ${call.kill?.taskId?.value ?? ""}`);
      session.reply(number, 202);
    }
  };
  const launched = session.launch("o1", [commandTask({ id: "t1", command: "true" })]);
  await session.kill("t2"); // answered after the launch
  const killed = session.kill("t1");
  await session.kill("t3");
  t.deepEqual(taken, ["KILL t2", "KILL t3"]);
  isFull = false;
  await Promise.all([launched, killed]);
  t.deepEqual(taken, ["KILL t2", "KILL t3", "ACCEPT ", "KILL t1"]);
});

test("a timeout says whether there was a leader, and a signal gives a call up", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  master.onCall = () => {};
  await t.throwsAsync(session.kill("t1", { timeoutMs: 20 }), { code: "timed_out", message: /did not answer/ });
  const controller = new AbortController();
  const given = session.kill("t2", { signal: controller.signal });
  controller.abort(new Error("enough"));
  await t.throwsAsync(given, { message: "enough" });
  master.kill();
  await nextEvent(session, "disconnected");
  await t.throwsAsync(session.kill("t3", { timeoutMs: 20 }), { code: "no_leader" });
});

test("connecting without a leader says what each master said", async (t) => {
  await using master = await FakeMaster.start("m1");
  const error = await t.throwsAsync(connect([master], { masters: [master.address, "127.0.0.1:1"], connectTimeoutMs: 1_500 }));
  t.like(error, { code: "no_leader" });
  t.regex(error!.message, /knows no leader; 127\.0\.0\.1:1 refuses connections/);
});

test("ERROR ends the events with a typed error", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  for (const [message, type] of [
    ["Framework failed over", FrameworkFailedOverError],
    ["Framework has been removed", FrameworkRemovedError],
  ] as const) {
    await using session = await connect([master]);
    master.sessions.at(-1)!.event({ type: Event_Type.ERROR, error: { message } });
    await t.throwsAsync(nextEvent(session, "offers"), { instanceOf: type, message });
    await t.throwsAsync(session.kill("t1"), { instanceOf: type });
  }
});

test("teardown whose answer was lost is known by the removal", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master]);
  master.onCall = ({ session, kind }) => {
    if (kind === "TEARDOWN") session.end();
    else session.event({ type: Event_Type.ERROR, error: { message: "Framework has been removed" } });
  };
  await session.teardown();
  for await (const event of session.events) t.not(event.type, "offers");
  t.is(master.calls.all.filter(isKind("TEARDOWN")).length, 1);
});

test("close keeps the framework: nothing is torn down, later calls are refused, the events end", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  const session = await connect([master]);
  await session.close();
  for await (const event of session.events) t.is(event.type, "subscribed");
  await t.throwsAsync(session.kill("t1"), { code: "cancelled" });
  t.false(master.calls.all.some(isKind("TEARDOWN")));
});

test("autoAcknowledge confirms an update when the loop asks for the next event, and nothing when it is left", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master], { autoAcknowledge: true });
  const acknowledged = (): (string | undefined)[] =>
    master.calls.all.filter(isKind("ACKNOWLEDGE")).map((call) => call.call.acknowledge?.taskId?.value);
  for (const task of ["t1", "t2", "t3"]) master.sessions[0]!.event(update(task, TaskState.TASK_RUNNING));
  let seen = 0;
  const fails = async (): Promise<void> => {
    for await (const event of session.events) {
      if (event.type !== "update") continue;
      seen += 1;
      if (seen === 1) t.deepEqual(acknowledged(), []);
      else throw new Error("cannot handle t2");
    }
  };
  await t.throwsAsync(fails(), { message: "cannot handle t2" });
  await session.reconcile();
  t.deepEqual(acknowledged(), ["t1"], "t2 comes again");
  for await (const event of session.events) {
    if (event.type !== "update") continue;
    await session.acknowledge(event.status);
    break;
  }
  await session.reconcile();
  t.deepEqual(acknowledged(), ["t1", "t3"]);
});

test("too many unanswered calls are refused at once", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  await using session = await connect([master], { maxPendingCalls: 2 });
  master.onCall = () => {};
  const waiting = [session.kill("t1"), session.kill("t2")];
  await t.throwsAsync(session.kill("t3"), { code: "exhausted" });
  await session.close({ timeoutMs: 0 });
  for (const call of waiting) await t.throwsAsync(call, { code: "cancelled" });
});

test("a master that does not lead sends the session on", async (t) => {
  await using standby = await FakeMaster.start("m1");
  await using leader = await FakeMaster.start("m2");
  leader.lead(9);
  standby.lead(5); // stale: it learns better only when asked
  standby.onCall = ({ session }) => {
    session.send({ $case: "notLeading", value: { leaderAddress: leader.address } });
    session.end();
  };
  await using session = await connect([standby]);
  t.is(session.leader?.name, "m2");
});
