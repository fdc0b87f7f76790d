/**
 * Everything that can happen to a leading master. One machine lives for one leadership: promotion makes it over the
 * folded tables, stepping down throws it away.
 */
import type { Greeting, Report, TaskUpdate } from "../../wire/gen/mesarch/v1/agents.ts";
import type { OperatorEvent, OperatorRequest } from "../../wire/gen/mesarch/v1/operator.ts";
import type { LeaderRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { Offer_Operation, OfferID, TaskInfo } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Call } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";

/** Numbers a stream of this process; never used twice. */
export type SessionId = number;
/** Names one call that waits for an answer. */
export type Token = number;
/** What is still to be told of a snapshot, row by row, each as it is when it is taken. */
export type SnapshotRest = Iterator<OperatorEvent, undefined>;

/** One task of an operation, or an operation without tasks. */
export interface AcceptItem {
  readonly operation: Offer_Operation;
  readonly task?: TaskInfo;
}

/** What is still to be done of an ACCEPT, and with which offers. */
export interface AcceptRest {
  readonly items: readonly AcceptItem[];
  readonly offerIds: readonly OfferID[];
  readonly refuseSeconds: number | undefined;
  /** Why the offers were not valid together, once that is known: for all items alike. */
  readonly denied?: string;
}

export type Input =
  /** A SUBSCRIBE opened a stream. Answered by SUBSCRIBED, or ERROR and `closeScheduler`. */
  | { readonly kind: "subscribe"; readonly session: SessionId; readonly principal: string; readonly call: Call }
  /** Any other scheduler call. `session` is absent for a caller without a stream (operator kill, HTTP later). */
  | {
      readonly kind: "call";
      readonly session: SessionId;
      readonly principal: string;
      readonly call: Call;
      readonly token: Token;
      readonly traceparent: string;
    }
  /** Left by the step before of an ACCEPT of many tasks (3.8); it was admitted there. */
  | {
      readonly kind: "acceptRest";
      readonly session: SessionId;
      readonly token: Token;
      readonly traceparent: string;
      readonly rest: AcceptRest;
    }
  /** A scheduler's stream ended. `ours`: we closed it or were mute (10.5). */
  | { readonly kind: "schedulerClosed"; readonly session: SessionId; readonly ours: boolean }
  /** An agent's stream is open (or was, when this leadership began) and greeted. */
  | { readonly kind: "agentOpened"; readonly session: SessionId; readonly greeting: Greeting }
  | { readonly kind: "agentReport"; readonly session: SessionId; readonly report: Report }
  | { readonly kind: "agentUpdate"; readonly session: SessionId; readonly update: TaskUpdate }
  | { readonly kind: "agentForgot"; readonly session: SessionId; readonly launchIds: readonly string[] }
  | { readonly kind: "agentPong"; readonly session: SessionId; readonly sequence: number }
  | {
      readonly kind: "agentEpochRefused";
      readonly session: SessionId;
      readonly storedGeneration: number;
      readonly storedRevision: number;
    }
  | {
      readonly kind: "agentMessage";
      readonly session: SessionId;
      readonly frameworkId: string;
      readonly executorId: string;
      readonly data: Uint8Array;
    }
  | { readonly kind: "agentClosed"; readonly session: SessionId }
  /** An operator's question or order, already known to be for the leader. */
  | { readonly kind: "operator"; readonly token: Token; readonly principal: string; readonly request: OperatorRequest }
  /** The next page of the snapshot that a subscriber of events begins with; `rest`: what the last page left. */
  | { readonly kind: "snapshotWanted"; readonly token: Token; readonly rest: SnapshotRest | undefined }
  /** The clock reached `nextDeadline()`. */
  | { readonly kind: "deadline" }
  /** The registry does not answer (3.6), or answers again. */
  | { readonly kind: "mute"; readonly on: boolean }
  /** The registry's space is exhausted (3.5), or there is room again. */
  | { readonly kind: "readOnly"; readonly on: boolean; readonly reason: string }
  /** The registry's store is filling up: no launches until there is room, so that what runs can still be booked (13.3). */
  | { readonly kind: "nearlyFull"; readonly reason: string }
  /** The leadership's own record with the phases known so far (5.2). */
  | { readonly kind: "leaderRecord"; readonly record: LeaderRecord };
