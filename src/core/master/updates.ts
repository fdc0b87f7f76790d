/** Status updates on their way from agents to frameworks, and acknowledgements on their way back (section 7). */
import { limits } from "../../model/limits.ts";
import { isTerminal, mayFollow, stateName } from "../../model/task-state.ts";
import type { TaskUpdate } from "../../wire/gen/mesarch/v1/agents.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import {
  TaskState,
  type TaskStatus,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
} from "../../wire/gen/mesos/v1/mesos.ts";
import { taskIdOf } from "../registry/tables.ts";
import * as allocation from "./allocation.ts";
import * as frameworks from "./framework-events.ts";
import * as history from "./history.ts";
import type { Input } from "./input.ts";
import { heard } from "./membership.ts";
import * as notices from "./notices.ts";
import { KILLED_BEFORE_START, end } from "./settled.ts";
import { isFrameworkRemoved, isToBeKilled } from "./standing.ts";
import { type AgentStream, type MasterState, confirmedStream } from "./state.ts";
import { tell } from "./tell.ts";
import type { Tx } from "./tx.ts";

type Of<K extends Input["kind"]> = Extract<Input, { kind: K }>;

/** Bytes of a row beyond what a task may take at launch: its last status. */
const STATUS_BYTES = 48 * 1024;
/** Characters kept of a message that is too long. */
const GIST_CHARACTERS = 4_096;
const UUID_BYTES = 16;

/** 7.2. Committed first if it is news, then forwarded; what nobody waits for is acknowledged here. */
export function received(state: MasterState, tx: Tx, { session, update }: Of<"agentUpdate">): void {
  const stream = currentStream(state, session, tx.now);
  if (stream === undefined || update.status?.state === undefined) return;
  const row = state.tables.tasks.get(update.launchId);
  if (row === undefined) return withoutRow(state, tx, stream, update);
  if (row.agentId !== stream.agentId) {
    return alarm(tx, `launch ${row.launchId} is agent ${row.agentId}'s, but agent ${stream.agentId} speaks of it`);
  }
  if ((update.status.uuid?.length ?? 0) > UUID_BYTES) {
    return alarm(tx, `agent ${row.agentId} speaks of launch ${row.launchId} with a uuid that is none`);
  }
  const status = statusOf(row, update.status);
  const { state: next = row.state as TaskState } = status;
  const isNews = update.seq > row.seq && mayFollow(row.state as TaskState, next, "agent", sourceOf(row));
  // 7.4: after the first end nothing but its echo.
  if (row.settled || (update.seq > row.seq && !isNews)) {
    if (!row.settled) alarm(tx, `task ${taskIdOf(row)}: ${stateName(next)} after ${stateName(row.state as TaskState)}`);
    return acknowledgeHere(tx, stream, row.launchId, status);
  }
  // A full store takes no state, and nobody may hear one that is not durable (3.5); the agent says it again.
  const record = isNews ? taken(tx, row, update, status, next) : withLatest(row, update);
  if (record !== row) {
    if (state.readOnly !== "") return;
    commit(state, tx, row, record);
  }
  if (isFrameworkRemoved(state.tables, row.frameworkId)) return acknowledgeHere(tx, stream, row.launchId, status);
  frameworks.sendUpdate(state, tx, record, status);
}

/** 7.3: the agent forgets first, then the row goes. */
export function forgotten(state: MasterState, tx: Tx, { session, launchIds }: Of<"agentForgot">): void {
  const stream = currentStream(state, session, tx.now);
  if (stream === undefined) return;
  for (const launchId of launchIds) {
    forgetStranger(state, tx, stream.agentId, launchId);
    const row = state.tables.tasks.get(launchId);
    // A row ended by the master's word stays until that was told (4.5).
    if (row === undefined || row.agentId !== stream.agentId || row.settled || state.readOnly !== "") continue;
    if (row.latestState === TaskState.TASK_STAGING && isToBeKilled(state.tables, row)) {
      // The answer to the kill of a launch that it never took (6.4).
      end(state, tx, row, KILLED_BEFORE_START);
    } else if (isTerminal(row.state as TaskState) || isFrameworkRemoved(state.tables, row.frameworkId)) {
      if (!isTerminal(row.latestState as TaskState)) allocation.taskFreed(state, tx, row);
      history.retire(state, tx, row);
    } else {
      alarm(tx, `agent ${row.agentId} forgot launch ${launchId}, of whose end its framework was not told`);
      end(state, tx, row, {
        state: isTerminal(row.latestState as TaskState) ? (row.latestState as TaskState) : TaskState.TASK_GONE,
        reason: Reason.REASON_TASK_UNKNOWN,
        message: "The task is unknown to its agent",
      });
    }
  }
}

/** A framework's ACKNOWLEDGE, already known to be its own: passed on, nothing is written (7.3). */
export function acknowledge(
  state: MasterState,
  tx: Tx,
  ack: { readonly frameworkId: string; readonly agentId: string; readonly taskId: string; readonly uuid: Uint8Array },
): void {
  const row = state.tables.taskById(ack.frameworkId, ack.taskId);
  const stream = confirmedStream(state, ack.agentId);
  if (row === undefined || row.agentId !== ack.agentId || stream === undefined) return;
  tell(tx, stream, { $case: "acknowledge", value: { launchId: row.launchId, uuid: ack.uuid } });
}

