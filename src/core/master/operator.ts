/** Operators' orders, and their questions to the leader. */
import { idError } from "../../model/ids.ts";
import { roleError, topLevelOf } from "../../model/roles.ts";
import type { OperatorEvent } from "../../wire/gen/mesarch/v1/operator.ts";
import * as agents from "./agents.ts";
import * as allocation from "./allocation.ts";
import * as lifetime from "./framework-lifetime.ts";
import type { Input } from "./input.ts";
import { findKey, findTask, hasEnded } from "./find.ts";
import * as kill from "./kill.ts";
import * as offers from "./offers.ts";
import type { MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";
import { type OperatorAnswer, type OperatorCall, type Refusal, notFound, read, snapshotEvents } from "./view.ts";

/** Rows told in one step, so that other inputs are not kept waiting. */
const SNAPSHOT_PAGE = 128;

export function call(state: MasterState, tx: Tx, input: Extract<Input, { kind: "operator" }>): void {
  const { token, request } = input;
  const asked = request.call;
  const outcome: OperatorAnswer | Refusal | undefined =
    asked === undefined ? { refused: "invalid", message: "the request asks nothing" } : answerTo(state, tx, asked);
  if (outcome === undefined) {
    tx.say({ kind: "handOver", token });
  } else if ("refused" in outcome) {
    tx.say({ kind: "operatorRefusal", token, code: outcome.refused, message: outcome.message });
  } else {
    // The shell sets the revision: it alone knows at which one this becomes durable.
    const response = { epoch: { ...state.epoch }, revision: 0, stale: false, answer: outcome };
    tx.say({ kind: "operatorReply", token, response });
  }
}

/** In the order of the news: what was said of a row before is older, and what is said later newer. */
export function snapshotPage(state: MasterState, tx: Tx, { token, rest }: Extract<Input, { kind: "snapshotWanted" }>): void {
  const from = rest ?? snapshotEvents(state);
  const events: OperatorEvent[] = [];
  let next = from.next();
  for (; next.done !== true; next = from.next()) {
    events.push(next.value);
    if (events.length === SNAPSHOT_PAGE) break;
  }
  tx.say({ kind: "snapshot", token, events, rest: next.done === true ? undefined : from });
}

/** Undefined: hand over. */
function answerTo(state: MasterState, tx: Tx, asked: OperatorCall): OperatorAnswer | Refusal | undefined {
  const known = read(state.tables, asked, state);
  if (known !== undefined && "$case" in known && known.$case === "status") {
    return { $case: "status", value: { ...known.value, ledForMs: Math.floor(tx.now - state.startedAt) } };
  }
  if (known !== undefined) return known;
  if (asked.$case === "stepDown") return undefined;
  return state.readOnly === "" ? order(state, tx, asked) : { refused: "unavailable", message: state.readOnly };
}

function order(state: MasterState, tx: Tx, asked: OperatorCall): OperatorAnswer | Refusal {
  switch (asked.$case) {
    case "killTask":
      return killTask(state, tx, asked.value.id, asked.value.graceMs);
    case "teardownFramework": {
      const id = findKey(state.tables.frameworks, asked.value.frameworkId);
      if (id === undefined) return unknown("framework", asked.value.frameworkId);
      if (state.tables.frameworks.get(id)?.standing?.$case === "removedAt") {
        return done(`framework ${id} was removed before`);
      }
      const stream = state.frameworks.get(id);
      lifetime.remove(state, tx, id);
      if (stream !== undefined) tx.say({ kind: "closeScheduler", session: stream.session });
      return done(`framework ${id} is removed; its tasks are being killed`);
    }
    case "markAgentGone": {
      const id = findKey(state.tables.agents, asked.value.agentId);
      if (id === undefined) return unknown("agent", asked.value.agentId);
      if (state.tables.agents.get(id)?.standing?.$case === "goneAt") return done(`agent ${id} was marked gone before`);
      agents.markGone(state, tx, id);
      return done(`agent ${id} is marked gone`);
    }
    case "setAgentActive": {
      const id = findKey(state.tables.agents, asked.value.agentId);
      if (id === undefined) return unknown("agent", asked.value.agentId);
      agents.setActive(state, tx, id, asked.value.active);
      return done(`agent ${id} ${asked.value.active ? "is offered" : "is not offered any more"}`);
    }
    case "setWeight":
      return setWeight(state, tx, asked.value.role, asked.value.weight);
    default:
      return { refused: "invalid", message: `'${asked.$case}' is no order` };
  }
}

function killTask(state: MasterState, tx: Tx, id: string, graceMs: number | undefined): OperatorAnswer | Refusal {
  const found = findTask(state.tables, id);
  if (found.kind !== "found") return notFound(found, id);
  const { record } = found;
  const name = `task ${record.info?.taskId?.value ?? record.launchId}`;
  if (found.finished || hasEnded(record)) return { refused: "refused", message: `${name} has ended already` };
  kill.mark(state, tx, record, graceMs);
  return done(`${name} is being killed`);
}

function setWeight(state: MasterState, tx: Tx, role: string, weight: number): OperatorAnswer | Refusal {
  const error = roleError(role) ?? (role.includes("/") ? undefined : idError(role));
  if (error !== undefined) return { refused: "invalid", message: error };
  if (!(weight > 0) || !Number.isFinite(weight)) return { refused: "invalid", message: `weight ${weight} is not above 0` };
  tx.put({ kind: "w", id: role, record: weight === 1 ? undefined : { role, weight } });
  state.allocator.setWeight(role, weight);
  // Offers made under the old weight would keep it alive (Mesos 6.5).
  for (const offer of [...state.offers.values()]) {
    if (topLevelOf(offer.role) === topLevelOf(role)) offers.rescind(state, tx, offer.id);
  }
  allocation.request(state, tx.now);
  return done(`role ${role} has weight ${weight}`);
}

function done(message: string): OperatorAnswer {
  return { $case: "done", value: { message } };
}

function unknown(what: string, id: string): Refusal {
  return { refused: "notFound", message: `no ${what} has the id '${id}', or several begin like it` };
}
