/** An agent's stream ends, or does not count any more. That withdraws its offers and nothing else (5.5). */
import type { Refusal_Kind } from "../../wire/gen/mesarch/v1/agents.ts";
import * as allocation from "./allocation.ts";
import { forgetStream } from "./membership.ts";
import * as notices from "./notices.ts";
import * as offers from "./offers.ts";
import * as pacing from "./pacing.ts";
import type { AgentStream, MasterState } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

export function depart(state: MasterState, tx: Tx, stream: AgentStream): void {
  const wasConfirmed = stream.phase === "confirmed";
  pacing.leave(state, tx, stream);
  state.deadlines.clear(`probe/${stream.session}`);
  forgetStream(state, stream);
  stream.contest = undefined;
  if (wasConfirmed) withdraw(state, tx, stream.agentId);
}

/** The confirmed stream of an agent is none any more: nothing of it can be offered. */
function withdraw(state: MasterState, tx: Tx, agentId: string): void {
  if (state.agentStreams.has(agentId)) return;
  offers.rescindAgent(state, tx, agentId);
  allocation.agentAway(state, agentId);
  notices.agent(state, tx, agentId);
}

/**
 * Tells an agent that it is not taken, and why. The stream stays: the agent leaves by itself, or reports again, after
 * `retryMs` if that is given.
 */
export function refuse(state: MasterState, tx: Tx, stream: AgentStream, kind: Refusal_Kind, reason: string, retryMs = 0): void {
  const wasConfirmed = stream.phase === "confirmed";
  state.deadlines.clear(`probe/${stream.session}`);
  stream.contest = undefined;
  stream.phase = "refused";
  pacing.leave(state, tx, stream);
  tell(tx, stream, { $case: "refusal", value: { kind, reason, retryMs } });
  if (!wasConfirmed || state.agentStreams.get(stream.agentId) !== stream) return;
  state.agentStreams.delete(stream.agentId);
  state.membership.confirmed.delete(stream.agentId);
  withdraw(state, tx, stream.agentId);
}

/** The same by our doing. */
export function drop(state: MasterState, tx: Tx, stream: AgentStream, reason: string): void {
  depart(state, tx, stream);
  tx.say({ kind: "closeAgent", session: stream.session, reason });
}
