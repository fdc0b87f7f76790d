/** Everything an agent can ask its shell to do. Done in order, once what it rests on is durable. */
import type { AgentMessage } from "../../wire/gen/mesarch/v1/agents.ts";
import type { TaskAccepted } from "../../wire/gen/mesarch/v1/checkpoint.ts";
import type { LinkId } from "./input.ts";

export type Output =
  | { readonly kind: "say"; readonly link: LinkId; readonly message: AgentMessage }
  /** The master behind this link is silent or wrong: close it and connect anew. */
  | { readonly kind: "closeLink"; readonly link: LinkId; readonly reason: string }
  | { readonly kind: "start"; readonly task: TaskAccepted }
  /** Take the start mark, so that the run never starts; answered by the input `cancelled`. */
  | { readonly kind: "cancel"; readonly launchId: string }
  | { readonly kind: "kill"; readonly launchId: string; readonly graceMs: number }
  /** The task is forgotten: its run may be removed, its sandbox be collected in time (8.10). */
  | { readonly kind: "collect"; readonly launchId: string }
  /** Something an operator must know; logged once per cause. */
  | { readonly kind: "alarm"; readonly cause: string; readonly message: string }
  /** The agent's process has to end. It touches no task any more. */
  | { readonly kind: "leave"; readonly reason: "gone" | "duplicate"; readonly message: string };

/** True for words that rest on nothing durable. */
export function isUnfenced(output: Output): boolean {
  return output.kind === "alarm" || (output.kind === "say" && output.message.body?.$case === "pong");
}

/**
 * True for words that rest on the stored epoch at most, never on the journal: they may be said while the journal is
 * stalled. A report tells what is held; at worst it names a task the journal lost again, which the leader then orders
 * anew (9.3: deliverable, absent), or misses one that was forgotten, which is then acknowledged again. Without an id it
 * rests on the nonce, which has to be kept first (8.7).
 */
export function needsNoJournal(output: Output): boolean {
  if (output.kind === "say") {
    const { body } = output.message;
    if (body?.$case === "report") return body.value.agentId !== "";
    return body?.$case === "greeting" || body?.$case === "heldPart" || body?.$case === "epochRefused" || body?.$case === "pong";
  }
  return output.kind === "alarm" || output.kind === "closeLink" || output.kind === "leave" || output.kind === "kill";
}
