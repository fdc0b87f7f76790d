/** Finished tasks: a ring of rows per framework, so that the registry does not grow with what is over. */
import { limits } from "../../model/limits.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { Change } from "../registry/change.ts";
import { type MasterState, clusterClock } from "./state.ts";
import type { Tx } from "./tx.ts";

/** Deletes a task's row and keeps `last` in history, as one atom (3.8). */
export function retire(state: MasterState, tx: Tx, last: TaskRecord): void {
  state.deadlines.clear(`launch/${last.launchId}`);
  state.membership.told.delete(last.launchId);
  const number = state.tables.frameworkBooks(last.frameworkId).nextHistory;
  const entry: Change = {
    kind: "h",
    id: `${last.frameworkId}/${number % limits.historyPerFramework}`,
    record: { task: last, at: clusterClock(state, tx.now), number },
  };
  tx.put({ kind: "t", id: last.launchId, record: undefined }, entry);
}
