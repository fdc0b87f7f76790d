/** Tells an agent that it is not taken, and why. */
import type { Refusal_Kind } from "../../wire/gen/mesarch/v1/agents.ts";
import * as pacing from "./pacing.ts";
import type { AgentStream, MasterState } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

/** The stream stays: the agent leaves by itself, or reports again, after `retryMs` if that is given. */
export function refuse(state: MasterState, tx: Tx, stream: AgentStream, kind: Refusal_Kind, reason: string, retryMs = 0): void {
  state.deadlines.clear(`probe/${stream.session}`);
  stream.contest = undefined;
  stream.phase = "refused";
  pacing.leave(state, tx, stream);
  tell(tx, stream, { $case: "refusal", value: { kind, reason, retryMs } });
}
