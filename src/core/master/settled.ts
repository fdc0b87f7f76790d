/**
 * Tasks ended by the master's word (4.5): the row says so first, then the framework is told, and the row stays until
 * that was written to a subscribed stream.
 */
import { isTerminal } from "../../model/task-state.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { TaskState, type TaskStatus_Reason, TaskStatus_Reason as Reason } from "../../wire/gen/mesos/v1/mesos.ts";
import { taskIdOf } from "../registry/tables.ts";
import * as allocation from "./allocation.ts";
import * as frameworks from "./framework-events.ts";
import * as history from "./history.ts";
import * as notices from "./notices.ts";
import type { MasterState } from "./state.ts";
import { masterStatus } from "./task-status.ts";
import type { Tx } from "./tx.ts";

/**
 * What was said on a stream that is open still after this long was received: a dead peer is noticed within 45 s, by
 * keepalive or as one that takes nothing. It also is far above the time for which a leader waits for the registry.
 */
export const RECEIVED_AFTER_MS = 60_000;
/** Rows retired in one step, and the pause to the next one. */
const RETIRE_AT_ONCE = 100;
const PAUSE_MS = 100;

export interface Ending {
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  readonly message: string;
}

/** Of a launch that was to be killed, and that its agent showed not to have (6.5). */
export const KILLED_BEFORE_START: Ending = {
  state: TaskState.TASK_KILLED,
  reason: Reason.REASON_TASK_KILLED_DURING_LAUNCH,
  message: "Killed before it was started",
};

/** Ends a task: the agent showed that it does not run it and never will (4.3, 6.5, 9.3). */
export function end(state: MasterState, tx: Tx, before: TaskRecord, ending: Ending): void {
  const status = masterStatus(state, tx.now, { taskId: taskIdOf(before), agentId: before.agentId }, ending);
  const record: TaskRecord = { ...before, state: ending.state, latestState: ending.state, settled: true, status };
  tx.put({ kind: "t", id: record.launchId, record });
  state.deadlines.clear(`launch/${record.launchId}`);
  if (!isTerminal(before.latestState as TaskState)) allocation.taskFreed(state, tx, before);
  if (frameworks.sendUpdate(state, tx, record, status)) told(state, tx, record);
  notices.task(state, tx, record);
}

/**
 * A settled row was said to a subscribed stream. It goes to history once that was surely received; with a crash, or the
 * end of the stream, before that it is said again (7.5). Of removed frameworks it goes without (prune.ts).
 */
export function told(state: MasterState, tx: Tx, record: TaskRecord): void {
  if (!record.settled) return;
  const { told: waiting } = state.membership;
  // Of several times on one stream the first counts, or who asks often would keep the rows for ever.
  if (!waiting.has(record.launchId)) waiting.set(record.launchId, tx.now);
  state.deadlines.setEarlier("told", tx.now + RECEIVED_AFTER_MS);
}

/** The framework's stream ended: what was told on it last is told on the next one. */
export function untold(state: MasterState, frameworkId: string): void {
  const { tables, membership } = state;
  if (membership.told.size === 0) return;
  for (const agentId of tables.frameworkBooks(frameworkId).agents.keys()) {
    for (const launchId of tables.agentBooks(agentId).settled) {
      if (tables.tasks.get(launchId)?.frameworkId === frameworkId) membership.told.delete(launchId);
    }
  }
}

/** Deadline `told`. */
export function retireTold(state: MasterState, tx: Tx): void {
  if (state.readOnly !== "") return state.deadlines.setEarlier("told", tx.now + RECEIVED_AFTER_MS);
  let count = 0;
  for (const [launchId, at] of state.membership.told) {
    const due = at + RECEIVED_AFTER_MS;
    if (due > tx.now || count === RETIRE_AT_ONCE) return state.deadlines.setEarlier("told", Math.max(due, tx.now + PAUSE_MS));
    count += 1;
    state.membership.told.delete(launchId);
    const record = state.tables.tasks.get(launchId);
    if (record?.settled === true) history.retire(state, tx, { ...record, settledTold: true });
  }
}
