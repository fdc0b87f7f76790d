/**
 * Agents come, report, are settled and confirmed, and go (sections 5, 8, 9). A stream walks through its phases:
 * greeted, led, perhaps contested or listing, confirmed.
 */
import { compareEpochs, epochText } from "../../base/epoch.ts";
import { idError } from "../../model/ids.ts";
import type { Report } from "../../wire/gen/mesarch/v1/agents.ts";
import { Refusal_Kind as Kind } from "../../wire/gen/mesarch/v1/agents.ts";
import * as allocation from "./allocation.ts";
import { confirm } from "./confirm.ts";
import { depart, drop, refuse } from "./departure.ts";
import * as identity from "./identity.ts";
import type { Input } from "./input.ts";
import { listNeeded, mayBringTasks } from "./lists.ts";
import * as liveness from "./liveness.ts";
import { claim, heard, listeningTime } from "./membership.ts";
import * as notices from "./notices.ts";
import * as offers from "./offers.ts";
import * as pacing from "./pacing.ts";
import { joinedRow, newAgentId, reportError } from "./registration.ts";
import { type Orders, settle } from "./settle.ts";
import { type AgentPhase, type AgentStream, type MasterState, clusterClock } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

type Of<K extends Input["kind"]> = Extract<Input, { kind: K }>;

/** An agent that cannot be served while the store is full comes back after this. */
const LATER_MS = 5_000;
const GONE = "marked gone by an operator";
/** In these phases a report is awaited, or may be a better one than the last. */
const REPORTING: readonly AgentPhase[] = ["led", "listing", "refused"];

export function opened(state: MasterState, tx: Tx, { session, greeting }: Of<"agentOpened">): void {
  if (state.agentSessions.has(session)) return;
  const stream: AgentStream = {
    session,
    greeting,
    agentId: "",
    phase: "greeted",
    heardAt: listeningTime(state, tx.now),
    adopting: false,
    contest: undefined,
  };
  state.agentSessions.set(session, stream);
  // A name that is none claims nothing; its report will be refused.
  if (idError(greeting.agentId) === undefined) claim(state, stream, greeting.agentId);
  pacing.enqueue(state, tx, stream);
}

/** 5.5: a broken stream says nothing about the agent. */
export function closed(state: MasterState, tx: Tx, { session }: Of<"agentClosed">): void {
  const stream = state.agentSessions.get(session);
  if (stream === undefined) return;
  depart(state, tx, stream);
  resumeContests(state, tx, stream.agentId);
}

export function reported(state: MasterState, tx: Tx, { session, report }: Of<"agentReport">): void {
  const stream = state.agentSessions.get(session);
  // Once confirmed, what an agent holds changes by updates only.
  if (stream === undefined || !REPORTING.includes(stream.phase)) return;
  heard(state, stream, tx.now);
  consider(state, tx, stream, report);
}

/** Deadline `probe/<session>`: the process the registry knows did not answer, so it is taken for dead. */
export function probeOverdue(state: MasterState, tx: Tx, session: string): void {
  const stream = state.agentSessions.get(Number(session));
  const recorded = stream === undefined ? undefined : state.tables.agents.get(stream.agentId)?.incarnation;
  if (stream === undefined || stream.contest === undefined || recorded === undefined) return;
  const rival = identity.rivalOf(state, stream, recorded);
  if (rival !== undefined) drop(state, tx, rival, "replaced by a newer process of this agent");
  resumeContests(state, tx, stream.agentId);
}

/**
 * 9.5: the agent obeys a higher epoch. The refusal passes a barrier: if we are deposed, that shows it. If not, the
 * store was set back, and the agent is left alone.
 */
export function epochRefused(state: MasterState, tx: Tx, input: Of<"agentEpochRefused">): void {
  const stream = state.agentSessions.get(input.session);
  const stored = { generation: input.storedGeneration, revision: input.storedRevision };
  if (stream === undefined || compareEpochs(stored, state.epoch) <= 0) return;
  refuse(state, tx, stream, Kind.KIND_LATER, "this leader is of a lower epoch");
  tx.say({
    kind: "alarm",
    cause: "epoch",
    message:
      `agent ${stream.agentId} obeys epoch ${epochText(stored)}, above ours (${epochText(state.epoch)}). ` +
      "If no newer leader exists, the store was set back: run `mesarch registry restore`",
  });
}

