/** Launch and kill orders, and verdicts on unstarted tasks (section 6). Each may be heard any number of times. */
import type { Kill, Launch, Settle } from "../../wire/gen/mesarch/v1/agents.ts";
import type { TaskAccepted } from "../../wire/gen/mesarch/v1/checkpoint.ts";
import { FrameworkInfo_Capability_Type as Capability, type TaskInfo } from "../../wire/gen/mesos/v1/mesos.ts";
import { refusalOf } from "./admission.ts";
import { type AgentState, type AgentTask, type CancelReason, idOf } from "./state.ts";
import { forget, makeUpdate, sayForgotten, sayHeadAfresh } from "./status-stream.ts";
import { KILLING } from "./statuses.ts";
import type { Step } from "./step.ts";

/** 6.1. A known launch is answered with its record; a new one is journaled, then started or ended. */
export function launch(state: AgentState, step: Step, order: Launch): void {
  const known = state.tasks.get(order.launchId);
  if (known !== undefined) {
    // An order for a task the agent asked about is the answer to its question (6.3).
    if (known.phase === "unstarted") start(state, step, known);
    else sayHeadAfresh(state, step, known);
    return;
  }
  // Nothing can be promised now, not even to refuse; the leader says it again.
  if (state.storage === "stalled") return;
  const refusal = refusalOf(state, order);
  const accepted: TaskAccepted = {
    launchId: order.launchId,
    framework: order.framework,
    task: refusal === undefined ? order.task : namesOf(order.task),
    bootId: state.settings.bootId,
    starts: state.settings.incarnation.starts,
    traceparent: order.traceparent,
    role: order.role,
    refused: refusal !== undefined,
  };
  step.journal({ $case: "accepted", value: accepted });
  const task = state.tasks.get(order.launchId)!;
  if (refusal !== undefined) makeUpdate(state, step, task, refusal);
  else start(state, step, task);
}

/** 6.4. What is not held was never taken (6.1) or is forgotten: the leader, which waits for its end, is told so. */
export function kill(state: AgentState, step: Step, order: Kill): void {
  const task = state.tasks.get(order.launchId);
  if (task === undefined) return sayForgotten(state, step, order.launchId);
  if (task.phase === "ended") return;
  orderKill(state, step, task, order.graceMs);
}

/** Journals a kill, then acts on it. A repeated one may only shorten the grace. */
export function orderKill(state: AgentState, step: Step, task: AgentTask, graceMs: number): void {
  const first = task.killGraceMs === undefined;
  if (!first && graceMs >= task.killGraceMs!) return;
  step.journal({ $case: "kill", value: { launchId: idOf(task), graceMs } });
  if (first && task.phase === "running" && wantsKilling(task)) makeUpdate(state, step, task, KILLING);
  actOnKill(step, task);
}

/** Running: by its monitor. Not seen yet: whoever takes the start mark decides (6.4). */
export function actOnKill(step: Step, task: AgentTask): void {
  const graceMs = task.killGraceMs;
  if (graceMs === undefined || task.phase === "ended") return;
  if (task.phase === "running") step.output({ kind: "kill", launchId: idOf(task), graceMs });
  else cancel(step, task, { kind: "killed" });
}

/** The leader's verdicts on a list (9.3). */
export function settle(state: AgentState, step: Step, verdicts: Settle): void {
  for (const task of tasksNamed(state, verdicts.start)) if (task.phase === "unstarted") start(state, step, task);
  for (const task of tasksNamed(state, verdicts.cancel)) {
    if (task.phase === "unstarted") cancel(step, task, { kind: "withdrawn" });
    else if (task.phase === "ended") forget(state, step, task);
  }
  for (const task of tasksNamed(state, verdicts.forget)) {
    if (task.phase === "ended") forget(state, step, task);
    else step.alarm(`forget/${idOf(task)}`, `told to forget launch ${idOf(task)}, which has not ended; it goes on`);
  }
}

/** A monitor had the start mark first: what was to be cancelled is running, or about to. */
export function cancelLost(state: AgentState, step: Step, task: AgentTask): void {
  const reason = task.cancelling;
  task.cancelling = undefined;
  if (task.phase === "unstarted") task.phase = "starting";
  const graceMs = task.killGraceMs ?? (reason?.kind === "withdrawn" ? killGraceOf(state, task) : undefined);
  if (graceMs !== undefined) step.output({ kind: "kill", launchId: idOf(task), graceMs });
  else if (task.phase === "starting") armStart(state, step, task);
}

export function start(state: AgentState, step: Step, task: AgentTask): void {
  task.phase = "starting";
  step.output({ kind: "start", task: task.accepted });
}

export function cancel(step: Step, task: AgentTask, reason: CancelReason): void {
  const asked = task.cancelling !== undefined;
  // A task whose row has ended is forgotten without a word, whatever else is asked meanwhile.
  if (task.cancelling?.kind !== "withdrawn") task.cancelling = reason;
  if (!asked) step.output({ kind: "cancel", launchId: idOf(task) });
}

/** Longer than any task is waited for: a week. */
const MAX_GRACE_MS = 7 * 24 * 60 * 60 * 1000;

/** Grace of a kill that names none, in whole milliseconds: it is journaled. */
export function killGraceOf(state: AgentState, task: AgentTask): number {
  const policy = task.accepted.task?.killPolicy?.gracePeriod;
  if (policy === undefined) return state.settings.killGraceMs;
  return Math.min(Math.max(0, Math.floor(Number(policy.nanoseconds ?? 0) / 1e6)), MAX_GRACE_MS);
}

/** 6.3. From when a monitor is on its way: before that it waits for its turn, or for the journal. */
export function armStart(state: AgentState, step: Step, task: AgentTask): void {
  state.deadlines.set(`run/${idOf(task)}`, step.now + state.settings.startTimeoutMs);
}

function wantsKilling(task: AgentTask): boolean {
  return task.accepted.framework?.capabilities.some(({ type }) => type === Capability.TASK_KILLING_STATE) === true;
}

function tasksNamed(state: AgentState, launchIds: readonly string[]): AgentTask[] {
  return launchIds.flatMap((launchId) => state.tasks.get(launchId) ?? []);
}

/** What is kept of a refused task: it has to be named, and may be large. */
function namesOf(task: TaskInfo | undefined): TaskInfo | undefined {
  if (task === undefined) return undefined;
  return { name: task.name, taskId: task.taskId, agentId: task.agentId, resources: [], limits: {} };
}
