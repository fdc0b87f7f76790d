import type { MasterMessage } from "../../wire/gen/mesarch/v1/agents.ts";
import type { AgentStream } from "./state.ts";
import type { Tx } from "./tx.ts";

/** Says something to an agent on this stream; the shell adds cluster, epoch and session (12.1). */
export function tell(tx: Tx, stream: AgentStream, body: NonNullable<MasterMessage["body"]>): void {
  tx.say({ kind: "agent", session: stream.session, message: { body } });
}
