/** Messages between frameworks and executors: best effort both ways, as in Mesos. */
import { type Call_Message, Event_Type as EventType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { Input } from "./input.ts";
import { type FrameworkStream, type MasterState, confirmedStream } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

/** MESSAGE: to an executor, if its agent is here. */
export function toExecutor(state: MasterState, tx: Tx, stream: FrameworkStream, call: Call_Message): void {
  const agent = confirmedStream(state, call.agentId?.value ?? "");
  if (agent === undefined) return;
  const executorId = call.executorId?.value ?? "";
  tell(tx, agent, {
    $case: "executorMessage",
    value: { frameworkId: stream.frameworkId, executorId, data: call.data ?? new Uint8Array() },
  });
}

/** From an executor, if its framework is here. */
export function fromExecutor(state: MasterState, tx: Tx, input: Extract<Input, { kind: "agentMessage" }>): void {
  const agentId = state.agentSessions.get(input.session)?.agentId ?? "";
  const stream = state.frameworks.get(input.frameworkId);
  if (agentId === "" || confirmedStream(state, agentId)?.session !== input.session || stream === undefined) return;
  const message = { agentId: { value: agentId }, executorId: { value: input.executorId }, data: input.data };
  tx.say({ kind: "event", session: stream.session, event: { type: EventType.MESSAGE, message } });
}
