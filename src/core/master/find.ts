/** Finding what an operator names by an id or the beginning of one. */
import { isTerminal } from "../../model/task-state.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import { type Tables, taskIdOf } from "../registry/tables.ts";

export type Found =
  | { readonly kind: "found"; readonly record: TaskRecord; readonly finished: boolean }
  | { readonly kind: "none" }
  /** More than one begins like this: up to three of them. */
  | { readonly kind: "ambiguous"; readonly examples: readonly string[] };

/** A task by launch id or task id, or a unique prefix of either. Whole ids and live tasks win. */
export function findTask(tables: Tables, id: string): Found {
  if (id === "") return { kind: "none" };
  const row = tables.tasks.get(id);
  if (row !== undefined) return { kind: "found", record: row, finished: false };
  const live = choose(tables.tasks.values(), id);
  if (live.kind === "found") return { ...live, finished: false };
  if (live.kind === "ambiguous") return live;
  const past = choose(finishedTasks(tables), id);
  return past.kind === "found" ? { ...past, finished: true } : past;
}

/** Tasks in history. */
export function* finishedTasks(tables: Tables): Generator<TaskRecord> {
  for (const { task } of tables.history.values()) if (task !== undefined) yield task;
}

/** The key in a table that this is, or that alone begins with it. */
export function findKey(table: ReadonlyMap<string, unknown>, id: string): string | undefined {
  if (table.has(id)) return id;
  if (id === "") return undefined;
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

function choose(records: Iterable<TaskRecord>, id: string): Exclude<Found, { kind: "found" }> | { kind: "found"; record: TaskRecord } {
  const [whole, begun]: [TaskRecord[], TaskRecord[]] = [[], []];
  for (const record of records) {
    const taskId = taskIdOf(record);
    if (record.launchId === id || taskId === id) whole.push(record);
    else if (record.launchId.startsWith(id) || taskId.startsWith(id)) begun.push(record);
  }
  const candidates = whole.length > 0 ? whole : begun;
  const [first, second] = candidates;
  if (first === undefined) return { kind: "none" };
  if (second === undefined) return { kind: "found", record: first };
  return { kind: "ambiguous", examples: candidates.slice(0, 3).map((record) => `${taskIdOf(record)} (${record.launchId})`) };
}