/** "Framework F is here": its agents say the heads of its update streams at once (7.1). */
export function resendFor(state: MasterState, tx: Tx, frameworkId: string): void {
  for (const agentId of state.tables.frameworkBooks(frameworkId).agents.keys()) {
    const stream = confirmedStream(state, agentId);
    if (stream !== undefined) tell(tx, stream, { $case: "resendUpdates", value: { frameworkId } });
  }
}

/** Only a confirmed agent's word counts: before, its identity or its list may be in doubt. */
function currentStream(state: MasterState, session: number, now: number): AgentStream | undefined {
  const stream = state.agentSessions.get(session);
  if (stream === undefined) return undefined;
  heard(state, stream, now);
  return stream.phase === "confirmed" ? stream : undefined;
}

/** A status speaks of the task its launch is and by its agent, whatever it says itself; only a master speaks as one. */
function statusOf(row: TaskRecord, status: TaskStatus): TaskStatus {
  return {
    ...status,
    taskId: { value: taskIdOf(row) },
    agentId: { value: row.agentId },
    ...(status.source === Source.SOURCE_MASTER ? { source: Source.SOURCE_AGENT } : {}),
  };
}

function taken(tx: Tx, row: TaskRecord, update: TaskUpdate, status: TaskStatus, next: TaskState): TaskRecord {
  const { data: _, ...kept } = status;
  const record: TaskRecord = {
    ...row,
    state: next,
    latestState: latestOf(row, update, next),
    seq: update.seq,
    uuid: status.uuid ?? new Uint8Array(),
    status: kept,
  };
  // A row has to fit a batch, as every size is checked before it is written (3.9).
  const fits = tx.sizeOf({ kind: "t", id: row.launchId, record }) <= limits.taskInfoBytes + STATUS_BYTES;
  return fits ? record : { ...record, status: gist(kept) };
}

/** What everybody has to know of a status that is too long to be kept. */
function gist({ taskId, agentId, state, source, reason, message = "", timestamp, uuid, healthy }: TaskStatus): TaskStatus {
  return { taskId, agentId, state, source, reason, message: `${message.slice(0, GIST_CHARACTERS)}…`, timestamp, uuid, healthy };
}

/** A repeated head may tell of a later end, which frees resources before it is acknowledged (7.1). */
function withLatest(row: TaskRecord, update: TaskUpdate): TaskRecord {
  const ends = isTerminal(update.latestState as TaskState) && !isTerminal(row.latestState as TaskState);
  return ends && update.seq === row.seq ? { ...row, latestState: update.latestState } : row;
}

function latestOf(row: TaskRecord, update: TaskUpdate, next: TaskState): number {
  if (isTerminal(row.latestState as TaskState)) return row.latestState;
  return isTerminal(update.latestState as TaskState) ? update.latestState : next;
}

function commit(state: MasterState, tx: Tx, before: TaskRecord, record: TaskRecord): void {
  const { launchId } = record;
  tx.put({ kind: "t", id: launchId, record });
  state.deadlines.clear(`launch/${launchId}`);
  if (isTerminal(record.latestState as TaskState) && !isTerminal(before.latestState as TaskState)) {
    allocation.taskFreed(state, tx, record);
  }
  noteFirstLaunch(state, tx, record);
  notices.task(state, tx, record);
}

function noteFirstLaunch(state: MasterState, tx: Tx, record: TaskRecord): void {
  const { membership } = state;
  if (membership.firstLaunches?.has(record.launchId) !== true) return;
  if (record.state === TaskState.TASK_RUNNING) {
    membership.firstLaunches = undefined;
    tx.say({ kind: "milestone", name: "firstLaunch" });
  } else if (isTerminal(record.latestState as TaskState)) {
    membership.firstLaunches.delete(record.launchId);
  }
}

/** History says that it ended, or nobody knows it: nobody waits for it, so the agent may go on and forget it (7.2). */
function withoutRow(state: MasterState, tx: Tx, stream: AgentStream, { launchId, status, latestState }: TaskUpdate): void {
  if (isTerminal(latestState as TaskState)) forgetStranger(state, tx, stream.agentId, launchId);
  if (status !== undefined) acknowledgeHere(tx, stream, launchId, status);
}

function acknowledgeHere(tx: Tx, stream: AgentStream, launchId: string, status: TaskStatus): void {
  tell(tx, stream, { $case: "acknowledge", value: { launchId, uuid: status.uuid ?? new Uint8Array() } });
}

function forgetStranger(state: MasterState, tx: Tx, agentId: string, launchId: string): void {
  const strangers = state.membership.strangers.get(agentId);
  if (strangers?.has(launchId) !== true) return;
  const left = new Map(strangers);
  left.delete(launchId);
  state.membership.strangers.set(agentId, left);
  allocation.agentConfirmed(state, tx, agentId);
}

function sourceOf(row: TaskRecord): "agent" | "master" {
  return row.settled ? "master" : "agent";
}

function alarm(tx: Tx, message: string): void {
  tx.say({ kind: "alarm", cause: "updates", message });
}
