/** An agent is in and its books agree with the registry: it is told what to do, and its resources may be offered (9.4). */
import type { AgentRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import * as allocation from "./allocation.ts";
import * as delivery from "./delivery.ts";
import * as liveness from "./liveness.ts";
import * as notices from "./notices.ts";
import * as pacing from "./pacing.ts";
import * as reconcile from "./reconcile.ts";
import type { Orders } from "./settle.ts";
import type { AgentStream, MasterState } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

/**
 * @param before the agent's row so far; absent for a new agent.
 * @param row the same object when nothing has to be written.
 * @param orders of the settlement; absent when the digests agreed.
 */
export function confirm(
  state: MasterState,
  tx: Tx,
  stream: AgentStream,
  before: AgentRecord | undefined,
  row: AgentRecord,
  orders: Orders | undefined,
): void {
  const { agentId } = stream;
  if (row !== before) tx.put({ kind: "a", id: agentId, record: row });
  const returns = before?.standing?.$case === "unreachableAt" || stream.adopting;
  stream.phase = "confirmed";
  stream.adopting = false;
  state.agentStreams.set(agentId, stream);
  state.membership.confirmed.add(agentId);
  state.membership.lastHeard.delete(agentId);
  liveness.watch(state, tx, agentId);
  tell(tx, stream, { $case: "confirm", value: { agentId } });
  if (orders !== undefined) carryOut(state, tx, stream, orders);
  delivery.deliverAll(state, tx, stream, orders?.missing ?? []);
  if (returns) reconcile.tellReturn(state, tx, agentId);
  allocation.agentConfirmed(state, tx, agentId);
  if (row !== before) notices.agent(state, tx, agentId);
  liveness.noteConfirmed(state, tx);
  pacing.leave(state, tx, stream);
}

function carryOut(state: MasterState, tx: Tx, stream: AgentStream, { start, cancel, forget, kill }: Orders): void {
  if (start.length + cancel.length + forget.length > 0) {
    tell(tx, stream, { $case: "settle", value: { start, cancel, forget } });
  }
  for (const launchId of kill) {
    tell(tx, stream, { $case: "kill", value: { launchId, graceMs: state.settings.killGraceMs } });
  }
}
