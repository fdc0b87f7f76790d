/** Offer operations other than LAUNCH: known to Mesos, not to this version. */
import { type OperationStatus, OperationState } from "../../wire/gen/mesos/v1/mesos.ts";
import { type Call_ReconcileOperations, Event_Type as EventType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import { say as sayEvent } from "./framework-events.ts";
import type { FrameworkStream } from "./state.ts";
import type { Tx } from "./tx.ts";

/** Tells that an operation failed; without an operation id nobody can be told (Mesos 6.4). */
export function drop(tx: Tx, stream: FrameworkStream, operationId: string | undefined, message: string): void {
  if (operationId === undefined) return;
  say(tx, stream, {
    operationId: { value: operationId },
    state: OperationState.OPERATION_ERROR,
    message,
    convertedResources: [],
  });
}

/** RECONCILE_OPERATIONS: no operation is ever accepted, so none is known. */
export function reconcile(tx: Tx, stream: FrameworkStream, call: Call_ReconcileOperations): void {
  for (const { operationId, agentId } of call.operations) {
    say(tx, stream, {
      ...(operationId === undefined ? {} : { operationId }),
      state: OperationState.OPERATION_UNKNOWN,
      message: "Reconciliation: Operation is unknown",
      convertedResources: [],
      ...(agentId === undefined ? {} : { agentId }),
    });
  }
}

function say(tx: Tx, stream: FrameworkStream, status: OperationStatus): void {
  sayEvent(tx, stream.session, { type: EventType.UPDATE_OPERATION_STATUS, updateOperationStatus: { status } });
}
