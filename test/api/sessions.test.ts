/** What the doors hold until it may become an input of the machine. */
import test from "ava";
import { AgentSessions } from "../../src/api/agent-sessions.ts";
import { Numbers } from "../../src/api/leadership.ts";
import { SchedulerSessions } from "../../src/api/scheduler-sessions.ts";
import { ManualClock } from "../../src/async/manual-clock.ts";
import type { Input } from "../../src/core/master/input.ts";
import { limits } from "../../src/model/limits.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { telemetryOff } from "../../src/telemetry/off.ts";
import { AgentMessage, type MasterMessage } from "../../src/wire/gen/mesarch/v1/agents.ts";
import type { SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Call, Call_Type, Event, Event_Type, event_TypeToJSON } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";

function leadership() {
  const inputs: Input[] = [];
  const submit = (input: Input): boolean => inputs.push(input) > 0;
  return { inputs, epoch: { generation: 1, revision: 1 }, clusterId: "c", submit, deliver: submit };
}

function agentStream() {
  const agents = new AgentSessions(new Numbers());
  const said: MasterMessage[] = [];
  const closed: string[] = [];
  const stream = agents.open({ send: (message) => void said.push(message), close: (reason) => void closed.push(reason) });
  const message = (body: object, session: number): AgentMessage => AgentMessage.fromPartial({ session, body } as never);
  const say = (body: object, session = 0, bytes = 1): void => stream.messages([message(body, session)], bytes);
  const sayAtOnce = (bodies: object[], session: number, bytes: number): void => stream.messages(bodies.map((body) => message(body, session)), bytes);
  return { agents, said, closed, say, sayAtOnce };
}

const greeting = { $case: "greeting", value: { protocol: 1 } };
const part = (...launchIds: string[]) => ({ $case: "heldPart", value: { held: launchIds.map((launchId) => ({ launchId })) } });
const report = (launchId: string) => ({ $case: "report", value: { listed: true, held: [{ launchId }] } });

/** The launch ids of each list that reached the machine. */
function lists(inputs: readonly Input[]): string[] {
  return inputs.flatMap((input) => (input.kind === "agentReport" ? [input.report.held.map(({ launchId }) => launchId).join()] : []));
}

test("9.3 a list in parts is one report; the next one starts over, and so does a new session", (t) => {
  const { agents, say } = agentStream();
  const { inputs, ...access } = leadership();
  agents.begin(access);
  say(greeting);
  const session = inputs.flatMap((input) => (input.kind === "agentOpened" ? [input.session] : []))[0]!;
  say(part("a", "b"), session);
  say(part("old"), session - 1);
  say(part("c"), session);
  say(report("d"), session);
  say(report("e"), session);
  t.deepEqual(lists(inputs), ["a,b,c,d", "e"]);
  say(part("f"), session);
  agents.restart();
  const again = inputs.flatMap((input) => (input.kind === "agentOpened" ? [input.session] : [])).at(-1)!;
  say(report("g"), again);
  t.deepEqual(lists(inputs).slice(2), ["g"]);
});

test("13.4 a list without end, and a second greeting, end the stream", (t) => {
  const endless = agentStream();
  endless.agents.begin(leadership());
  endless.say(greeting);
  endless.say(part("a"), 1, limits.reportBytes);
  t.deepEqual(endless.closed, []);
  endless.say(part("b"), 1, 1);
  t.is(endless.closed.length, 1);
  const greeter = agentStream();
  greeter.say(greeting);
  greeter.say(greeting);
  t.deepEqual(greeter.closed, ["greeted twice"]);
});

test("13.4 the parts of a list that share a batch count once", (t) => {
  const { agents, say, sayAtOnce, closed } = agentStream();
  const { inputs, ...access } = leadership();
  agents.begin(access);
  say(greeting);
  const batches = 4;
  for (let i = 0; i < batches; i++) sayAtOnce(Array.from({ length: 128 }, (_, j) => part(`l${i}-${j}`)), 1, limits.reportBytes / batches);
  say(report("last"), 1);
  t.deepEqual(closed, []);
  t.is(lists(inputs)[0]!.split(",").length, batches * 128 + 1);
  for (let i = 0; i < batches; i++) sayAtOnce([part("foreign")], 2, limits.reportBytes);
  sayAtOnce([part("a"), part("b")], 1, limits.reportBytes);
  t.deepEqual(closed, [], "the next list starts over, and others' parts are not counted");
  sayAtOnce([report("not a part")], 1, limits.reportBytes);
  sayAtOnce([part("a")], 1, limits.reportBytes + 1);
  t.is(closed.length, 1);
});

