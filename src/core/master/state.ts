/**
 * What a leader knows beyond the tables: streams, offers, who is confirmed, deadlines. All of it dies with the
 * leadership; the next leader rebuilds it from the registry and from what its peers say again (4.4).
 */
import type { Epoch } from "../../base/epoch.ts";
import type { Random } from "../../base/random.ts";
import type { Resources } from "../../model/resources.ts";
import type { Greeting, Report } from "../../wire/gen/mesarch/v1/agents.ts";
import type { Allocator } from "../allocator/allocator.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Tables } from "../registry/tables.ts";
import type { SessionId } from "./input.ts";
import type { Membership } from "./membership.ts";
import type { Leadership, MasterSettings } from "./settings.ts";

/** A subscribed framework's stream. */
export interface FrameworkStream {
  readonly session: SessionId;
  readonly frameworkId: string;
  readonly principal: string;
  /** Capabilities as the framework announced them, by name: "PARTITION_AWARE", "MULTI_ROLE", "GPU_RESOURCES", … */
  readonly capabilities: ReadonlySet<string>;
  readonly offers: Set<string>;
  /** When it was opened, monotonic milliseconds: from then on it heard everything (7.5). */
  readonly since: number;
}

/** A framework's stream that broke without our doing. `at`: monotonic milliseconds. */
export interface StreamLoss {
  readonly frameworkId: string;
  readonly at: number;
}

export interface Offer {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  readonly resources: Resources;
}

/**
 * Where an agent's stream stands: greeted; told to lead and awaiting its report; asked for its list; waiting for the
 * verdict on a rival with the same id (8.6); confirmed; refused.
 */
export type AgentPhase = "greeted" | "led" | "listing" | "contested" | "confirmed" | "refused";

export interface AgentStream {
  readonly session: SessionId;
  readonly greeting: Greeting;
  /** The id it claims; empty until the agent has one. */
  agentId: string;
  phase: AgentPhase;
  /** When anything was last heard on it, in listening time. */
  heardAt: number;
  /** Its tasks may be adopted: the registry is new to this agent, or of a younger generation (9.3). */
  adopting: boolean;
  /** While contested: the report that waits, and the probe its rival has to answer. */
  contest: { readonly report: Report; readonly probe: number } | undefined;
}

export interface MasterState {
  readonly leadership: Leadership;
  readonly epoch: Epoch;
  readonly settings: MasterSettings;
  readonly tables: Tables;
  readonly allocator: Allocator;
  readonly deadlines: Deadlines;
  readonly random: Random;
  /** Whether anybody listens to notices. */
  readonly watched: () => boolean;
  /** Random part of ids made by this leadership (1.4). */
  readonly idNonce: string;
  readonly counters: { framework: number; agent: number; offer: number; leader: number };

  /** When this leadership began, monotonic milliseconds. */
  readonly startedAt: number;
  /** Cluster clock, seconds, at `startedAt` (11.1). */
  readonly clockAtStart: number;

  /** Subscribed frameworks by id, and the same by session. */
  readonly frameworks: Map<string, FrameworkStream>;
  readonly frameworkSessions: Map<SessionId, FrameworkStream>;
  readonly offers: Map<string, Offer>;
  /** Ids of outstanding offers by agent. */
  readonly offersByAgent: Map<string, Set<string>>;
  /** Streams that broke in the last seconds, oldest first: many at once are our fault, not theirs (10.5). */
  recentLosses: readonly StreamLoss[];

  /** Open agent streams by session. */
  readonly agentSessions: Map<SessionId, AgentStream>;
  /** The current stream of each known agent. */
  readonly agentStreams: Map<string, AgentStream>;

  readonly membership: Membership;

  mute: boolean;
  /** Why writes are refused; empty while they are not. */
  readOnly: string;
  /** Why launches are refused; empty while they are not. */
  nearlyFull: string;
}

/** Seconds led since the registry exists (11.1). */
export function clusterClock(state: MasterState, now: number): number {
  return state.clockAtStart + Math.floor((now - state.startedAt) / 1000);
}

/** Monotonic milliseconds at which the cluster clock shows `seconds`. */
export function whenClockShows(state: MasterState, seconds: number): number {
  return state.startedAt + (seconds - state.clockAtStart) * 1000;
}

/** Milliseconds since 1970, for timestamps people and frameworks look at (11.2). */
export function wallClock(state: MasterState, now: number): number {
  return state.leadership.electedAtMs + (now - state.startedAt);
}

/** The confirmed stream of an agent: only such an agent is offered, launched on or judged by absence (5.4). */
export function confirmedStream(state: MasterState, agentId: string): AgentStream | undefined {
  const stream = state.agentStreams.get(agentId);
  return stream?.phase === "confirmed" ? stream : undefined;
}
