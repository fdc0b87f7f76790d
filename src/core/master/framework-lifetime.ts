/** How long a framework without a stream lives, and how it ends (5.2, 10.5, 11.1). */
import type { FrameworkRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import * as allocation from "./allocation.ts";
import * as delivery from "./delivery.ts";
import * as notices from "./notices.ts";
import * as offers from "./offers.ts";
import { type MasterState, clusterClock, whenClockShows } from "./state.ts";
import type { Tx } from "./tx.ts";
import * as updates from "./updates.ts";

/** Streams lost within this time count as lost together (10.5). */
const LOSS_WINDOW_MS = 5_000;
/** Fewer lost streams than this are never taken for our own fault. */
const LEAST_MASS_LOSS = 3;
/** A removal that comes due while it cannot be decided is looked at again after this. */
const POSTPONE_MS = 5_000;

/**
 * At promotion: a deadline for every framework that is not removed. Those whose row says "subscribed" have the
 * resubscribe window before they are even written as away (5.2).
 */
export function begin(state: MasterState, now: number): void {
  for (const id of state.tables.present) {
    const record = state.tables.frameworks.get(id)!;
    const standing = record.standing;
    if (standing?.$case === "subscribed") {
      state.deadlines.set(`framework/${id}`, now + state.settings.resubscribeWindowMs);
    } else if (standing?.$case === "disconnectedAt") {
      // The clock is cut to whole seconds: one more, so that nobody is removed early.
      const at = whenClockShows(state, standing.value + 1) + patienceMs(state, record);
      state.deadlines.set(`framework/${id}`, Math.max(at, now + state.settings.resubscribeWindowMs));
    }
  }
}

/** A stream broke. `ours`: by our doing, so the framework gets at least ten minutes (10.5). */
export function lost(state: MasterState, tx: Tx, frameworkId: string, ours: boolean): void {
  if (state.readOnly !== "") return setAway(state, tx, frameworkId, true);
  const couldBeMany = state.frameworks.size + 1 >= LEAST_MASS_LOSS || state.recentLosses.length > 0;
  if (!ours && !couldBeMany && patienceMs(state, state.tables.frameworks.get(frameworkId)) === 0) {
    remove(state, tx, frameworkId);
    return;
  }
  setAway(state, tx, frameworkId, ours);
  if (!ours) noteLoss(state, tx, frameworkId);
}

/** The deadline `framework/<id>`. */
export function due(state: MasterState, tx: Tx, frameworkId: string): void {
  const record = state.tables.frameworks.get(frameworkId);
  if (record === undefined || state.frameworks.has(frameworkId) || record.standing?.$case === "removedAt") return;
  // Nobody can subscribe while we are mute, and nothing can be written while read-only.
  if (state.mute || state.readOnly !== "") {
    state.deadlines.set(`framework/${frameworkId}`, tx.now + POSTPONE_MS);
    return;
  }
  if (record.standing?.$case === "disconnectedAt") return remove(state, tx, frameworkId);
  // Not back after a failover: away since this leadership began (5.2).
  putAway(tx, frameworkId, record, state.clockAtStart, true);
  state.deadlines.set(`framework/${frameworkId}`, state.startedAt + patienceMs(state, state.tables.frameworks.get(frameworkId)));
  notices.framework(state, tx, frameworkId);
}

/**
 * Ends a framework for good. Its tasks are "to be killed" from here on (4.1): one write, whatever it ran. Its stream
 * gets no further event; closing it is left to the caller, who may have an answer to say first.
 */
export function remove(state: MasterState, tx: Tx, frameworkId: string): void {
  const record = state.tables.frameworks.get(frameworkId);
  if (record === undefined || record.standing?.$case === "removedAt") return;
  tx.put({
    kind: "f",
    id: frameworkId,
    record: { ...record, standing: { $case: "removedAt", value: clusterClock(state, tx.now) }, lostByMaster: false },
  });
  state.deadlines.clear(`framework/${frameworkId}`);
  const stream = state.frameworks.get(frameworkId);
  if (stream !== undefined) {
    offers.dropAll(state, stream, tx.now);
    state.frameworks.delete(frameworkId);
    state.frameworkSessions.delete(stream.session);
  }
  allocation.frameworkAway(state, frameworkId, tx.now);
  delivery.killFramework(state, tx, frameworkId);
  // What it did not acknowledge is acknowledged here now, and not when the agents' patience ends.
  updates.resendFor(state, tx, frameworkId);
  notices.framework(state, tx, frameworkId);
}

/**
 * Writes what could not be written while read-only (3.5): who came, and who went. Frameworks that left meanwhile
 * count as lost by us.
 */
export function catchUp(state: MasterState, tx: Tx): void {
  for (const [id, record] of state.tables.frameworks) {
    const here = state.frameworks.has(id);
    const standing = record.standing;
    if (here && !isSubscribedNow(state, record)) {
      tx.put({
        kind: "f",
        id,
        record: { ...record, standing: { $case: "subscribed", value: { ...state.epoch } }, lostByMaster: false },
      });
    } else if (!here && standing?.$case === "subscribed" && isSubscribedNow(state, record)) {
      setAway(state, tx, id, true);
    }
  }
}

function isSubscribedNow(state: MasterState, { standing }: FrameworkRecord): boolean {
  if (standing?.$case !== "subscribed") return false;
  return standing.value.generation === state.epoch.generation && standing.value.revision === state.epoch.revision;
}

/** Counts a loss; once it is one of many, all of them get the long patience. */
function noteLoss(state: MasterState, tx: Tx, frameworkId: string): void {
  const recent = state.recentLosses.filter(({ at }) => tx.now - at <= LOSS_WINDOW_MS);
  state.recentLosses = [...recent, { frameworkId, at: tx.now }];
  const away = new Set<string>();
  for (const loss of state.recentLosses) if (!state.frameworks.has(loss.frameworkId)) away.add(loss.frameworkId);
  if (away.size < LEAST_MASS_LOSS || 2 * away.size <= away.size + state.frameworks.size) return;
  for (const id of away) {
    const record = state.tables.frameworks.get(id);
    if (record?.standing?.$case === "disconnectedAt" && !record.lostByMaster) setAway(state, tx, id, true);
  }
}

/** Writes a framework as away from now, and sets its deadline. */
function setAway(state: MasterState, tx: Tx, frameworkId: string, lostByMaster: boolean): void {
  const record = state.tables.frameworks.get(frameworkId);
  if (record === undefined) return;
  if (state.readOnly === "") putAway(tx, frameworkId, record, clusterClock(state, tx.now), lostByMaster);
  const patience = patienceMs(state, { ...record, lostByMaster });
  // Even without patience it must be seen first whether many were lost at once (10.5).
  state.deadlines.set(`framework/${frameworkId}`, tx.now + Math.max(patience, LOSS_WINDOW_MS));
}

function putAway(tx: Tx, id: string, record: FrameworkRecord, since: number, lostByMaster: boolean): void {
  tx.put({ kind: "f", id, record: { ...record, standing: { $case: "disconnectedAt", value: since }, lostByMaster } });
}

/** Milliseconds a framework may be away. */
function patienceMs(state: MasterState, record: FrameworkRecord | undefined): number {
  const seconds = record?.info?.failoverTimeout ?? 0;
  return 1000 * (record?.lostByMaster === true ? Math.max(seconds, state.settings.lostByMasterGraceSeconds) : seconds);
}
