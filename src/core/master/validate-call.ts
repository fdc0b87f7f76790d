/** Shape of scheduler calls: what Mesos answers with 400 before it looks at any state (Mesos 4.6). */
import { type Call, Call_Type as CallType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";

const UUID_BYTES = 16;

/** The part of the call that must be there; TEARDOWN, REVIVE and SUPPRESS need none. */
const REQUIRED_PART: ReadonlyMap<number, keyof Call> = new Map<number, keyof Call>([
  [CallType.SUBSCRIBE, "subscribe"],
  [CallType.ACCEPT, "accept"],
  [CallType.DECLINE, "decline"],
  [CallType.ACCEPT_INVERSE_OFFERS, "acceptInverseOffers"],
  [CallType.DECLINE_INVERSE_OFFERS, "declineInverseOffers"],
  [CallType.KILL, "kill"],
  [CallType.SHUTDOWN, "shutdown"],
  [CallType.ACKNOWLEDGE, "acknowledge"],
  [CallType.ACKNOWLEDGE_OPERATION_STATUS, "acknowledgeOperationStatus"],
  [CallType.RECONCILE, "reconcile"],
  [CallType.RECONCILE_OPERATIONS, "reconcileOperations"],
  [CallType.MESSAGE, "message"],
  [CallType.REQUEST, "request"],
  [CallType.UPDATE_FRAMEWORK, "updateFramework"],
]);

/** Why a call is malformed, if so. */
export function callError(call: Call): string | undefined {
  const part = REQUIRED_PART.get(call.type ?? CallType.UNKNOWN);
  if (part !== undefined && call[part] === undefined) {
    return `Expecting '${part.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}' to be present`;
  }
  if (call.type === CallType.SUBSCRIBE) return undefined;
  if (call.frameworkId === undefined) return "Expecting 'framework_id' to be present";
  return requiredFieldError(call);
}

function requiredFieldError(call: Call): string | undefined {
  const { frameworkId, kill, shutdown, acknowledge, acknowledgeOperationStatus, message, updateFramework } = call;
  if (kill !== undefined && kill.taskId === undefined) return "Expecting 'kill.task_id' to be present";
  if (shutdown !== undefined && (shutdown.executorId === undefined || shutdown.agentId === undefined)) {
    return "Expecting 'shutdown.executor_id' and 'shutdown.agent_id' to be present";
  }
  if (message !== undefined && (message.executorId === undefined || message.agentId === undefined)) {
    return "Expecting 'message.executor_id' and 'message.agent_id' to be present";
  }
  if (acknowledge !== undefined) {
    if (acknowledge.agentId === undefined || acknowledge.taskId === undefined) {
      return "Expecting 'acknowledge.agent_id' and 'acknowledge.task_id' to be present";
    }
    if (acknowledge.uuid?.length !== UUID_BYTES) return "Not a valid UUID in 'acknowledge.uuid'";
  }
  if (acknowledgeOperationStatus !== undefined) {
    if (acknowledgeOperationStatus.uuid?.length !== UUID_BYTES) {
      return "Not a valid UUID in 'acknowledge_operation_status.uuid'";
    }
    if (acknowledgeOperationStatus.agentId === undefined) {
      return "Expecting 'acknowledge_operation_status.agent_id' to be present";
    }
  }
  if (updateFramework !== undefined) {
    if (updateFramework.frameworkInfo === undefined) return "Expecting 'update_framework.framework_info' to be present";
    if (updateFramework.frameworkInfo.id?.value !== frameworkId?.value) {
      return "'update_framework.framework_info.id' differs from 'framework_id'";
    }
  }
  return undefined;
}
