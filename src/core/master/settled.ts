/**
 * Tasks ended by the master's word (4.5): the row says so first, then the framework is told, and the row stays until
 * that was written to a subscribed stream.
 */
import { isTerminal } from "../../model/task-state.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { TaskState, TaskStatus_Reason } from "../../wire/gen/mesos/v1/mesos.ts";
import { taskIdOf } from "../registry/tables.ts";
import * as allocation from "./allocation.ts";
import * as frameworks from "./framework-events.ts";
import * as history from "./history.ts";
import * as notices from "./notices.ts";
import { isFrameworkRemoved } from "./standing.ts";
import type { MasterState } from "./state.ts";
import { masterStatus } from "./task-status.ts";
import type { Tx } from "./tx.ts";

/** Rows are retired this long after they were told, many at a time. */
const RETIRE_AFTER_MS = 1_000;
/** Rows retired in one step. */
const RETIRE_AT_ONCE = 100;

export interface Ending {
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  readonly message: string;
}

/** Ends a task: the agent showed that it does not run it and never will (4.3, 6.5, 9.3). */
export function end(state: MasterState, tx: Tx, before: TaskRecord, ending: Ending): void {
  const status = masterStatus(state, tx.now, { taskId: taskIdOf(before), agentId: before.agentId }, ending);
  const record: TaskRecord = { ...before, state: ending.state, latestState: ending.state, settled: true, status };
  tx.put({ kind: "t", id: record.launchId, record });
  state.deadlines.clear(`launch/${record.launchId}`);
  if (!isTerminal(before.latestState as TaskState)) allocation.taskFreed(state, tx, before);
  if (isFrameworkRemoved(state.tables, record.frameworkId) || frameworks.sendUpdate(state, tx, record, status)) {
    told(state, tx, record);
  }
  notices.task(state, tx, record);
}

/**
 * A settled row was said to a subscribed stream, or has nobody to be said to. It goes to history in a later step,
 * whose batch is sent only after these words are out: a crash in between repeats them (7.5) and loses nothing.
 */
export function told(state: MasterState, tx: Tx, record: TaskRecord): void {
  if (!record.settled) return;
  state.membership.told.add(record.launchId);
  state.deadlines.setEarlier("told", tx.now + RETIRE_AFTER_MS);
}

/** Deadline `told`. */
export function retireTold(state: MasterState, tx: Tx): void {
  const { told: waiting } = state.membership;
  if (state.readOnly !== "") return state.deadlines.setEarlier("told", tx.now + RETIRE_AFTER_MS);
  let count = 0;
  for (const launchId of waiting) {
    if (count++ === RETIRE_AT_ONCE) break;
    waiting.delete(launchId);
    const record = state.tables.tasks.get(launchId);
    if (record?.settled === true) history.retire(state, tx, { ...record, settledTold: true });
  }
  if (waiting.size > 0) state.deadlines.setEarlier("told", tx.now + RETIRE_AFTER_MS / 10);
}
