/**
 * Two processes with one agent id (8.6). A restarted agent and a cloned work directory look alike, so the process that
 * the registry knows is asked first: while it answers, the other is refused. A clone therefore never ends the tasks of
 * the original.
 */
import { Refusal_Kind, type Report } from "../../wire/gen/mesarch/v1/agents.ts";
import type { Incarnation } from "../../wire/gen/mesarch/v1/registry.ts";
import { drop, refuse } from "./departure.ts";
import * as pacing from "./pacing.ts";
import type { AgentStream, MasterState } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

/** The known process has this long to answer a probe. */
const PROBE_PATIENCE_MS = 5_000;
const REPLACED = "replaced by a newer session";

/** `outdated`: the process speaks in a newer session by now, and this one was ended. */
export type Identity = "accepted" | "refused" | "contested" | "outdated";

/** Judges a report under an id the registry knows; `recorded`: the incarnation it knows. */
export function judge(state: MasterState, tx: Tx, stream: AgentStream, report: Report, recorded: Incarnation | undefined): Identity {
  const mine = report.incarnation;
  if (mine === undefined) return "refused";
  const others = sessionsOf(state, stream, mine);
  // What comes late of an older session tells of a time before what the newer one tells.
  if (others.some(({ session }) => session > stream.session)) {
    drop(state, tx, stream, REPLACED);
    return "outdated";
  }
  const rival = recorded === undefined || isSame(mine, recorded) ? undefined : rivalOf(state, stream, recorded);
  if (rival !== undefined) {
    probe(state, tx, stream, rival, report);
    return "contested";
  }
  if (recorded !== undefined && !isSame(mine, recorded) && mine.starts <= recorded.starts) return "refused";
  for (const older of others) drop(state, tx, older, REPLACED);
  return "accepted";
}

/**
 * A process answered pings up to this number: if it is the known one, who contests its id is a clone. Nothing else it
 * says proves that it lives, since what a dead process wrote may still arrive.
 */
export function answered(state: MasterState, tx: Tx, stream: AgentStream, sequence: number): void {
  for (const contestant of contestantsOf(state, stream, sequence)) {
    refuse(state, tx, contestant, Refusal_Kind.KIND_DUPLICATE, `agent ${stream.agentId} is alive at ${stream.greeting.address}`);
  }
}

function contestantsOf(state: MasterState, rival: AgentStream, sequence: number): AgentStream[] {
  const contestants: AgentStream[] = [];
  const recorded = state.tables.agents.get(rival.agentId)?.incarnation;
  const own = rival.greeting.incarnation;
  if (recorded === undefined || own === undefined || !isSame(own, recorded)) return contestants;
  for (const stream of state.membership.claims.get(rival.agentId) ?? []) {
    if (stream !== rival && stream.contest !== undefined && stream.contest.probe <= sequence) contestants.push(stream);
  }
  return contestants;
}

/** Streams that wait although nobody is left to be asked. */
export function unopposed(state: MasterState, agentId: string): AgentStream[] {
  const recorded = state.tables.agents.get(agentId)?.incarnation;
  const waiting: AgentStream[] = [];
  for (const stream of state.membership.claims.get(agentId) ?? []) {
    const opposed = recorded !== undefined && rivalOf(state, stream, recorded) !== undefined;
    if (stream.contest !== undefined && !opposed) waiting.push(stream);
  }
  return waiting;
}

/** The stream of the recorded process, if it is another one: the newest, since only there it hears a probe. */
export function rivalOf(state: MasterState, stream: AgentStream, recorded: Incarnation): AgentStream | undefined {
  let newest: AgentStream | undefined;
  for (const other of sessionsOf(state, stream, recorded)) if (other.session > (newest?.session ?? -1)) newest = other;
  return newest;
}

export function isSame(a: Incarnation, b: Incarnation): boolean {
  return a.starts === b.starts && a.nonce === b.nonce;
}

/** Other streams of a process: it opens a new one when the last broke, even if we have not noticed that yet (8.2). */
function sessionsOf(state: MasterState, stream: AgentStream, incarnation: Incarnation): AgentStream[] {
  return [...(state.membership.claims.get(stream.agentId) ?? [])].filter((other) => {
    const known = other.greeting.incarnation;
    return other !== stream && known !== undefined && isSame(known, incarnation);
  });
}

function probe(state: MasterState, tx: Tx, stream: AgentStream, rival: AgentStream, report: Report): void {
  // Only in a session of ours does an agent answer.
  if (rival.phase === "greeted") pacing.lead(state, tx, rival);
  state.membership.pings += 1;
  const sequence = state.membership.pings;
  tell(tx, rival, { $case: "ping", value: { sequence } });
  stream.phase = "contested";
  stream.contest = { report, probe: sequence };
  state.deadlines.set(`probe/${stream.session}`, tx.now + PROBE_PATIENCE_MS);
}
