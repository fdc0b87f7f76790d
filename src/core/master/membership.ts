/** What a leader keeps in mind about its agents, beside their rows and streams. */
import type { Resources } from "../../model/resources.ts";
import type { SessionId } from "./input.ts";
import type { AgentStream, MasterState } from "./state.ts";

export interface Membership {
  /** Streams by the agent id they claim: more than one while two processes claim the same id (8.6). */
  readonly claims: Map<string, Set<AgentStream>>;
  /** Greeted streams that wait for `lead`, those with orders to deliver first (5.3). */
  readonly waiting: { readonly withOrders: Set<SessionId>; readonly others: Set<SessionId> };
  /** Streams told to lead whose verdict is out: at most `limits.unconfirmedAgents` (5.3). */
  readonly led: Set<SessionId>;
  /** Members whose stream is confirmed. */
  readonly confirmed: Set<string>;
  /** Listening time at which an agent without a stream was last heard; absent: not by this leader. */
  readonly lastHeard: Map<string, number>;
  /** When agents were declared unreachable in the last minute, oldest first (5.5). */
  verdicts: readonly number[];
  /** Number of the last ping or probe. */
  pings: number;
  /** Whose turn it was to be pinged last. */
  pingTurn: number;
  /** Time in which nothing could be heard: mute, or our own process standing still. */
  deafMs: number;
  muteSince: number | undefined;
  /** When deadlines were last seen to, monotonic milliseconds. */
  deadlinesSeenAt: number;
  /** What agents run that the registry does not account for (9.3): counted as used, otherwise left alone. */
  readonly strangers: Map<string, ReadonlyMap<string, Resources>>;
  /** New launches without word yet, until the first one runs; then undefined. */
  firstLaunches: Set<string> | undefined;
  allConfirmedSaid: boolean;
  /** Settled rows by launch id, and when they were told to a stream that is still open (4.5), oldest first. */
  readonly told: Map<string, number>;
  /** What was found to be over and still has to leave the registry (4.2), last first. */
  readonly prunable: Prunable[];
  /** The look through all rows that is under way. */
  pruneLook: PruneLook | undefined;
}

/** Finds what is over, row by row. */
export type PruneLook = Generator<Prunable | undefined, void>;

/** An agent or framework whose rows may go; `ended`: those tasks of a framework that have ended. */
export interface Prunable {
  readonly kind: "a" | "f" | "ended";
  readonly id: string;
  /** Its own row goes, too, once those that hang on it are gone. */
  readonly wholly: boolean;
}

export function newMembership(): Membership {
  return {
    claims: new Map(),
    waiting: { withOrders: new Set(), others: new Set() },
    led: new Set(),
    confirmed: new Set(),
    lastHeard: new Map(),
    verdicts: [],
    pings: 0,
    pingTurn: 0,
    deafMs: 0,
    muteSince: undefined,
    deadlinesSeenAt: 0,
    strangers: new Map(),
    firstLaunches: new Set(),
    allConfirmedSaid: false,
    told: new Map(),
    prunable: [],
    pruneLook: undefined,
  };
}

/**
 * Milliseconds of this leadership in which agents could be heard. Silence is measured in it, so that neither a mute
 * spell nor a pause of our own process makes an agent look dead (5.5).
 */
export function listeningTime(state: MasterState, now: number): number {
  const { deafMs, muteSince } = state.membership;
  return (muteSince ?? now) - state.startedAt - deafMs;
}

/** A word of this agent arrived. */
export function heard(state: MasterState, stream: AgentStream, now: number): void {
  stream.heardAt = listeningTime(state, now);
}

/** Listening time at which anything was last heard from an agent; 0 when this leader never did. */
export function lastHeard(state: MasterState, agentId: string): number {
  let last = state.membership.lastHeard.get(agentId) ?? 0;
  for (const stream of state.membership.claims.get(agentId) ?? []) last = Math.max(last, stream.heardAt);
  return last;
}

/** Binds a stream to the id it claims. */
export function claim(state: MasterState, stream: AgentStream, agentId: string): void {
  stream.agentId = agentId;
  const { claims } = state.membership;
  const streams = claims.get(agentId) ?? new Set();
  streams.add(stream);
  claims.set(agentId, streams);
}

/** Undoes `claim` and what else hangs on an open stream. */
export function forgetStream(state: MasterState, stream: AgentStream): void {
  const { membership, agentSessions, agentStreams, tables } = state;
  const { agentId, session } = stream;
  agentSessions.delete(session);
  if (agentId === "") return;
  const streams = membership.claims.get(agentId);
  streams?.delete(stream);
  if (streams?.size === 0) membership.claims.delete(agentId);
  // Anybody may greet by any name: kept of members only.
  if (tables.agents.has(agentId)) {
    membership.lastHeard.set(agentId, Math.max(stream.heardAt, membership.lastHeard.get(agentId) ?? 0));
  }
  if (agentStreams.get(agentId) === stream) {
    agentStreams.delete(agentId);
    membership.confirmed.delete(agentId);
  }
}
