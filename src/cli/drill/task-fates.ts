/** What became of tasks between two looks at the operator's lists. */
import { exitStatus, isTerminal } from "../../sdk/tasks.ts";
import type { TaskView } from "../../wire/gen/mesarch/v1/operator.ts";
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";

/** ended: by itself, or by order of its framework or an operator. */
export type Fate = "alive" | "ended" | "killed" | "lost";

/** Exit statuses above it, by the number of a signal, name that signal; those above these are a command's own. */
const SIGNALLED = 128;
const SIGNALS = 64;

/** `task`: as it is now known; undefined when it is not. */
export function fateOf(task: TaskView | undefined): Fate {
  const state = task?.shownState;
  if (task?.record === undefined || state === undefined) return "lost";
  if (!isTerminal(state)) return state === TaskState.TASK_UNREACHABLE || state === TaskState.TASK_UNKNOWN ? "lost" : "alive";
  if (task.record.kill !== undefined) return "ended";
  if (state === TaskState.TASK_FINISHED || state === TaskState.TASK_GONE_BY_OPERATOR) return "ended";
  if (state === TaskState.TASK_KILLED) return "killed";
  if (state !== TaskState.TASK_FAILED) return "lost";
  const exit = task.record.status === undefined ? undefined : exitStatus(task.record.status);
  // Without an exit status nobody has seen its end.
  return exit === undefined ? "lost" : exit > SIGNALLED && exit <= SIGNALLED + SIGNALS ? "killed" : "ended";
}

/** Running tasks by launch id. */
export function runningTasks(tasks: readonly TaskView[]): Map<string, TaskView> {
  const running = tasks.filter(({ finished, shownState }) => !finished && shownState === TaskState.TASK_RUNNING);
  return new Map(running.map((task) => [task.record?.launchId ?? "", task]));
}

/** Tasks of which more than one launch lives, as "task of framework". */
export function duplicates(tasks: readonly TaskView[]): string[] {
  const launches = new Map<string, Set<string>>();
  for (const { record, finished, shownState } of tasks) {
    if (record === undefined || finished || isTerminal(shownState)) continue;
    const name = `${taskName(record)} of framework ${record.frameworkId}`;
    launches.set(name, (launches.get(name) ?? new Set()).add(record.launchId));
  }
  return [...launches].filter(([, ids]) => ids.size > 1).map(([name]) => name);
}

export function taskName(record: TaskView["record"]): string {
  return record?.info?.taskId?.value ?? record?.launchId ?? "";
}
