/** Speaking to frameworks. What cannot be said because they are away must be sayable again (4.4). */
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { TaskStatus } from "../../wire/gen/mesos/v1/mesos.ts";
import { type Event, Event_Type as EventType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { SessionId } from "./input.ts";
import type { FrameworkStream, MasterState } from "./state.ts";
import { updateEvent } from "./task-status.ts";
import type { Tx } from "./tx.ts";

export function say(tx: Tx, session: SessionId, event: Event): void {
  tx.say({ kind: "event", session, event });
}

/** UPDATE, as this framework understands it. */
export function sayStatus(tx: Tx, stream: FrameworkStream, status: TaskStatus): void {
  say(tx, stream.session, updateEvent(stream, status));
}

/** Tells a task's framework a status. False when the framework is away. */
export function sendUpdate(state: MasterState, tx: Tx, record: TaskRecord, status: TaskStatus): boolean {
  const stream = state.frameworks.get(record.frameworkId);
  if (stream === undefined) return false;
  sayStatus(tx, stream, status);
  return true;
}

/** FAILURE: an agent is unreachable or gone. Everybody hears it, as in Mesos. */
export function sendFailure(state: MasterState, tx: Tx, agentId: string): void {
  for (const { session } of state.frameworks.values()) {
    say(tx, session, { type: EventType.FAILURE, failure: { agentId: { value: agentId } } });
  }
}
