/** Everything a leading master can ask its shell to say. Said in order, once what it rests on is durable. */
import type { MasterMessage } from "../../wire/gen/mesarch/v1/agents.ts";
import type { OperatorEvent, OperatorResponse } from "../../wire/gen/mesarch/v1/operator.ts";
import { Event_Type, type Event } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { SessionId, SnapshotRest, Token } from "./input.ts";

export type Output =
  | { readonly kind: "event"; readonly session: SessionId; readonly event: Event }
  /** Ends a scheduler's stream after what was said before. */
  | { readonly kind: "closeScheduler"; readonly session: SessionId }
  /** The outcome of a scheduler call, as an HTTP status code (200, 202, 400, 403, 500, 503). */
  | { readonly kind: "reply"; readonly token: Token; readonly code: number; readonly message: string }
  | { readonly kind: "operatorReply"; readonly token: Token; readonly response: OperatorResponse }
  | { readonly kind: "operatorRefusal"; readonly token: Token; readonly code: RefusalCode; readonly message: string }
  | { readonly kind: "agent"; readonly session: SessionId; readonly message: MasterMessage }
  | { readonly kind: "closeAgent"; readonly session: SessionId; readonly reason: string }
  /** For the operators' event stream. */
  | { readonly kind: "notice"; readonly event: OperatorEvent }
  /** A page of a snapshot for one subscriber; `rest` is handed back for the next one. */
  | {
      readonly kind: "snapshot";
      readonly token: Token;
      readonly events: readonly OperatorEvent[];
      readonly rest: SnapshotRest | undefined;
    }
  /** A fact of this leadership the shell measures: first agent confirmed, all confirmed, first launch running. */
  | { readonly kind: "milestone"; readonly name: Milestone }
  /** Something an operator must know; logged once per cause. */
  | { readonly kind: "alarm"; readonly cause: string; readonly message: string }
  /** Hand over (operator's step-down). Comes last in its step. */
  | { readonly kind: "handOver"; readonly token: Token };

export type RefusalCode = "notFound" | "invalid" | "refused" | "unavailable";
export type Milestone =
  | "agentsConfirmed"
  | "firstLaunch"
  /** Said by the loop itself: a barrier with nothing to release, and a full store that takes writes again. */
  | "canary"
  | "roomAgain";

/**
 * True for words that need no fence (3.1): they are harmless whenever they arrive. `lead` only says that this epoch
 * was elected, which stays true. An offer promises nothing: what is accepted of it is committed, or not.
 */
export function isUnfenced(output: Output): boolean {
  if (output.kind === "milestone") return true;
  if (output.kind === "event") return output.event.type === Event_Type.OFFERS;
  // A refusal says that nothing was done.
  if (output.kind === "reply") return output.code === 503;
  if (output.kind !== "agent") return false;
  const body = output.message.body?.$case;
  return body === "ping" || body === "lead";
}
