/** An agent's stream ends. That withdraws its offers and nothing else (5.5). */
import * as allocation from "./allocation.ts";
import { forgetStream } from "./membership.ts";
import * as notices from "./notices.ts";
import * as offers from "./offers.ts";
import * as pacing from "./pacing.ts";
import type { AgentStream, MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";

export function depart(state: MasterState, tx: Tx, stream: AgentStream): void {
  const wasConfirmed = stream.phase === "confirmed";
  pacing.leave(state, tx, stream);
  state.deadlines.clear(`probe/${stream.session}`);
  forgetStream(state, stream);
  stream.contest = undefined;
  if (!wasConfirmed || state.agentStreams.has(stream.agentId)) return;
  offers.rescindAgent(state, tx, stream.agentId);
  allocation.agentAway(state, stream.agentId);
  notices.agent(state, tx, stream.agentId);
}

/** The same by our doing. */
export function drop(state: MasterState, tx: Tx, stream: AgentStream, reason: string): void {
  depart(state, tx, stream);
  tx.say({ kind: "closeAgent", session: stream.session, reason });
}
