/**
 * What is over leaves the registry in bounded background batches (4.2): tasks of gone agents and of agents nobody has
 * heard of for weeks, what ended of removed frameworks, these with their history, old tombstones. Once a minute all rows are looked
 * through, some in each step, and what is found is worked off.
 */
import { compareEpochs } from "../../base/epoch.ts";
import { limits } from "../../model/limits.ts";
import { parseIssuedId } from "../../model/ids.ts";
import type { AgentRecord, TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import * as history from "./history.ts";
import type { Prunable, PruneLook } from "./membership.ts";
import { RECEIVED_AFTER_MS } from "./settled.ts";
import { isFrameworkRemoved, shownState } from "./standing.ts";
import { type MasterState, clusterClock, whenClockShows } from "./state.ts";
import { wasRemoved } from "./subscription.ts";
import type { Tx } from "./tx.ts";

const INTERVAL_MS = 60_000;
/** Pause while there is more to do. */
const PAUSE_MS = 100;
/** Rows written in one step. */
const ROWS_AT_ONCE = 100;
/** Agents and frameworks looked at in one step: there may be very many with nothing to do. */
const LOOKS_AT_ONCE = 2_000;
/** Removed frameworks that are kept to look at, with their tasks (Mesos: max_completed_frameworks). */
const KEPT_FRAMEWORKS = 50;

/** The row of what was removed or is gone, and when that was, seconds of cluster clock. */
interface Tombstone {
  readonly id: string;
  readonly at: number;
}

export function begin(state: MasterState, now: number): void {
  state.deadlines.set("prune", now + INTERVAL_MS);
}

/** Deadline `prune`. */
export function due(state: MasterState, tx: Tx): void {
  const { membership } = state;
  if (state.mute || state.readOnly !== "") return state.deadlines.set("prune", tx.now + INTERVAL_MS);
  membership.pruneLook ??= lookThrough(state, tx.now);
  let rows = ROWS_AT_ONCE;
  for (let looks = 0; looks < LOOKS_AT_ONCE && rows > 0; looks++) {
    const known = membership.prunable.at(-1);
    if (known !== undefined) {
      rows = prune[known.kind](state, tx, known, rows);
      if (rows > 0) membership.prunable.pop();
      continue;
    }
    const { done, value } = membership.pruneLook.next();
    if (done === true) {
      membership.pruneLook = undefined;
      return state.deadlines.set("prune", tx.now + INTERVAL_MS);
    }
    if (value !== undefined) membership.prunable.push(value);
  }
  state.deadlines.set("prune", tx.now + PAUSE_MS);
}

/** All that is over, found one row at a time; undefined: nothing to do for this one. */
function* lookThrough(state: MasterState, now: number): PruneLook {
  yield* agents(state, now);
  yield* frameworks(state);
}

/** Agents whose tasks have to go, and those of which no trace is kept. */
function* agents(state: MasterState, now: number): PruneLook {
  const { tables } = state;
  const tombstones: Tombstone[] = [];
  for (const [id, record] of tables.agents) {
    const { standing } = record;
    const isGone = standing?.$case === "goneAt";
    if (isGone && tables.agentBooks(id).isEmpty) tombstones.push({ id, at: standing.value });
    const wholly = isExpired(state, now, record);
    yield isGone || wholly ? { kind: "a", id, wholly } : undefined;
  }
  const isOld = beyond(limits.tombstones, tombstones);
  for (const one of tombstones) yield isOld(one) ? { kind: "a", id: one.id, wholly: true } : undefined;
}

/** Of removed frameworks: what ended, and beyond those kept to look at, once without tasks, history and most rows. */
function* frameworks(state: MasterState): PruneLook {
  const removed: Tombstone[] = [];
  for (const [id, { standing }] of state.tables.frameworks) {
    const isRemoved = standing?.$case === "removedAt";
    if (isRemoved) removed.push({ id, at: standing.value });
    yield isRemoved && !settledOf(state, id).next().done ? { kind: "ended", id, wholly: false } : undefined;
  }
  const [isOver, isOld] = [beyond(KEPT_FRAMEWORKS, removed), beyond(limits.tombstones, removed)];
  for (const one of removed) {
    yield isOver(one) ? { kind: "f", id: one.id, wholly: isOld(one) || needsNoTombstone(state, one.id) } : undefined;
  }
}

/**
 * Without a row an id of our own form is known as removed, too (1.4). Those of the present leadership wait for the next:
 * of the epoch that a backup ends in, only its rows tell what was removed.
 */
function needsNoTombstone(state: MasterState, id: string): boolean {
  const issued = parseIssuedId(id);
  return issued !== undefined && compareEpochs(issued.epoch, state.epoch) < 0 && wasRemoved(state, id);
}

/** Each returns how many of `rows` are left to be written; 0: look at it again. */
const prune = { a: pruneAgent, f: pruneFramework, ended: pruneEnded };

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
  state.membership.strangers.delete(id);
  return rows - 1;
}

/** Nobody is left to hear how they ended, so their rows need not wait for it (4.5), whoever wrote them. */
function pruneEnded(state: MasterState, tx: Tx, { id }: Prunable, rows: number): number {
  for (const record of [...settledOf(state, id)]) {
    history.retire(state, tx, { ...record, settledTold: true });
    rows -= 1;
    if (rows === 0) return 0;
  }
  return rows;
}

/** Tasks of a framework that ended by the master's word and are in the registry still. */
function* settledOf({ tables }: MasterState, frameworkId: string): Generator<TaskRecord> {
  for (const agentId of tables.frameworkBooks(frameworkId).agents.keys()) {
    for (const launchId of tables.agentBooks(agentId).settled) {
      const record = tables.tasks.get(launchId);
      if (record?.frameworkId === frameworkId) yield record;
    }
  }
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
  const told = isFrameworkRemoved(state.tables, record.frameworkId) || hasHeard(state, tx.now, record);
  if (!told && !expired) return false;
  const { state: last } = shownState(state.tables, record);
  history.retire(state, tx, { ...record, state: last, latestState: last, settled: true, settledTold: told });
  return true;
}

/** Whether the framework surely received that the agent is lost: it was told then, or when it subscribed after it (7.5). */
function hasHeard(state: MasterState, now: number, { frameworkId, agentId }: TaskRecord): boolean {
  const stream = state.frameworks.get(frameworkId);
  const standing = state.tables.agents.get(agentId)?.standing;
  if (stream === undefined || (standing?.$case !== "goneAt" && standing?.$case !== "unreachableAt")) return false;
  // The clock is cut to whole seconds.
  return now >= Math.max(stream.since, whenClockShows(state, standing.value + 1)) + RECEIVED_AFTER_MS;
}

/** Unreachable for so long that its tasks, and then it itself, are forgotten. */
export function isExpired(state: MasterState, now: number, { standing }: AgentRecord): boolean {
  return standing?.$case === "unreachableAt" && clusterClock(state, now) - standing.value > state.settings.unreachableRetentionSeconds;
}

/** Tells those that are not among the `kept` newest, asked once for each in their order. */
function beyond(kept: number, all: readonly Tombstone[]): (one: Tombstone) => boolean {
  if (all.length <= kept) return () => false;
  const times = new Float64Array(all.length);
  for (let i = 0; i < all.length; i++) times[i] = all[i]!.at;
  times.sort();
  const oldestKept = times[times.length - kept]!;
  let ties = kept;
  for (let i = times.length - 1; times[i]! > oldestKept; i--) ties -= 1;
  return ({ at }) => at < oldestKept || (at === oldestKept && ties-- <= 0);
}
