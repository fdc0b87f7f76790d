/**
 * Orders to agents. The rows are the orders (a STAGING row, a kill mark, a removed framework); this only says them
 * aloud, as often as needed, to agents that are confirmed (5.4). Repeating an order is harmless.
 */
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { millisecondsOf } from "./durations.ts";
import { isDeliverable, isFrameworkRemoved, isToBeKilled, mayRun } from "./standing.ts";
import { type AgentStream, type MasterState, confirmedStream } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

/** Launches watched for the milestone of the first one at most; later ones cannot be the first. */
const FIRST_LAUNCHES = 1_000;

/** A new launch: delivered now if its agent is confirmed, else when it is (6.2). */
export function launch(state: MasterState, tx: Tx, record: TaskRecord): void {
  const { firstLaunches } = state.membership;
  if (firstLaunches !== undefined && firstLaunches.size < FIRST_LAUNCHES) firstLaunches.add(record.launchId);
  const stream = confirmedStream(state, record.agentId);
  if (stream !== undefined) order(state, tx, stream, record);
}

/** A kill that was marked, or follows from another row (6.4). */
export function kill(state: MasterState, tx: Tx, record: TaskRecord): void {
  const stream = confirmedStream(state, record.agentId);
  if (stream !== undefined && mayRun(record)) killOn(state, tx, stream, record);
}

/** The framework was removed: all its tasks are to end. Those on agents that are away follow when these confirm. */
export function killFramework(state: MasterState, tx: Tx, frameworkId: string): void {
  for (const launchId of state.tables.frameworkBooks(frameworkId).live.values()) {
    const record = state.tables.tasks.get(launchId);
    if (record !== undefined) kill(state, tx, record);
  }
}

/**
 * What a new session has to be told: the launches the agent lacks, and every kill. Launches it holds without word are
 * watched, since their orders may have been lost behind us.
 *
 * @param missing launch ids the agent showed not to hold.
 */
export function deliverAll(state: MasterState, tx: Tx, stream: AgentStream, missing: readonly string[]): void {
  const { tables } = state;
  const books = tables.agentBooks(stream.agentId);
  for (const launchId of missing) {
    const record = tables.tasks.get(launchId);
    if (record !== undefined) order(state, tx, stream, record);
  }
  const ownerless = new Set<string>();
  for (const { frameworkId } of books.holdings) if (isFrameworkRemoved(tables, frameworkId)) ownerless.add(frameworkId);
  if (books.orders === 0 && ownerless.size === 0) return;
  for (const launchId of books.launches) {
    const record = tables.tasks.get(launchId);
    if (record === undefined || !mayRun(record)) continue;
    if (isToBeKilled(tables, record)) killOn(state, tx, stream, record);
    else if (record.latestState === TaskState.TASK_STAGING) watch(state, tx, record);
  }
}

/**
 * Deadline `launch/<launch id>`: no word for too long on a live session, so the order is given again (6.1): to launch it,
 * or by now to kill it.
 */
export function launchOverdue(state: MasterState, tx: Tx, launchId: string): void {
  const record = state.tables.tasks.get(launchId);
  const stream = record === undefined ? undefined : confirmedStream(state, record.agentId);
  if (record === undefined || stream === undefined || !mayRun(record)) return;
  if (isToBeKilled(state.tables, record)) killOn(state, tx, stream, record);
  else order(state, tx, stream, record);
}

/** 6.4: the grace of the mark, else the task's own policy. */
export function graceOf(state: MasterState, record: TaskRecord): number {
  return record.kill?.graceMs ?? millisecondsOf(record.info?.killPolicy?.gracePeriod) ?? state.settings.killGraceMs;
}

function order(state: MasterState, tx: Tx, stream: AgentStream, record: TaskRecord): void {
  const { tables, leadership } = state;
  if (!isDeliverable(tables, record, leadership.generation)) return;
  const { launchId, traceparent, role, info: task } = record;
  const framework = tables.frameworks.get(record.frameworkId)?.info;
  tell(tx, stream, { $case: "launch", value: { launchId, framework, task, traceparent, role } });
  watch(state, tx, record);
}

function killOn(state: MasterState, tx: Tx, stream: AgentStream, record: TaskRecord): void {
  tell(tx, stream, { $case: "kill", value: { launchId: record.launchId, graceMs: graceOf(state, record) } });
  // Without word the launch itself may not have been taken, and the kill then neither.
  if (record.latestState === TaskState.TASK_STAGING) watch(state, tx, record);
}

function watch(state: MasterState, tx: Tx, record: TaskRecord): void {
  state.deadlines.set(`launch/${record.launchId}`, tx.now + state.settings.launchResendMs);
}
