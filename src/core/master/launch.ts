/**
 * Launching one task (6.1, 10.3): a row per task, written before anybody hears of it. A task id that is known already
 * is answered, never launched again, so that an ACCEPT repeated after an unknown outcome does no harm.
 */
import { limits } from "../../model/limits.ts";
import { Resources } from "../../model/resources.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import {
  type TaskInfo,
  TaskState,
  type TaskStatus_Reason,
  TaskStatus_Reason as Reason,
} from "../../wire/gen/mesos/v1/mesos.ts";
import type { Change } from "../registry/change.ts";
import * as delivery from "./delivery.ts";
import { sayStatus } from "./framework-events.ts";
import * as history from "./history.ts";
import * as notices from "./notices.ts";
import * as reconcile from "./reconcile.ts";
import { sameContent } from "./same-content.ts";
import { type FrameworkStream, type MasterState, clusterClock } from "./state.ts";
import { type Verdict, masterStatus } from "./task-status.ts";
import type { Tx } from "./tx.ts";
import { inferredType } from "./validate-check.ts";
import { taskError, taskIdError } from "./validate-task.ts";

/** What is left of the accepted offers. */
export interface Grant {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  resources: Resources;
}

/** Launches a task on a grant and takes its resources out of it. */
export function launch(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  asked: TaskInfo,
  grant: Grant,
  traceparent: string,
): void {
  const info = normalised(asked, stream.frameworkId);
  const malformed = taskIdError(info);
  if (malformed !== undefined) return refuse(state, tx, stream, info, malformed);
  const known = state.tables.taskById(stream.frameworkId, info.taskId!.value!);
  // Told to be over by the master's word: the id is free, and the offer shows that this is no repetition.
  if (known?.settled === true) history.retire(state, tx, { ...known, settledTold: true });
  else if (known !== undefined) return answerTaken(state, tx, stream, info, known);

  const resources = Resources.fromMesos(info.resources);
  if (!resources.ok) return refuse(state, tx, stream, info, `Task uses invalid resources: ${resources.error}`);
  const error = taskError({ ...info, resources: asked.resources }, resources.value, grant);
  if (error !== undefined) return refuse(state, tx, stream, info, error);
  const rest = grant.resources.subtract(resources.value);
  if (rest === undefined) {
    const message = `Task uses more resources ${resources.value} than available ${grant.resources}`;
    return refuse(state, tx, stream, info, message);
  }
  if (state.tables.frameworkBooks(stream.frameworkId).live.size >= limits.liveTasksPerFramework) {
    return refuse(state, tx, stream, info, `The framework has ${limits.liveTasksPerFramework} tasks already`);
  }
  const record = stagingRecord(state, tx.now, info, grant, traceparent);
  const change: Change = { kind: "t", id: record.launchId, record };
  if (tx.sizeOf(change) > limits.taskInfoBytes) {
    return refuse(state, tx, stream, info, `Task is larger than ${limits.taskInfoBytes} bytes`);
  }
  tx.put(change);
  grant.resources = rest;
  state.allocator.convertOffer(grant.frameworkId, grant.role, grant.agentId, resources.value);
  delivery.launch(state, tx, record);
  notices.task(state, tx, record);
}

/** The offers are dead (10.3): a known task is answered, from history too; one never seen was never launched. */
export function launchWithoutOffer(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  asked: TaskInfo,
  why: string,
): void {
  const info = normalised(asked, stream.frameworkId);
  const taskId = info.taskId?.value ?? "";
  const known = state.tables.taskById(stream.frameworkId, taskId);
  if (known !== undefined) return answerTaken(state, tx, stream, info, known);
  const finished = state.tables.finishedById(stream.frameworkId, taskId)?.task;
  if (finished !== undefined) {
    if (sameContent(finished.info, info)) return reconcile.answerFinished(state, tx, stream, finished);
    return refuse(state, tx, stream, info, `Task ID '${taskId}' was used before, and the offer is dead: ${why}`);
  }
  const verdict = {
    state: TaskState.TASK_DROPPED,
    reason: Reason.REASON_INVALID_OFFERS,
    message: `Task launched with invalid offers: ${why}`,
  };
  say(state, tx, stream, info, verdict);
}

/** TASK_ERROR: it never ran, and needs no row (4.5). */
export function refuse(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  info: TaskInfo,
  message: string,
  reason: TaskStatus_Reason = Reason.REASON_TASK_INVALID,
): void {
  say(state, tx, stream, info, { state: TaskState.TASK_ERROR, reason, message });
}

function answerTaken(state: MasterState, tx: Tx, stream: FrameworkStream, info: TaskInfo, known: TaskRecord): void {
  if (sameContent(known.info, info)) reconcile.answerKnown(state, tx, stream, known);
  else refuse(state, tx, stream, info, `Task ID '${info.taskId?.value ?? ""}' is in use by another task`);
}

/**
 * The content of a task as it is stored and compared, whatever offer it comes with: without `allocation_info` (the
 * row has the role) and amounts of nothing, with the fields filled in that Mesos fills in (Mesos 6.4).
 */
function normalised(info: TaskInfo, frameworkId: string): TaskInfo {
  const resources = info.resources
    .filter(({ scalar }) => scalar === undefined || scalar.value !== 0)
    .map((resource) => {
      const { allocationInfo: _, ...rest } = resource;
      return rest;
    });
  const { executor, healthCheck } = info;
  const type = healthCheck === undefined ? undefined : inferredType(healthCheck);
  return {
    ...info,
    resources,
    ...(executor === undefined || executor.frameworkId !== undefined
      ? {}
      : { executor: { ...executor, frameworkId: { value: frameworkId } } }),
    ...(healthCheck === undefined || type === undefined ? {} : { healthCheck: { ...healthCheck, type } }),
  };
}

function stagingRecord(
  state: MasterState,
  now: number,
  info: TaskInfo,
  { frameworkId, agentId, role }: Grant,
  traceparent: string,
): TaskRecord {
  return {
    launchId: state.random.hex(16),
    frameworkId,
    info,
    agentId,
    agentTerm: state.tables.agents.get(agentId)!.term,
    generation: state.epoch.generation,
    state: TaskState.TASK_STAGING,
    latestState: TaskState.TASK_STAGING,
    seq: 0,
    uuid: new Uint8Array(),
    traceparent,
    settled: false,
    settledTold: false,
    role,
    launchedAt: clusterClock(state, now),
  };
}

function say(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  info: TaskInfo,
  verdict: Verdict,
): void {
  const task = { taskId: info.taskId?.value ?? "", agentId: info.agentId?.value };
  sayStatus(tx, stream, masterStatus(state, tx.now, task, verdict));
}