test("agents are told who leads when that changes, not each time it is heard", (t) => {
  const { agents, said, say } = agentStream();
  say(greeting);
  const hint = { master: "m", address: "m:1", epoch: { generation: 1, revision: 5 } };
  agents.leaderIs(hint);
  agents.leaderIs({ ...hint, epoch: { ...hint.epoch } });
  t.is(said.length, 2);
  agents.leaderIs({ ...hint, epoch: { generation: 1, revision: 6 } });
  agents.leaderIs(undefined);
  agents.leaderIs(undefined);
  t.is(said.length, 4);
});

test("13.4 an ACCEPT of too many tasks is refused before the machine sees it", (t) => {
  const schedulers = new SchedulerSessions(new Numbers(), new ManualClock(), telemetryOff(createLogger({ service: "m", role: "master", name: "m", level: "silent" })));
  const { inputs, ...access } = leadership();
  schedulers.begin(access);
  const items: SchedulerItem[] = [];
  const stream = schedulers.open({ send: (item) => void items.push(item), close: () => {} }, "");
  const accept = (count: number) => ({ type: Call_Type.ACCEPT, accept: { operations: [{ type: 1, launch: { taskInfos: Array(count).fill({}) } }] } });
  const calls = [{ type: Call_Type.SUBSCRIBE, subscribe: {} }, accept(limits.acceptItems), accept(limits.acceptItems - 1)];
  stream.calls(calls.map((call, number) => ({ number, call: Call.fromPartial(call as never), traceparent: "" })));
  stream.calls([{ number: 3, code: 400, message: "could not be read" }]);
  t.deepEqual(inputs.map(({ kind }) => kind), ["subscribe", "call"]);
  t.deepEqual(items.map(({ item }) => (item?.$case === "reply" ? [item.value.number, item.value.code] : [])), [[1, 400], [3, 400]]);
});

test("3.1 offers that did not wait for a transaction still follow SUBSCRIBED, and only on a new stream", (t) => {
  const schedulers = new SchedulerSessions(new Numbers(), new ManualClock(), telemetryOff(createLogger({ service: "mesarch-master", role: "master", name: "m", level: "silent" })));
  const { inputs, ...access } = leadership();
  schedulers.begin(access);
  const told: string[] = [];
  const stream = schedulers.open({ send: ({ item }) => void told.push(nameOf(item)), close: () => {} }, "");
  stream.calls([{ number: 1, call: Call.fromPartial({ type: Call_Type.SUBSCRIBE, subscribe: {} }), traceparent: "" }]);
  const session = inputs.flatMap((input) => (input.kind === "subscribe" ? [input.session] : []))[0]!;
  const say = (type: Event_Type, id = ""): void => schedulers.say({ kind: "event", session, event: event(type, id) }, 1);
  say(Event_Type.OFFERS, "o1");
  say(Event_Type.OFFERS, "o2");
  t.deepEqual(told, []);
  say(Event_Type.SUBSCRIBED);
  say(Event_Type.OFFERS, "o3");
  say(Event_Type.UPDATE);
  t.deepEqual(told, ["SUBSCRIBED", "OFFERS o1", "OFFERS o2", "OFFERS o3", "UPDATE"]);
});

function event(type: Event_Type, offerId: string): Event {
  return Event.fromPartial({ type, ...(offerId !== "" && { offers: { offers: [{ id: { value: offerId } }] } }) });
}

function nameOf(item: SchedulerItem["item"]): string {
  if (item?.$case !== "event") return item?.$case ?? "";
  return [event_TypeToJSON(item.value.type!), ...(item.value.offers?.offers ?? []).map(({ id }) => id?.value)].join(" ");
}