/** An operator declares an agent lost for good. One write; false when there is no such agent. */
export function markGone(state: MasterState, tx: Tx, agentId: string): boolean {
  const row = state.tables.agents.get(agentId);
  if (row === undefined) return false;
  if (row.standing?.$case === "goneAt") return true;
  const standing = { $case: "goneAt" as const, value: clusterClock(state, tx.now) };
  tx.put({ kind: "a", id: agentId, record: { ...row, standing } });
  // An agent obeys only who leads it: one that waits for its turn is refused when it reports.
  for (const stream of state.membership.claims.get(agentId) ?? []) {
    if (stream.phase !== "greeted") refuse(state, tx, stream, Kind.KIND_GONE, GONE);
  }
  state.deadlines.clear(`agent/${agentId}`);
  liveness.tellLoss(state, tx, agentId, "An operator declared the agent gone");
  liveness.noteConfirmed(state, tx);
  return true;
}

/** Whether an agent gets offers. False when there is no such agent. */
export function setActive(state: MasterState, tx: Tx, agentId: string, active: boolean): boolean {
  const row = state.tables.agents.get(agentId);
  if (row === undefined) return false;
  if (row.deactivated === !active) return true;
  tx.put({ kind: "a", id: agentId, record: { ...row, deactivated: !active } });
  if (!active) offers.rescindAgent(state, tx, agentId);
  allocation.agentActive(state, agentId, active, tx.now);
  notices.agent(state, tx, agentId);
  return true;
}

function consider(state: MasterState, tx: Tx, stream: AgentStream, report: Report): void {
  const { tables } = state;
  if (report.clusterId !== "" && report.clusterId !== state.leadership.clusterId) {
    return refuse(state, tx, stream, Kind.KIND_OTHER_CLUSTER, `this is cluster ${state.leadership.clusterId}`);
  }
  const problem = reportError(tx, report);
  if (problem !== undefined) return refuse(state, tx, stream, Kind.KIND_INVALID, problem);
  const known = report.agentId === "" ? tables.agentByNonce(report.registrationNonce) : report.agentId;
  // Not by its greeting alone does anybody become the agent it names (8.6).
  if (stream.agentId !== "" && stream.agentId !== known) {
    return refuse(state, tx, stream, Kind.KIND_INVALID, `greeted as ${stream.agentId}, reported as another`);
  }
  if (known === undefined && state.readOnly !== "") return later(state, tx, stream);
  const agentId = known ?? newAgentId(state);
  if (stream.agentId === "") claim(state, stream, agentId);

  const before = tables.agents.get(agentId);
  if (before?.standing?.$case === "goneAt") return refuse(state, tx, stream, Kind.KIND_GONE, GONE);
  const verdict = identity.judge(state, tx, stream, report, before?.incarnation);
  if (verdict === "contested" || verdict === "outdated") return;
  if (verdict === "refused") {
    return refuse(state, tx, stream, Kind.KIND_DUPLICATE, `a younger process of agent ${agentId} is known`);
  }
  // A first registration without rows has nothing to settle, and nothing to adopt.
  stream.adopting ||= known !== undefined && mayBringTasks(state, tx.now, before, report);
  const need = known === undefined ? "nothing" : listNeeded(state, stream, before, report);
  // Asked once: what it still does not describe cannot be adopted, and is left alone.
  const isAnswer = stream.phase === "listing" && report.listed;
  if (need !== "nothing" && !isAnswer) {
    stream.phase = "listing";
    return tell(tx, stream, { $case: "listWanted", value: { withInfos: need === "infos" } });
  }
  const row = joinedRow(state, agentId, before, report);
  if (state.readOnly !== "" && (row !== before || report.listed)) return later(state, tx, stream);
  let orders: Orders | undefined;
  if (report.listed && known !== undefined) {
    orders = settle(state, tx, { agentId, term: row.term, adopting: stream.adopting }, report.held);
  }
  confirm(state, tx, stream, before, row, orders);
}

/** Contestants whose rival is gone are judged anew. */
function resumeContests(state: MasterState, tx: Tx, agentId: string): void {
  for (const stream of identity.unopposed(state, agentId)) {
    const { contest } = stream;
    state.deadlines.clear(`probe/${stream.session}`);
    if (contest === undefined) continue;
    stream.contest = undefined;
    stream.phase = "led";
    consider(state, tx, stream, contest.report);
  }
}

function later(state: MasterState, tx: Tx, stream: AgentStream): void {
  refuse(state, tx, stream, Kind.KIND_LATER, state.readOnly, LATER_MS);
}
