/**
 * What the master tells about tasks without being told by an agent: answers to RECONCILE (10.4, 5.4; Mesos 9), and
 * what only a master can tell (7.5).
 */
import { TaskState, TaskStatus_Reason as Reason, type TaskStatus } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Call_Reconcile } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { isTerminal } from "../../model/task-state.ts";
import { type Tables, taskIdOf } from "../registry/tables.ts";
import { anyAwaited, isAwaited } from "./awaited.ts";
import { sayStatus, sendUpdate } from "./framework-events.ts";
import * as notices from "./notices.ts";
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
  const any = anyAwaited(state, tx.now);
  for (const { taskId, agentId } of call.tasks) {
    answer(state, tx, stream, taskId?.value ?? "", agentId?.value ?? "", any);
  }
}

/**
 * The answer about one task.
 *
 * @param agentId where the framework believes it to be; empty: it does not know.
 * @param any whether any agent may still bring tasks nobody knows (5.4); looks at all agents.
 */
export function answer(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  taskId: string,
  agentId: string,
  any: () => boolean = anyAwaited(state, tx.now),
): void {
  const known = state.tables.taskById(stream.frameworkId, taskId);
  if (known !== undefined) return answerKnown(state, tx, stream, known);
  const finished = state.tables.finishedById(stream.frameworkId, taskId)?.task;
  if (finished !== undefined) return sayStatus(tx, stream, latest(state, tx.now, finished, finished.state as TaskState));
  if (agentId === "" ? any() : isAwaited(state, tx.now, agentId)) return;
  const verdict = unknownTask(state, agentId);
  sayStatus(tx, stream, masterStatus(state, tx.now, { taskId, agentId }, verdict));
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
 * 7.5: at each subscription every state of the framework's tasks that only a master can tell. Told before or not: what
 * was said on the last stream may have been lost with it.
 */
export function tellStandings(state: MasterState, tx: Tx, stream: FrameworkStream): void {
  const { tables } = state;
  for (const agentId of tables.frameworkBooks(stream.frameworkId).agents.keys()) {
    const agent = tables.agents.get(agentId);
    const books = tables.agentBooks(agentId);
    const onlySettled = agent?.standing?.$case === "in" && !books.anyBefore(agent.term);
    for (const launchId of onlySettled ? books.settled : books.launches) {
      const record = tables.tasks.get(launchId);
      if (record?.frameworkId !== stream.frameworkId) continue;
      const verdict = verdictOfMaster(tables, record);
      if (verdict === undefined) continue;
      sayStatus(tx, stream, masterStatus(state, tx.now, { taskId: taskIdOf(record), agentId }, verdict));
      if (record.settled) settled.told(state, tx, record);
    }
  }
}

/** An agent is back from where its tasks were announced unreachable: frameworks and operators hear the truth (Mesos 10). */
export function tellReturn(state: MasterState, tx: Tx, agentId: string): void {
  const { tables } = state;
  for (const launchId of tables.agentBooks(agentId).launches) {
    const record = tables.tasks.get(launchId);
    const verdict = record === undefined ? undefined : returned(tables, record);
    if (record === undefined || verdict === undefined) continue;
    sendUpdate(state, tx, record, masterStatus(state, tx.now, { taskId: taskIdOf(record), agentId }, verdict));
    notices.task(state, tx, record);
  }
}

/** Of a task's state, what no agent says. */
function verdictOfMaster(tables: Tables, record: TaskRecord): Verdict | undefined {
  const { state, reason, unreachableTimeMs, derived } = shownState(tables, record);
  if (!derived) return returned(tables, record);
  const message = record.settled ? (record.status?.message ?? "") : "The agent is not in the cluster";
  return { state, reason, message, unreachableTimeMs };
}

/** The verdict on a task that was given up once, by an announcement or a restore, and is back. */
function returned(tables: Tables, record: TaskRecord): Verdict | undefined {
  const agent = tables.agents.get(record.agentId);
  const state = record.state as TaskState;
  if (agent?.standing?.$case !== "in" || record.agentTerm >= agent.term || isTerminal(state)) return undefined;
  return { state, reason: Reason.REASON_AGENT_REREGISTERED, message: "The agent is back" };
}

/** What became of a task that nobody knows, by its agent. */
function unknownTask(state: MasterState, agentId: string): Verdict {
  const agent = state.tables.agents.get(agentId);
  switch (agent?.standing?.$case) {
    case undefined:
      return unknown(TaskState.TASK_UNKNOWN, "Task is unknown");
    case "unreachableAt":
      return {
        ...unknown(TaskState.TASK_UNREACHABLE, "Task is unreachable"),
        unreachableTimeMs: agent?.unreachableTimeMs,
      };
    case "goneAt":
      return unknown(TaskState.TASK_GONE_BY_OPERATOR, "Task is gone");
    case "in":
      return unknown(TaskState.TASK_GONE, "Task is unknown to the agent");
  }
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
