/**
 * What the master tells about tasks without being told by an agent: answers to RECONCILE (10.4, 5.4; Mesos 9), and
 * once after a failover what only a master can tell (7.5).
 */
import { TaskState, TaskStatus_Reason as Reason, type TaskStatus } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Call_Reconcile } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { AgentRecord, TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { taskIdOf } from "../registry/tables.ts";
import { sayStatus } from "./framework-events.ts";
import * as settled from "./settled.ts";
import { shownState } from "./standing.ts";
import type { FrameworkStream, MasterState } from "./state.ts";
import { type Verdict, masterStatus, reconciledStatus } from "./task-status.ts";
import type { Tx } from "./tx.ts";

/** RECONCILE. Without tasks: everything known of the framework. */
export function reconcile(state: MasterState, tx: Tx, stream: FrameworkStream, call: Call_Reconcile): void {
  if (call.tasks.length === 0) {
    for (const launchId of state.tables.frameworkBooks(stream.frameworkId).live.values()) {
      const record = state.tables.tasks.get(launchId);
      if (record !== undefined) answerKnown(state, tx, stream, record);
    }
    return;
  }
  let known: boolean | undefined;
  const awaited = (): boolean => (known ??= anyAwaited(state));
  for (const { taskId, agentId } of call.tasks) {
    answer(state, tx, stream, taskId?.value ?? "", agentId?.value ?? "", awaited);
  }
}

/**
 * The answer about one task.
 *
 * @param agentId where the framework believes it to be; empty: it does not know.
 * @param awaited whether any agent may still bring tasks nobody knows (5.4); looks at all agents.
 */
export function answer(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  taskId: string,
  agentId: string,
  awaited: () => boolean = () => anyAwaited(state),
): void {
  const known = state.tables.taskById(stream.frameworkId, taskId);
  if (known !== undefined) return answerKnown(state, tx, stream, known);
  const finished = state.tables.finishedById(stream.frameworkId, taskId)?.task;
  if (finished !== undefined) return sayStatus(tx, stream, latest(state, tx.now, finished, finished.state as TaskState));
  const verdict = unknownTask(state, agentId, awaited);
  if (verdict !== undefined) sayStatus(tx, stream, masterStatus(state, tx.now, { taskId, agentId }, verdict));
}

/** The present state of a task there is a row of. */
export function answerKnown(state: MasterState, tx: Tx, stream: FrameworkStream, record: TaskRecord): void {
  const shown = shownState(state.tables, record);
  sayStatus(tx, stream, latest(state, tx.now, record, shown.state, shown.unreachableTimeMs));
  if (record.settled) settled.told(state, tx, record);
}

/** The end of a task that is in history. */
export function answerFinished(state: MasterState, tx: Tx, stream: FrameworkStream, record: TaskRecord): void {
  sayStatus(tx, stream, latest(state, tx.now, record, record.state as TaskState));
}

/**
 * 7.5: at a framework's first subscription under this leader, every state of its tasks that only a master can tell;
 * later only what could not be told while it was away.
 */
export function tellStandings(state: MasterState, tx: Tx, stream: FrameworkStream): void {
  const { tables, toldStandings } = state;
  const first = !toldStandings.has(stream.frameworkId);
  toldStandings.add(stream.frameworkId);
  for (const agentId of tables.frameworkBooks(stream.frameworkId).agents.keys()) {
    const away = tables.agents.get(agentId)?.standing?.$case !== "in";
    if (!away && tables.agentBooks(agentId).settled.size === 0) continue;
    const launches = first && away ? tables.agentBooks(agentId).launches : tables.agentBooks(agentId).settled;
    for (const launchId of launches) {
      const record = tables.tasks.get(launchId);
      if (record?.frameworkId !== stream.frameworkId) continue;
      const shown = shownState(tables, record);
      if (!shown.derived) continue;
      const { state: now, reason, unreachableTimeMs } = shown;
      const message = record.settled ? (record.status?.message ?? "") : "The agent is not in the cluster";
      const task = { taskId: taskIdOf(record), agentId };
      sayStatus(tx, stream, masterStatus(state, tx.now, task, { state: now, reason, message, unreachableTimeMs }));
      if (record.settled) settled.told(state, tx, record);
    }
  }
}

/** Undefined: not known yet, so nothing is said (5.4). */
function unknownTask(state: MasterState, agentId: string, awaited: () => boolean): Verdict | undefined {
  const agent = state.tables.agents.get(agentId);
  if (agent === undefined) {
    if (agentId === "" && awaited()) return undefined;
    return unknown(TaskState.TASK_UNKNOWN, "Task is unknown");
  }
  switch (agent.standing?.$case) {
    case "unreachableAt":
      return {
        ...unknown(TaskState.TASK_UNREACHABLE, "Task is unreachable"),
        unreachableTimeMs: agent.unreachableTimeMs,
      };
    case "goneAt":
      return unknown(TaskState.TASK_GONE_BY_OPERATOR, "Task is gone");
    default:
      if (isAwaited(state, agent)) return undefined;
      return unknown(TaskState.TASK_GONE, "Task is unknown to the agent");
  }
}

/** After a restore an agent may hold tasks that the registry does not know, until it confirms in this generation. */
function isAwaited(state: MasterState, agent: AgentRecord): boolean {
  return agent.generation < state.epoch.generation;
}

function anyAwaited(state: MasterState): boolean {
  // Nothing was ever restored: no agent is of an older generation, and nobody has to look.
  if (state.tables.meta?.lastEpochBefore === undefined) return false;
  for (const agent of state.tables.agents.values()) {
    if (agent.standing?.$case === "in" && isAwaited(state, agent)) return true;
  }
  return false;
}

function unknown(state: TaskState, text: string): Verdict {
  return { state, reason: Reason.REASON_RECONCILIATION, message: `Reconciliation: ${text}` };
}

function latest(
  state: MasterState,
  now: number,
  record: TaskRecord,
  shown: TaskState,
  unreachableTimeMs?: number,
): TaskStatus {
  return reconciledStatus(state, now, record, {
    state: shown,
    message: "Reconciliation: Latest task state",
    unreachableTimeMs,
  });
}
