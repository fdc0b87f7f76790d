/** What happens when a deadline is due, by the first part of its key: `<kind>` or `<kind>/<id>`. */
import { assert } from "../../base/assert.ts";
import * as agents from "./agents.ts";
import * as allocation from "./allocation.ts";
import * as delivery from "./delivery.ts";
import * as lifetime from "./framework-lifetime.ts";
import * as frameworks from "./frameworks.ts";
import * as leadership from "./leadership.ts";
import * as liveness from "./liveness.ts";
import * as offers from "./offers.ts";
import * as pacing from "./pacing.ts";
import * as prune from "./prune.ts";
import * as settled from "./settled.ts";
import type { MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";

/** Deadlines handled in one step; the rest follow in the next, between other inputs. */
const AT_ONCE = 256;
/** A deadline seen this much too late means that this process stood still and heard nobody. */
const STALL_MS = 1_000;

type Handler = (state: MasterState, tx: Tx, id: string) => void;

const table = new Map<string, Handler>([
  ["agent", liveness.silenceDue],
  ["allocate", allocation.due],
  ["clock", leadership.clockDue],
  ["framework", lifetime.due],
  ["heartbeat", frameworks.heartbeat],
  ["launch", delivery.launchOverdue],
  ["offer", offers.due],
  ["ping", liveness.pingDue],
  ["probe", agents.probeOverdue],
  ["prune", prune.due],
  ["report", pacing.reportOverdue],
  ["sweep", liveness.sweep],
  ["told", settled.retireTold],
]);

export function due(state: MasterState, tx: Tx): void {
  const { membership } = state;
  const late = tx.now - Math.max(state.deadlines.next() ?? tx.now, membership.deadlinesSeenAt);
  membership.deadlinesSeenAt = tx.now;
  if (late > STALL_MS) liveness.stalled(state, late);
  for (let count = 0; count < AT_ONCE; count++) {
    const key = state.deadlines.takeDue(tx.now);
    if (key === undefined) return;
    const slash = key.indexOf("/");
    const handle = table.get(slash < 0 ? key : key.slice(0, slash));
    assert(handle !== undefined, () => `deadline ${key} has no handler`);
    handle(state, tx, slash < 0 ? "" : key.slice(slash + 1));
  }
}
