/** Finding what an operator names by an id or the beginning of one. */
import { parseIssuedId } from "../../model/ids.ts";
import { isTerminal } from "../../model/task-state.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import { type Tables, taskIdOf } from "../registry/tables.ts";

/** Of several tasks that an id may mean, this many are named. */
const EXAMPLES = 3;

export type Found =
  | { readonly kind: "found"; readonly record: TaskRecord; readonly finished: boolean }
  | { readonly kind: "none" }
  /** More than one is meant: some of them. */
  | { readonly kind: "ambiguous"; readonly examples: readonly string[] };

/** A task by launch id or task id, or a unique prefix of either. Whole ids win, and then live tasks. */
export function findTask(tables: Tables, id: string): Found {
  if (id === "") return { kind: "none" };
  const looks = [
    () => only(tables.tasks.get(id), false),
    () => only(tables.finishedLaunch(id)?.task, true),
    () => choose(named(tables, (frameworkId) => tables.taskById(frameworkId, id)), false),
    () => choose(named(tables, (frameworkId) => tables.finishedById(frameworkId, id)?.task), true),
    () => choose(begunWith(tables.tasks.values(), id), false),
    () => choose(begunWith(finishedTasks(tables), id), true),
  ];
  for (const look of looks) {
    const outcome = look();
    if (outcome.kind !== "none") return outcome;
  }
  return { kind: "none" };
}

/** Tasks in history. */
export function* finishedTasks(tables: Tables): Generator<TaskRecord> {
  for (const { task } of tables.history.values()) if (task !== undefined) yield task;
}

/**
 * The key in a table that this is, or that alone begins with it. An id of our own form is whole: what it named may be
 * forgotten, and must not be taken for the next one that begins like it (S1 for S10).
 */
export function findKey(table: ReadonlyMap<string, unknown>, id: string): string | undefined {
  if (table.has(id)) return id;
  if (id === "" || parseIssuedId(id) !== undefined) return undefined;
  let only: string | undefined;
  for (const key of table.keys()) {
    if (!key.startsWith(id)) continue;
    if (only !== undefined) return undefined;
    only = key;
  }
  return only;
}

/** Whether this row's task has ended for its framework. */
export function hasEnded(record: TaskRecord): boolean {
  return isTerminal(record.state as TaskState);
}

function only(record: TaskRecord | undefined, finished: boolean): Found {
  return record === undefined ? { kind: "none" } : { kind: "found", record, finished };
}

/** The one record there is; of several, which of them. */
function choose(records: Iterable<TaskRecord>, finished: boolean): Found {
  const candidates: TaskRecord[] = [];
  for (const record of records) {
    candidates.push(record);
    if (candidates.length === EXAMPLES) break;
  }
  if (candidates.length <= 1) return only(candidates[0], finished);
  return { kind: "ambiguous", examples: candidates.map((record) => `${taskIdOf(record)} (${record.launchId})`) };
}

/** Each framework's task of one id: task ids are the frameworks' own. */
function* named(tables: Tables, ofFramework: (frameworkId: string) => TaskRecord | undefined): Generator<TaskRecord> {
  for (const frameworkId of tables.frameworks.keys()) {
    const record = ofFramework(frameworkId);
    if (record !== undefined) yield record;
  }
}

function* begunWith(records: Iterable<TaskRecord>, id: string): Generator<TaskRecord> {
  for (const record of records) if (record.launchId.startsWith(id) || taskIdOf(record).startsWith(id)) yield record;
}
