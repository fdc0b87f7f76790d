/** Builds the statuses that only a master says: without uuid, so nobody acknowledges them (Mesos 8.2). */
import { stateFor } from "../../model/task-state.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import {
  TaskState,
  type TaskStatus,
  type TaskStatus_Reason,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
} from "../../wire/gen/mesos/v1/mesos.ts";
import { type Event, Event_Type as EventType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import { type FrameworkStream, type MasterState, wallClock } from "./state.ts";

/** What a master says about a task. */
export interface Verdict {
  readonly state: TaskState;
  readonly reason?: TaskStatus_Reason | undefined;
  readonly message: string;
  /** Wall clock, milliseconds since 1970. */
  readonly unreachableTimeMs?: number | undefined;
}

/** A status of a task there may be no row of. */
export function masterStatus(
  state: MasterState,
  now: number,
  task: { readonly taskId: string; readonly agentId?: string | undefined },
  verdict: Verdict,
): TaskStatus {
  return {
    taskId: { value: task.taskId },
    ...(task.agentId === undefined || task.agentId === "" ? {} : { agentId: { value: task.agentId } }),
    state: verdict.state,
    source: Source.SOURCE_MASTER,
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    message: verdict.message,
    timestamp: wallClock(state, now) / 1000,
    ...(verdict.unreachableTimeMs === undefined
      ? {}
      : { unreachableTime: { nanoseconds: BigInt(Math.floor(verdict.unreachableTimeMs / 1000)) * 1_000_000_000n } }),
  };
}

/**
 * The master's answer about a task it has a row of: its last status under the state shown, without uuid, data and
 * labels (Mesos 9).
 */
export function reconciledStatus(state: MasterState, now: number, record: TaskRecord, verdict: Verdict): TaskStatus {
  const last = record.status;
  const answer = masterStatus(
    state,
    now,
    { taskId: record.info?.taskId?.value ?? "", agentId: record.agentId },
    { ...verdict, reason: Reason.REASON_RECONCILIATION },
  );
  if (last === undefined) return answer;
  return {
    ...answer,
    ...(last.timestamp === undefined ? {} : { timestamp: last.timestamp }),
    ...(last.executorId === undefined ? {} : { executorId: last.executorId }),
    ...(last.healthy === undefined ? {} : { healthy: last.healthy }),
    ...(last.checkStatus === undefined ? {} : { checkStatus: last.checkStatus }),
    ...(last.containerStatus === undefined ? {} : { containerStatus: last.containerStatus }),
  };
}

/** The UPDATE event as this framework understands it: newer states are TASK_LOST without PARTITION_AWARE. */
export function updateEvent(stream: FrameworkStream, status: TaskStatus): Event {
  const state = status.state ?? TaskState.TASK_UNKNOWN;
  const shown = stateFor({ partitionAware: stream.capabilities.has("PARTITION_AWARE") }, state);
  return { type: EventType.UPDATE, update: { status: shown === status.state ? status : { ...status, state: shown } } };
}
