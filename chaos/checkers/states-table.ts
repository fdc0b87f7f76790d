/** What may follow what (I7), written down once more: a checker that asked the product would agree with its mistakes. */
import type { TaskStateName } from "../../src/sdk/index.ts";

const ENDS: ReadonlySet<string> = new Set<TaskStateName>([
  "TASK_FINISHED",
  "TASK_FAILED",
  "TASK_KILLED",
  "TASK_ERROR",
  "TASK_LOST",
  "TASK_DROPPED",
  "TASK_GONE",
  "TASK_GONE_BY_OPERATOR",
]);

/** Said by a master only, of tasks it cannot see; never written in a row. */
const OPINIONS: ReadonlySet<string> = new Set<TaskStateName>(["TASK_UNREACHABLE", "TASK_UNKNOWN", "TASK_GONE_BY_OPERATOR"]);

/** Unknown to frameworks that are not partition-aware; for them these are all TASK_LOST. */
const NEWER: ReadonlySet<string> = new Set<TaskStateName>([
  "TASK_DROPPED",
  "TASK_UNREACHABLE",
  "TASK_GONE",
  "TASK_GONE_BY_OPERATOR",
  "TASK_UNKNOWN",
]);

/** Of what a task is said to be without a row, by reconciliation. */
const WITHOUT_ROW: ReadonlySet<string> = new Set<TaskStateName>([
  "TASK_UNREACHABLE",
  "TASK_UNKNOWN",
  "TASK_GONE",
  "TASK_GONE_BY_OPERATOR",
  "TASK_LOST",
]);

const PROGRESS: Partial<Record<TaskStateName, number>> = { TASK_STAGING: 0, TASK_STARTING: 1, TASK_RUNNING: 2, TASK_KILLING: 3 };

export const END = 4;

export const isEnd = (state: TaskStateName): boolean => ENDS.has(state);
export const isOpinion = (state: TaskStateName): boolean => OPINIONS.has(state);
export const isNewer = (state: TaskStateName): boolean => NEWER.has(state);
export const needsNoRow = (state: TaskStateName): boolean => WITHOUT_ROW.has(state);

/** How far a task has come, from staging at 0 to ended at 4; undefined for what is no progress. */
export function progress(state: TaskStateName): number | undefined {
  return PROGRESS[state] ?? (isEnd(state) ? END : undefined);
}
