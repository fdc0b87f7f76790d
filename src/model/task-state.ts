/** Task states: names, which are final, what old frameworks see, and which may follow which (rule 7.4). */
import { TaskState } from "../wire/gen/mesos/v1/mesos.ts";

/** Whose word a state is: the agent's (its executors included), or the master's own conclusion. */
export type StateSource = "agent" | "master";

const NAMES = new Map<number, string>(
  Object.entries(TaskState).flatMap(([name, state]) => (state === TaskState.UNRECOGNIZED ? [] : [[state, name]])),
);

const STATES = new Map<string, TaskState>(Object.entries(TaskState).filter(([name]) => name.startsWith("TASK_")));

const TERMINAL: ReadonlySet<number> = new Set([
  TaskState.TASK_FINISHED,
  TaskState.TASK_FAILED,
  TaskState.TASK_KILLED,
  TaskState.TASK_ERROR,
  TaskState.TASK_LOST,
  TaskState.TASK_DROPPED,
  TaskState.TASK_GONE,
  TaskState.TASK_GONE_BY_OPERATOR,
]);

/** `TASK_RUNNING` and so on; a number outside the enum is shown as such. */
export function stateName(state: TaskState): string {
  return NAMES.get(state) ?? `TASK_STATE_${state}`;
}

export function stateNamed(name: string): TaskState | undefined {
  return STATES.get(name);
}

/** Whether a task in this state has ended. UNREACHABLE and UNKNOWN are not ends: the task may come back. */
export function isTerminal(state: TaskState): boolean {
  return TERMINAL.has(state);
}

/**
 * How far a task has come by its agent's word: 0 staging, 1 starting, 2 running, 3 being killed, 4 ended.
 * Undefined for what only a master says (UNREACHABLE, UNKNOWN).
 */
export function progressOf(state: TaskState): 0 | 1 | 2 | 3 | 4 | undefined {
  switch (state) {
    case TaskState.TASK_STAGING:
      return 0;
    case TaskState.TASK_STARTING:
      return 1;
    case TaskState.TASK_RUNNING:
      return 2;
    case TaskState.TASK_KILLING:
      return 3;
    default:
      return isTerminal(state) ? 4 : undefined;
  }
}

/** The state as a framework is told it: without PARTITION_AWARE the newer ones are all TASK_LOST. */
export function stateFor(framework: { readonly partitionAware: boolean }, state: TaskState): TaskState {
  if (framework.partitionAware) return state;
  switch (state) {
    case TaskState.TASK_DROPPED:
    case TaskState.TASK_UNREACHABLE:
    case TaskState.TASK_GONE:
    case TaskState.TASK_GONE_BY_OPERATOR:
    case TaskState.TASK_UNKNOWN:
      return TaskState.TASK_LOST;
    default:
      return state;
  }
}

/** Whether this source may say this state at all. Of the started states the master only repeats the agent's word. */
function maySay(source: StateSource, state: TaskState): boolean {
  switch (state) {
    case TaskState.TASK_UNKNOWN:
      return false; // an answer to reconciliation, never a state a task is in
    case TaskState.TASK_STAGING:
    case TaskState.TASK_UNREACHABLE:
    case TaskState.TASK_GONE_BY_OPERATOR:
      return source === "master";
    case TaskState.TASK_STARTING:
    case TaskState.TASK_RUNNING:
    case TaskState.TASK_KILLING:
    case TaskState.TASK_FINISHED:
    case TaskState.TASK_FAILED:
      return source === "agent";
    default:
      return NAMES.has(state);
  }
}

/**
 * Rule 7.4: whether a task in state `previous` may next be said to be in `next` by `source`. The first terminal state
 * stands: after it only its echo is legal. UNREACHABLE, and LOST when the master concluded it from absence, may be
 * followed by the truth, also when the master repeats the state it has in its books (return of an agent).
 *
 * @param previousSource whose word `previous` was; matters for TASK_LOST only.
 */
export function mayFollow(
  previous: TaskState,
  next: TaskState,
  source: StateSource,
  previousSource: StateSource = "master",
): boolean {
  if (next === previous) return next !== TaskState.TASK_UNKNOWN;
  const inDoubt =
    previous === TaskState.TASK_UNREACHABLE ||
    previous === TaskState.TASK_UNKNOWN ||
    (previous === TaskState.TASK_LOST && previousSource === "master");
  if (inDoubt) return source === "master" ? maySay("master", next) || maySay("agent", next) : maySay("agent", next);
  if (isTerminal(previous)) return false;
  // A task never goes back to "ordered, nothing heard".
  return next !== TaskState.TASK_STAGING && maySay(source, next);
}
