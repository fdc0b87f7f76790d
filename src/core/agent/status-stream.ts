/**
 * One reliable stream of updates per task (7.1): each update is journaled before it is said, the oldest one not yet
 * acknowledged is said again until it is, and the next follows it.
 */
import { isTerminal } from "../../model/task-state.ts";
import type { Acknowledge } from "../../wire/gen/mesarch/v1/agents.ts";
import type { UpdateMade } from "../../wire/gen/mesarch/v1/checkpoint.ts";
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import { type AgentState, type AgentTask, idOf, latestUpdate } from "./state.ts";
import { type Verdict, statusOf } from "./statuses.ts";
import type { Step } from "./step.ts";

export function stateOf(update: UpdateMade | undefined): TaskState {
  return update?.status?.state ?? TaskState.TASK_STAGING;
}

/** Makes the next update of a task. After a terminal one there is none (7.4). */
export function makeUpdate(state: AgentState, step: Step, task: AgentTask, verdict: Verdict): void {
  if (task.phase === "ended") return;
  const launchId = idOf(task);
  const seq = (latestUpdate(task)?.seq ?? 0) + 1;
  step.journal({ $case: "update", value: { launchId, seq, status: statusOf(state, task, verdict, step.wall) } });
  if (isTerminal(verdict.state)) {
    state.deadlines.clear(`run/${launchId}`);
    task.cancelling = undefined;
  }
  if (task.updates.length === 1) sayHead(state, step, task);
  // An end behind an unacknowledged head frees resources as soon as the head is said again with it.
  else if (isTerminal(verdict.state)) {
    state.deadlines.setEarlier(`retry/${launchId}`, step.now + state.settings.latestStateDelayMs);
  }
}

/** Says the head, if there is one and a leader to hear it, and arms its repetition. */
export function sayHead(state: AgentState, step: Step, task: AgentTask): void {
  const head = task.updates[0];
  const { leader, settings } = state;
  // While the journal is stalled it would only wait; all heads are said when that is over.
  if (head === undefined || leader?.confirmed !== true || state.storage === "stalled") return;
  const launchId = idOf(task);
  step.say(leader.link, leader.session, {
    $case: "update",
    value: {
      launchId,
      seq: head.seq,
      status: head.status,
      latestState: stateOf(task.updates.at(-1)),
      traceparent: task.accepted.traceparent,
    },
  });
  task.retryMs = task.retryMs === 0 ? settings.updateRetryMs : Math.min(2 * task.retryMs, settings.updateRetryMaxMs);
  state.deadlines.set(`retry/${launchId}`, step.now + task.retryMs);
}

/** Says it without waiting for the rest of its back-off, which starts over. */
export function sayHeadAfresh(state: AgentState, step: Step, task: AgentTask): void {
  task.retryMs = 0;
  sayHead(state, step, task);
}

/** All heads, of one framework or of all: on each new session, and when the leader says that a framework is here. */
export function sayHeads(state: AgentState, step: Step, frameworkId?: string): void {
  for (const task of state.tasks.values()) {
    if (frameworkId === undefined || task.accepted.framework?.id?.value === frameworkId) sayHeadAfresh(state, step, task);
  }
}

/** 7.3. Only the head can be acknowledged: anything else is an echo. */
export function acknowledge(state: AgentState, step: Step, { launchId, uuid }: Acknowledge): void {
  const task = state.tasks.get(launchId);
  const head = task?.updates[0];
  if (task === undefined || head === undefined || !sameBytes(head.status?.uuid, uuid)) return;
  if (isTerminal(stateOf(head))) return forget(state, step, task);
  step.journal({ $case: "acknowledged", value: { launchId, uuid } });
  state.deadlines.clear(`retry/${launchId}`);
  sayHeadAfresh(state, step, task);
}

/** The agent forgets first, then the leader deletes the row (containment). */
export function forget(state: AgentState, step: Step, task: AgentTask): void {
  const launchId = idOf(task);
  step.journal({ $case: "forgotten", value: { launchId } });
  state.deadlines.clear(`retry/${launchId}`);
  state.deadlines.clear(`run/${launchId}`);
  sayForgotten(state, step, launchId);
  step.output({ kind: "collect", launchId });
}

export function sayForgotten({ leader }: AgentState, step: Step, launchId: string): void {
  if (leader !== undefined) step.say(leader.link, leader.session, { $case: "forgotten", value: { launchIds: [launchId] } });
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
