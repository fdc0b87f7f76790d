/**
 * Who is told `lead` when (5.3): agents with orders to deliver first, and never more at a time than we can take
 * reports from, so that a herd of thousands neither floods the mailbox nor delays the first launches.
 */
import { limits } from "../../model/limits.ts";
import type { AgentStream, MasterState } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

/** An agent that takes longer to report keeps its stream, but no longer keeps others waiting. */
const REPORT_PATIENCE_MS = 5_000;

export function enqueue(state: MasterState, tx: Tx, stream: AgentStream): void {
  const { tables, membership } = state;
  const hasOrders = tables.agents.has(stream.agentId) && tables.agentBooks(stream.agentId).orders > 0;
  const { withOrders, others } = membership.waiting;
  (hasOrders ? withOrders : others).add(stream.session);
  admit(state, tx);
}

/** Tells an agent to lead without regard to the queue. */
export function lead(state: MasterState, tx: Tx, stream: AgentStream): void {
  const { membership, settings, deadlines } = state;
  membership.waiting.withOrders.delete(stream.session);
  membership.waiting.others.delete(stream.session);
  membership.led.add(stream.session);
  stream.phase = "led";
  deadlines.set(`report/${stream.session}`, tx.now + REPORT_PATIENCE_MS);
  tell(tx, stream, { $case: "lead", value: { pingTimeoutMs: settings.agentPingTimeoutMs } });
}

/** The verdict on an agent is out, its stream ended or it is slow: the next one's turn. */
export function leave(state: MasterState, tx: Tx, stream: AgentStream): void {
  const { membership, deadlines } = state;
  membership.waiting.withOrders.delete(stream.session);
  membership.waiting.others.delete(stream.session);
  deadlines.clear(`report/${stream.session}`);
  if (membership.led.delete(stream.session)) admit(state, tx);
}

/** Deadline `report/<session>`. */
export function reportOverdue(state: MasterState, tx: Tx, session: string): void {
  const stream = state.agentSessions.get(Number(session));
  if (stream !== undefined) leave(state, tx, stream);
}

function admit(state: MasterState, tx: Tx): void {
  const { membership, agentSessions } = state;
  const { withOrders, others } = membership.waiting;
  for (const queue of [withOrders, others]) {
    for (const session of queue) {
      if (membership.led.size >= limits.unconfirmedAgents) return;
      queue.delete(session);
      const stream = agentSessions.get(session);
      if (stream !== undefined) lead(state, tx, stream);
    }
  }
}
