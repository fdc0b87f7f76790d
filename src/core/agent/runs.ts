/** What is seen of a task's process, and what time makes of it (8.4, 8.9). */
import type { RunState } from "../../ports/containers.ts";
import { actOnKill, armStart, cancel, cancelLost, killGraceOf, orderKill } from "./launches.ts";
import { type AgentState, type AgentTask, idOf, latestUpdate } from "./state.ts";
import { forget, makeUpdate } from "./status-stream.ts";
import { HOST_RESTARTED, RUNNING, endOf, launchFailed } from "./statuses.ts";
import type { Step } from "./step.ts";

/** What an earlier process left behind (8.4): the journal says what was promised, the runs what became of it. */
export function recover(state: AgentState, step: Step, runs: ReadonlyMap<string, RunState>): void {
  for (const task of state.tasks.values()) {
    const run = runs.get(idOf(task)) ?? { kind: "absent" };
    if (task.phase === "ended") continue;
    // Its start mark may have been lost with the power: it may have run (6.3).
    if (run.kind === "absent" && task.accepted.bootId !== state.settings.bootId) {
      makeUpdate(state, step, task, HOST_RESTARTED);
    } else if (run.kind !== "absent") {
      if (run.kind === "starting") task.phase = "starting";
      observe(state, step, task, run);
    }
    // A kill ordered of the earlier process: its grace begins anew.
    actOnKill(step, task);
  }
  for (const [launchId, run] of runs) {
    if (state.tasks.has(launchId)) continue;
    if (run.kind === "starting" || run.kind === "running") {
      step.alarm(`stray/${launchId}`, `launch ${launchId} runs but is not in the journal; it is left alone`);
    } else {
      // Forgotten; its removal did not come to an end.
      step.output({ kind: "collect", launchId });
    }
  }
}

export function runChanged(state: AgentState, step: Step, launchId: string, run: RunState): void {
  const task = state.tasks.get(launchId);
  if (task !== undefined && task.phase !== "ended") observe(state, step, task, run);
}

/** It may have been seen to run before. */
export function spawned(state: AgentState, step: Step, launchId: string): void {
  const task = state.tasks.get(launchId);
  if (task?.phase === "starting") armStart(state, step, task);
}

/** Nothing was spawned by that order; but an earlier process may have spawned a monitor that is still on its way. */
export function startFailed(state: AgentState, step: Step, launchId: string, reason: string): void {
  const task = state.tasks.get(launchId);
  if (task === undefined || task.phase !== "starting") return;
  if (task.accepted.starts === state.settings.incarnation.starts) makeUpdate(state, step, task, launchFailed(reason));
  else cancel(step, task, { kind: "failed", reason });
}

/** A win is also seen as the run's state, whichever comes first. */
export function cancelAnswered(state: AgentState, step: Step, launchId: string, won: boolean): void {
  const task = state.tasks.get(launchId);
  if (task === undefined || task.phase === "ended") return;
  if (won) observe(state, step, task, { kind: "cancelled" });
  else cancelLost(state, step, task);
}

/** A task's own deadline: the time to start, or the completion time, is over. */
export function runDue(state: AgentState, step: Step, launchId: string): void {
  const task = state.tasks.get(launchId);
  if (task?.phase === "starting") {
    const seconds = state.settings.startTimeoutMs / 1000;
    cancel(step, task, { kind: "failed", reason: `The command's monitor did not start within ${seconds} s` });
  } else if (task?.phase === "running") {
    // Not journaled: an exit by a kill that nobody ordered tells of itself.
    step.output({ kind: "kill", launchId, graceMs: killGraceOf(state, task) });
  }
}

/** Ends every task, because the registry says so. */
export function killAll(state: AgentState, step: Step): void {
  for (const task of state.tasks.values()) {
    if (task.phase !== "ended") orderKill(state, step, task, killGraceOf(state, task));
  }
}

function observe(state: AgentState, step: Step, task: AgentTask, run: RunState): void {
  if (run.kind === "running") return running(state, step, task, run);
  // Ended before anyone saw it run: frameworks still want to hear that it did.
  if (run.kind === "exited" && latestUpdate(task) === undefined) makeUpdate(state, step, task, RUNNING(undefined));
  const end = endOf(task, run, state.settings.bootId);
  if (end === undefined) return;
  if (run.kind === "cancelled" && task.cancelling?.kind === "withdrawn") return forget(state, step, task);
  makeUpdate(state, step, task, end);
}

function running(state: AgentState, step: Step, task: AgentTask, { pid, startedAt = step.now }: Extract<RunState, { kind: "running" }>): void {
  const before = task.phase;
  if (before === "running") return;
  task.phase = "running";
  state.deadlines.clear(`run/${idOf(task)}`);
  if (latestUpdate(task) === undefined) makeUpdate(state, step, task, RUNNING(pid));
  armCompletion(state, step, task, startedAt);
  if (before === "starting") actOnKill(step, task);
}

/** 11.2: counted from the process's start, also after a restart. */
function armCompletion(state: AgentState, step: Step, task: AgentTask, startedAt: number): void {
  const limit = task.accepted.task?.maxCompletionTime;
  if (limit === undefined) return;
  const limitMs = Number(limit.nanoseconds ?? 0) / 1e6;
  state.deadlines.set(`run/${idOf(task)}`, Math.max(step.now, startedAt + limitMs));
}
