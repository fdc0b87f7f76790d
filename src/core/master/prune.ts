/**
 * What is over leaves the registry in bounded background batches (4.2): tasks of gone agents and of agents nobody has
 * heard of for weeks, removed frameworks with their history, old tombstones. All rows are looked through once a minute;
 * what was found is then worked off, a step at a time.
 */
import { limits } from "../../model/limits.ts";
import { parseIssuedId } from "../../model/ids.ts";
import type { AgentRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import * as history from "./history.ts";
import type { Prunable } from "./membership.ts";
import { isFrameworkRemoved, shownState } from "./standing.ts";
import { type MasterState, clusterClock } from "./state.ts";
import type { Tx } from "./tx.ts";

const INTERVAL_MS = 60_000;
/** Pause while there is more to do. */
const PAUSE_MS = 100;
/** Rows written in one step. */
const ROWS_AT_ONCE = 100;
/** Agents and frameworks looked at in one step: with most of them there may be nothing to do. */
const LOOKS_AT_ONCE = 1_000;
/** Removed frameworks that are kept to look at, with their tasks (Mesos: max_completed_frameworks). */
const KEPT_FRAMEWORKS = 50;

export function begin(state: MasterState, now: number): void {
  state.deadlines.set("prune", now + INTERVAL_MS);
}

/** An agent was marked gone: its tasks go without waiting for the next look. */
export function agentGone(state: MasterState, now: number, agentId: string): void {
  state.membership.prunable.push({ kind: "a", id: agentId, wholly: false });
  state.deadlines.setEarlier("prune", now + PAUSE_MS);
}

/** Deadline `prune`. */
export function due(state: MasterState, tx: Tx): void {
  const { membership } = state;
  if (state.mute || state.readOnly !== "") return state.deadlines.set("prune", tx.now + INTERVAL_MS);
  if (membership.prunable.length === 0) membership.prunable = [...agents(state, tx.now), ...frameworks(state)];
  let rows = ROWS_AT_ONCE;
  for (let looks = 0; looks < LOOKS_AT_ONCE && rows > 0; looks++) {
    const next = membership.prunable.at(-1);
    if (next === undefined) break;
    rows = next.kind === "a" ? pruneAgent(state, tx, next, rows) : pruneFramework(state, tx, next, rows);
    if (rows > 0) membership.prunable.pop();
  }
  state.deadlines.set("prune", tx.now + (membership.prunable.length > 0 ? PAUSE_MS : INTERVAL_MS));
}

/** Agents whose tasks have to go, and those of which no trace is kept. */
function agents(state: MasterState, now: number): readonly Prunable[] {
  const { tables } = state;
  const found: Prunable[] = [];
  const tombstones: { readonly id: string; readonly at: number }[] = [];
  for (const [id, record] of tables.agents) {
    const { standing } = record;
    if (standing?.$case === "goneAt" && tables.agentBooks(id).isEmpty) tombstones.push({ id, at: standing.value });
    else if (standing?.$case === "goneAt") found.push({ kind: "a", id, wholly: false });
    else if (isExpired(state, now, record)) found.push({ kind: "a", id, wholly: true });
  }
  for (const { id } of allButNewest(limits.tombstones, tombstones)) found.push({ kind: "a", id, wholly: true });
  return found;
}

/** Removed frameworks without tasks, beyond those kept to look at: their history, and most of their rows. */
function frameworks({ tables }: MasterState): readonly Prunable[] {
  const removed: { readonly id: string; readonly at: number }[] = [];
  for (const [id, { standing }] of tables.frameworks) {
    if (standing?.$case === "removedAt") removed.push({ id, at: standing.value });
  }
  const found: Prunable[] = [];
  const tombstones: { readonly id: string; readonly at: number }[] = [];
  for (const framework of allButNewest(KEPT_FRAMEWORKS, removed)) {
    const { id } = framework;
    // Ids of our own form need no tombstone (1.4).
    if (parseIssuedId(id) !== undefined) found.push({ kind: "f", id, wholly: true });
    else if (tables.frameworkBooks(id).isEmpty) tombstones.push(framework);
    else found.push({ kind: "f", id, wholly: false });
  }
  for (const { id } of allButNewest(limits.tombstones, tombstones)) found.push({ kind: "f", id, wholly: true });
  return found;
}

/** Returns how many of `rows` are left to be written; 0: look at it again. */
function pruneAgent(state: MasterState, tx: Tx, { id, wholly }: Prunable, rows: number): number {
  const { tables } = state;
  const record = tables.agents.get(id);
  // Whoever came back since the look keeps everything.
  const expired = record !== undefined && isExpired(state, tx.now, record);
  if (record?.standing?.$case !== "goneAt" && !expired) return rows;
  for (const launchId of [...tables.agentBooks(id).launches]) {
    if (retire(state, tx, launchId, expired)) rows -= 1;
    if (rows === 0) return 0;
  }
  if (!wholly || !tables.agentBooks(id).isEmpty) return rows;
  tx.put({ kind: "a", id, record: undefined });
  state.membership.lastHeard.delete(id);
  return rows - 1;
}

/** The same for a framework. Once removed it stays removed. */
function pruneFramework(state: MasterState, tx: Tx, { id, wholly }: Prunable, rows: number): number {
  const books = state.tables.frameworkBooks(id);
  if (books.live.size > 0) return rows;
  for (const key of [...books.slots.keys()]) {
    tx.put({ kind: "h", id: key, record: undefined });
    rows -= 1;
    if (rows === 0) return 0;
  }
  if (!wholly) return rows;
  tx.put({ kind: "f", id, record: undefined });
  return rows - 1;
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

function isExpired(state: MasterState, now: number, { standing }: AgentRecord): boolean {
  return standing?.$case === "unreachableAt" && clusterClock(state, now) - standing.value > state.settings.unreachableRetentionSeconds;
}

/** All but the `kept` newest, in their order. Without sorting the records: there may be very many. */
function allButNewest<T extends { readonly at: number }>(kept: number, all: readonly T[]): readonly T[] {
  if (all.length <= kept) return [];
  const times = Float64Array.from(all, ({ at }) => at).sort();
  const oldestKept = times[times.length - kept]!;
  let ties = kept;
  for (const { at } of all) if (at > oldestKept) ties -= 1;
  return all.filter(({ at }) => at < oldestKept || (at === oldestKept && ties-- <= 0));
}
