/** Kill orders (6.4): the mark in the task's row is the order, and is written before anybody hears of it. */
import { isTerminal } from "../../model/task-state.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Call_Kill, Call_Shutdown } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import * as delivery from "./delivery.ts";
import { millisecondsOf } from "./durations.ts";
import * as reconcile from "./reconcile.ts";
import { type FrameworkStream, type MasterState, clusterClock } from "./state.ts";
import type { Tx } from "./tx.ts";

/** KILL. A task nobody knows is answered as RECONCILE would; one on another agent than named is left alone. */
export function killCall(state: MasterState, tx: Tx, stream: FrameworkStream, call: Call_Kill): void {
  const taskId = call.taskId?.value ?? "";
  const agentId = call.agentId?.value ?? "";
  const record = state.tables.taskById(stream.frameworkId, taskId);
  if (record === undefined || record.settled) return reconcile.answer(state, tx, stream, taskId, agentId);
  if (agentId !== "" && agentId !== record.agentId) return;
  mark(state, tx, record, millisecondsOf(call.killPolicy?.gracePeriod));
}

/** SHUTDOWN: a command task's executor has its id, so ending the one is ending the other. */
export function shutdownCall(state: MasterState, tx: Tx, stream: FrameworkStream, call: Call_Shutdown): void {
  const record = state.tables.taskById(stream.frameworkId, call.executorId?.value ?? "");
  if (record !== undefined && record.agentId === call.agentId?.value) mark(state, tx, record, undefined);
}

/**
 * Marks a task to be killed and gives the order. A repeated kill may only shorten the grace; it is ordered again.
 *
 * @param graceMs absent: the task's own kill policy, else the master's default.
 */
export function mark(state: MasterState, tx: Tx, record: TaskRecord, graceMs: number | undefined): void {
  if (isTerminal(record.latestState as TaskState)) return;
  const grace = graceMs ?? millisecondsOf(record.info?.killPolicy?.gracePeriod) ?? state.settings.killGraceMs;
  let marked = record;
  if (record.kill === undefined || grace < record.kill.graceMs) {
    const at = record.kill?.at ?? clusterClock(state, tx.now);
    marked = { ...record, kill: { graceMs: grace, at } };
    tx.put({ kind: "t", id: record.launchId, record: marked });
  }
  delivery.kill(state, tx, marked);
}
