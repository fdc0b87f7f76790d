/** Pings, silence and what follows from it (5.5). A leader never infers death from what it could not have heard. */
import { isTerminal } from "../../model/task-state.ts";
import type { AgentRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import { taskIdOf } from "../registry/tables.ts";
import * as allocation from "./allocation.ts";
import { drop } from "./departure.ts";
import * as frameworks from "./framework-events.ts";
import * as identity from "./identity.ts";
import type { Input } from "./input.ts";
import { heard, lastHeard, listeningTime } from "./membership.ts";
import * as notices from "./notices.ts";
import * as offers from "./offers.ts";
import { shownState } from "./standing.ts";
import { type MasterState, clusterClock, wallClock } from "./state.ts";
import { masterStatus } from "./task-status.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

const MINUTE_MS = 60_000;
/** Agents are pinged in so many turns within an interval, so that their answers do not come all at once. */
const PING_TURNS = 15;
/** Up to this many agents may be away without the brake asking which share of all they are. */
const FEW_AWAY = 2;

/** At promotion, and when steps were undone: whoever is not watched is looked at when a full window has passed. */
export function begin(state: MasterState, now: number): void {
  state.deadlines.set("ping", now + state.settings.agentPingIntervalMs / PING_TURNS);
  state.deadlines.set("sweep", now + state.settings.agentPingTimeoutMs);
}

export function pong(state: MasterState, tx: Tx, { session, sequence }: Extract<Input, { kind: "agentPong" }>): void {
  const stream = state.agentSessions.get(session);
  if (stream === undefined) return;
  heard(state, stream, tx.now);
  identity.answered(state, tx, stream, sequence);
}

/** Deadline `ping`. While mute nothing is promised to anybody, so nobody is pinged (3.6). */
export function pingDue(state: MasterState, tx: Tx): void {
  state.deadlines.set("ping", tx.now + state.settings.agentPingIntervalMs / PING_TURNS);
  if (state.mute) return;
  const { membership } = state;
  membership.pingTurn = (membership.pingTurn + 1) % PING_TURNS;
  membership.pings += 1;
  const sequence = membership.pings;
  for (const stream of state.agentSessions.values()) {
    const isTurn = stream.session % PING_TURNS === membership.pingTurn;
    if (isTurn && stream.phase !== "greeted") tell(tx, stream, { $case: "ping", value: { sequence } });
  }
}

/** Deadline `sweep`: members that were never heard are judged from here on. */
export function sweep(state: MasterState, tx: Tx): void {
  for (const [agentId, row] of state.tables.agents) {
    if (row.standing?.$case === "in" && !state.deadlines.has(`agent/${agentId}`)) silenceDue(state, tx, agentId);
  }
}

export function watch(state: MasterState, tx: Tx, agentId: string): void {
  state.deadlines.set(`agent/${agentId}`, tx.now + state.settings.agentPingTimeoutMs);
}

/** Deadline `agent/<id>`: a window ends. */
export function silenceDue(state: MasterState, tx: Tx, agentId: string): void {
  const row = state.tables.agents.get(agentId);
  if (row?.standing?.$case !== "in") return;
  const { agentPingTimeoutMs, agentPingIntervalMs } = state.settings;
  const left = agentPingTimeoutMs - (listeningTime(state, tx.now) - lastHeard(state, agentId));
  const brake = left > 0 || state.mute || state.readOnly !== "" ? 0 : brakeMs(state, tx);
  // Not before the next millisecond: what is left may be a rounding error, and would be due at once, again and again.
  if (left > 0 && !state.mute) state.deadlines.set(`agent/${agentId}`, tx.now + Math.max(1, left));
  else if (state.mute || state.readOnly !== "") state.deadlines.set(`agent/${agentId}`, tx.now + agentPingIntervalMs);
  else if (brake > 0) state.deadlines.set(`agent/${agentId}`, tx.now + brake);
  else declareUnreachable(state, tx, agentId, row);
}

/** Milliseconds until one more agent may be declared unreachable; 0: now. */
function brakeMs(state: MasterState, tx: Tx): number {
  const { membership, settings, tables } = state;
  const members = tables.agentsIn;
  const away = members - membership.confirmed.size;
  if (away > FEW_AWAY && 3 * away > members) {
    tx.say({
      kind: "alarm",
      cause: "agents-away",
      message:
        `${away} of ${members} agents are away, more than a third: none is declared unreachable. ` +
        "Look for a common cause, or mark those that are lost for good as gone",
    });
    return settings.agentPingIntervalMs;
  }
  membership.verdicts = membership.verdicts.filter((at) => tx.now - at < MINUTE_MS);
  const allowed = Math.max(1, Math.floor(settings.unreachablePerMinute * members));
  // Not 0 by rounding, or all that wait for this moment would be let through at once.
  return membership.verdicts.length < allowed ? 0 : Math.max(1, membership.verdicts[0]! + MINUTE_MS - tx.now);
}

/** One write for the agent; what it means for each task is derived (4.1). */
function declareUnreachable(state: MasterState, tx: Tx, agentId: string, row: AgentRecord): void {
  state.membership.verdicts = [...state.membership.verdicts, tx.now];
  const record: AgentRecord = {
    ...row,
    term: row.term + 1,
    standing: { $case: "unreachableAt", value: clusterClock(state, tx.now) },
    unreachableTimeMs: Math.floor(wallClock(state, tx.now)),
  };
  tx.put({ kind: "a", id: agentId, record });
  for (const stream of [...(state.membership.claims.get(agentId) ?? [])]) drop(state, tx, stream, "silent for too long");
  tellLoss(state, tx, agentId, `Agent ${record.info?.hostname ?? agentId} is unreachable`);
  noteConfirmed(state, tx);
}

/** The agent's row says that it is unreachable or gone: withdraws its offers and tells everybody concerned. */
export function tellLoss(state: MasterState, tx: Tx, agentId: string, message: string): void {
  offers.rescindAgent(state, tx, agentId);
  allocation.agentAway(state, agentId);
  for (const launchId of state.tables.agentBooks(agentId).launches) {
    const record = state.tables.tasks.get(launchId);
    if (record === undefined || isTerminal(record.state as TaskState)) continue;
    state.deadlines.clear(`launch/${launchId}`);
    const status = masterStatus(state, tx.now, { taskId: taskIdOf(record), agentId }, { ...shownState(state.tables, record), message });
    // Who is away hears it when it comes back (7.5).
    frameworks.sendUpdate(state, tx, record, status);
    notices.task(state, tx, record);
  }
  frameworks.sendFailure(state, tx, agentId);
  notices.agent(state, tx, agentId);
}

/** Says, once, that no member is left unconfirmed. */
export function noteConfirmed(state: MasterState, tx: Tx): void {
  const { membership, tables } = state;
  if (membership.allConfirmedSaid || membership.confirmed.size < tables.agentsIn) return;
  membership.allConfirmedSaid = true;
  tx.say({ kind: "milestone", name: "agentsConfirmed" });
}

/** Our own process stood still for this long: nothing could be heard meanwhile. */
export function stalled(state: MasterState, ms: number): void {
  if (state.membership.muteSince === undefined) state.membership.deafMs += ms;
}

export function muted(state: MasterState, on: boolean, now: number): void {
  const { membership } = state;
  if (on) {
    membership.muteSince ??= now;
  } else if (membership.muteSince !== undefined) {
    membership.deafMs += now - membership.muteSince;
    membership.muteSince = undefined;
  }
}
