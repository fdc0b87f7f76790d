import test from "ava";
import { isUnfenced, type Output } from "../../../src/core/master/output.ts";
import { MasterMessage } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { Event, Event_Type, event_TypeToJSON } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";

const event = (type: Event_Type): Output => ({ kind: "event", session: 1, event: Event.fromPartial({ type }) });
const agent = ($case: string): Output => ({ kind: "agent", session: 1, message: MasterMessage.fromPartial({ body: { $case, value: {} } } as never) });
const reply = (code: number): Output => ({ kind: "reply", token: 1, code, message: "" });

const harmless: readonly Output[] = [event(Event_Type.OFFERS), agent("ping"), agent("lead"), reply(503), { kind: "milestone", name: "canary" }];

for (const output of harmless) {
  test(`3.1 ${shown(output)} waits for no transaction`, (t) => {
    t.true(isUnfenced(output));
  });
}

/** Each would be wrong from a leader that was deposed without knowing it. */
const binding: readonly Output[] = [
  ...[Event_Type.SUBSCRIBED, Event_Type.UPDATE, Event_Type.RESCIND, Event_Type.FAILURE, Event_Type.ERROR, Event_Type.MESSAGE].map(event),
  ...["confirm", "launch", "kill", "acknowledge", "refusal"].map(agent),
  ...[202, 400, 403, 500].map(reply),
  { kind: "closeScheduler", session: 1 },
  { kind: "closeAgent", session: 1, reason: "" },
  { kind: "alarm", cause: "c", message: "" },
  { kind: "handOver", token: 1 },
];

for (const output of binding) {
  test(`3.1 ${shown(output)} waits for the fence`, (t) => {
    t.false(isUnfenced(output));
  });
}

function shown(output: Output): string {
  if (output.kind === "event") return `the event ${event_TypeToJSON(output.event.type!)}`;
  if (output.kind === "agent") return `to an agent, ${output.message.body?.$case}`;
  if (output.kind === "reply") return `the answer ${output.code}`;
  return output.kind;
}
