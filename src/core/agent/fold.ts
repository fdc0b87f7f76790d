/**
 * The journal's meaning: what each record does to the durable part of the state. Used when a record is made and when
 * it is read back, so both agree. `snapshot` is its inverse: the shortest journal with the same meaning (8.3).
 */
import { assert } from "../../base/assert.ts";
import { isTerminal } from "../../model/task-state.ts";
import type { JournalRecord, TaskAccepted, UpdateMade } from "../../wire/gen/mesarch/v1/checkpoint.ts";
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import { Resources } from "../../model/resources.ts";
import { resourcesOf } from "./admission.ts";
import type { AgentState, AgentTask } from "./state.ts";

export function fold(state: AgentState, { record }: JournalRecord): void {
  switch (record?.$case) {
    case "identity":
      state.identity = record.value;
      return;
    case "accepted":
      return accepted(state, record.value);
    case "update":
      return updated(state, record.value);
    case "acknowledged":
      return acknowledged(state, record.value.launchId);
    case "forgotten":
      return forgotten(state, record.value.launchId);
    case "kill":
      return killed(state, record.value.launchId, record.value.graceMs);
    default:
      // Written by a newer version, which we cannot be sure to obey: never ignored in silence.
      assert(false, "the journal holds a record of an unknown kind");
  }
}

export function snapshot(state: AgentState): JournalRecord[] {
  const records: JournalRecord[] = [{ record: { $case: "identity", value: state.identity } }];
  const add = (record: JournalRecord["record"]): unknown => records.push({ record });
  for (const [launchId, task] of state.tasks) {
    add({ $case: "accepted", value: task.accepted });
    if (task.killGraceMs !== undefined) add({ $case: "kill", value: { launchId, graceMs: task.killGraceMs } });
    if (task.acknowledged !== undefined) {
      const uuid = task.acknowledged.status?.uuid ?? new Uint8Array();
      add({ $case: "update", value: task.acknowledged });
      add({ $case: "acknowledged", value: { launchId, uuid } });
    }
    for (const update of task.updates) add({ $case: "update", value: update });
  }
  return records;
}

function accepted(state: AgentState, record: TaskAccepted): void {
  const task: AgentTask = {
    accepted: record,
    resources: record.refused ? Resources.none : checkedResources(record),
    updates: [],
    acknowledged: undefined,
    killGraceMs: undefined,
    phase: "unstarted",
    cancelling: undefined,
    retryMs: 0,
  };
  state.tasks.set(record.launchId, task);
  state.digest.add(record.launchId);
  state.used = state.used.add(task.resources);
}

function updated(state: AgentState, update: UpdateMade): void {
  const task = held(state, update.launchId);
  task.updates.push(update);
  if (!isTerminal(update.status?.state ?? TaskState.TASK_STAGING) || task.phase === "ended") return;
  task.phase = "ended";
  release(state, task);
}

function acknowledged(state: AgentState, launchId: string): void {
  const task = held(state, launchId);
  task.acknowledged = task.updates.shift() ?? task.acknowledged;
}

function forgotten(state: AgentState, launchId: string): void {
  const task = held(state, launchId);
  if (task.phase !== "ended") release(state, task);
  state.tasks.delete(launchId);
  state.digest.remove(launchId);
}

function killed(state: AgentState, launchId: string, graceMs: number): void {
  const task = held(state, launchId);
  task.killGraceMs = Math.min(graceMs, task.killGraceMs ?? Infinity);
}

function held(state: AgentState, launchId: string): AgentTask {
  const task = state.tasks.get(launchId);
  assert(task !== undefined, () => `the journal speaks of launch ${launchId}, which is not held`);
  return task;
}

function release(state: AgentState, ended: AgentTask): void {
  const rest = state.used.subtract(ended.resources);
  assert(rest !== undefined, () => `launch ${ended.accepted.launchId} ends with more than is in use`);
  state.used = rest;
}

function checkedResources({ task, launchId }: TaskAccepted): Resources {
  const resources = resourcesOf(task);
  assert(resources.ok, () => `launch ${launchId} was taken with invalid resources`);
  return resources.value;
}
