/**
 * What is over leaves the registry in bounded background batches (4.2): tasks of gone agents and of agents nobody has
 * heard of for weeks, removed frameworks with their history, old tombstones.
 */
import { limits } from "../../model/limits.ts";
import { parseIssuedId } from "../../model/ids.ts";
import * as history from "./history.ts";
import { isFrameworkRemoved, shownState } from "./standing.ts";
import { type MasterState, clusterClock } from "./state.ts";
import type { Tx } from "./tx.ts";

const INTERVAL_MS = 60_000;
/** Pause while there is more to do. */
const PAUSE_MS = 100;
/** Rows written in one step. */
const ROWS_AT_ONCE = 100;
/** Removed frameworks that are kept to look at, with their tasks (Mesos: max_completed_frameworks). */
const KEPT_FRAMEWORKS = 50;

export function begin(state: MasterState, now: number): void {
  state.deadlines.set("prune", now + INTERVAL_MS);
}

export function soon(state: MasterState, now: number): void {
  state.deadlines.setEarlier("prune", now + PAUSE_MS);
}

/** Deadline `prune`. */
export function due(state: MasterState, tx: Tx): void {
  const idle = state.mute || state.readOnly !== "";
  const left = idle ? ROWS_AT_ONCE : frameworks(state, tx, agents(state, tx, ROWS_AT_ONCE));
  state.deadlines.set("prune", tx.now + (left > 0 ? INTERVAL_MS : PAUSE_MS));
}

/** Returns how many of `rows` are left to be written. */
function agents(state: MasterState, tx: Tx, rows: number): number {
  const clock = clusterClock(state, tx.now);
  const gone: { readonly id: string; readonly at: number }[] = [];
  for (const [id, { standing }] of state.tables.agents) {
    if (standing?.$case === "goneAt") gone.push({ id, at: standing.value });
    const expired = standing?.$case === "unreachableAt" && clock - standing.value > state.settings.unreachableRetentionSeconds;
    if (standing?.$case !== "goneAt" && !expired) continue;
    for (const launchId of [...state.tables.agentBooks(id).launches]) {
      if (rows === 0) return 0;
      if (retire(state, tx, launchId, expired)) rows -= 1;
    }
    if (!expired || state.tables.agentBooks(id).launches.size > 0) continue;
    if (rows === 0) return 0;
    tx.put({ kind: "a", id, record: undefined });
    rows -= 1;
  }
  for (const { id } of oldest(gone, limits.tombstones)) {
    if (rows === 0 || state.tables.agentBooks(id).launches.size > 0) break;
    tx.put({ kind: "a", id, record: undefined });
    rows -= 1;
  }
  return rows;
}

/** A task whose agent will not come back goes to history, once its framework heard of it (4.5) or nobody waits. */
function retire(state: MasterState, tx: Tx, launchId: string, expired: boolean): boolean {
  const record = state.tables.tasks.get(launchId);
  if (record === undefined) return false;
  const told = state.frameworks.has(record.frameworkId) || isFrameworkRemoved(state.tables, record.frameworkId);
  if (!told && !expired) return false;
  const { state: last } = shownState(state.tables, record);
  history.retire(state, tx, { ...record, state: last, latestState: last, settled: true, settledTold: told });
  return true;
}

function frameworks(state: MasterState, tx: Tx, rows: number): number {
  const removed: { readonly id: string; readonly at: number }[] = [];
  for (const [id, { standing }] of state.tables.frameworks) {
    if (standing?.$case === "removedAt") removed.push({ id, at: standing.value });
  }
  const foreign: { readonly id: string; readonly at: number }[] = [];
  for (const framework of oldest(removed, KEPT_FRAMEWORKS)) {
    const { id } = framework;
    const books = state.tables.frameworkBooks(id);
    if (books.live.size > 0) continue;
    const slots = Math.min(books.nextHistory, limits.historyPerFramework);
    for (let slot = 0; slot < slots; slot++) {
      const key = `${id}/${slot}`;
      if (!state.tables.history.has(key)) continue;
      if (rows === 0) return 0;
      tx.put({ kind: "h", id: key, record: undefined });
      rows -= 1;
    }
    // Ids of our own form need no tombstone (1.4).
    if (parseIssuedId(id) === undefined) {
      foreign.push(framework);
      continue;
    }
    if (rows === 0) return 0;
    tx.put({ kind: "f", id, record: undefined });
    rows -= 1;
  }
  for (const { id } of oldest(foreign, limits.tombstones)) {
    if (rows === 0) return 0;
    tx.put({ kind: "f", id, record: undefined });
    rows -= 1;
  }
  return rows;
}

/** All but the `kept` newest, oldest first. */
function oldest<T extends { readonly at: number }>(all: readonly T[], kept: number): readonly T[] {
  return all.length <= kept ? [] : all.toSorted((a, b) => a.at - b.at).slice(0, all.length - kept);
}
