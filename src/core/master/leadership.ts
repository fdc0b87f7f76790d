/** The leadership itself: how it begins, its own record, its clock, and what the store allows it to do. */
import { compareEpochs } from "../../base/epoch.ts";
import { limits } from "../../model/limits.ts";
import type { LeaderRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import * as allocation from "./allocation.ts";
import { drop } from "./departure.ts";
import * as lifetime from "./framework-lifetime.ts";
import type { Input } from "./input.ts";
import * as liveness from "./liveness.ts";
import * as notices from "./notices.ts";
import * as prune from "./prune.ts";
import { type MasterState, clusterClock } from "./state.ts";
import type { Tx } from "./tx.ts";

type Of<K extends Input["kind"]> = Extract<Input, { kind: K }>;

/** The cluster clock becomes durable at least this often while anything durable waits for it (11.1). */
const CLOCK_MS = 5_000;

/** At promotion. The tables are complete, so nothing is computed per task (5.1). */
export function begin(state: MasterState, now: number): void {
  allocation.begin(state);
  lifetime.begin(state, now);
  liveness.begin(state, now);
  prune.begin(state, now);
  state.deadlines.set("clock", now + CLOCK_MS);
}

/** 3.6: nothing new is begun. Offers that stand stay: what is accepted meanwhile is refused or waits. */
export function mute(state: MasterState, tx: Tx, { on }: Of<"mute">): void {
  state.mute = on;
  liveness.muted(state, on, tx.now);
  if (!on) allocation.request(state, tx.now);
}

/** 13.3; an empty reason ends it. */
export function nearlyFull(state: MasterState, _tx: Tx, { reason }: Of<"nearlyFull">): void {
  state.nearlyFull = reason;
}

/** 3.5: what was pending has been undone, so the books are made anew and the offers that rested on them are void. */
export function readOnly(state: MasterState, tx: Tx, { on, reason }: Of<"readOnly">): void {
  state.readOnly = on ? reason || "the registry takes no writes" : "";
  if (on) {
    recount(state, tx);
    return;
  }
  lifetime.catchUp(state, tx);
  allocation.request(state, tx.now);
}

/** Writes or completes this leadership's row (5.2); a ring, so the oldest is overwritten. */
export function record(state: MasterState, tx: Tx, input: Of<"leaderRecord">): void {
  if (state.readOnly !== "") return;
  const { tables, counters } = state;
  const own = ownRecord(state);
  const number = own?.number ?? nextNumber(state);
  counters.leader = number + 1;
  const written: LeaderRecord = {
    ...input.record,
    number,
    tasksCarried: own?.tasksCarried ?? (input.record.tasksCarried || tables.tasks.size),
    agentsKnown: own?.agentsKnown ?? (input.record.agentsKnown || tables.agentsIn),
  };
  tx.put({ kind: "l", id: slotOf(number), record: written });
  notices.leader(state, tx, written);
  liveness.noteConfirmed(state, tx);
}

/**
 * Deadline `clock`. The head of any batch carries the clock (11.1), so any write will do; the leader's own row says
 * nothing new and is small.
 */
export function clockDue(state: MasterState, tx: Tx): void {
  const age = 1000 * (clusterClock(state, tx.now) - (state.tables.head?.clusterClock ?? 0));
  const isDurable = age < CLOCK_MS;
  state.deadlines.set("clock", tx.now + (isDurable ? CLOCK_MS - age : CLOCK_MS));
  const own = ownRecord(state);
  if (isDurable || state.tables.timed === 0 || state.mute || state.readOnly !== "" || own === undefined) return;
  tx.put({ kind: "l", id: slotOf(own.number), record: own });
}

/** An agent whose coming was undone comes again; of the others, what is used may be other than was thought. */
function recount(state: MasterState, tx: Tx): void {
  for (const [agentId, stream] of [...state.agentStreams]) {
    if (stream.phase !== "confirmed") continue;
    if (state.tables.agents.get(agentId)?.standing?.$case === "in") allocation.agentConfirmed(state, tx, agentId);
    else drop(state, tx, stream, "its return was undone");
  }
  liveness.begin(state, tx.now);
}

/** This leadership's row, also if a machine before this one wrote it (3.5). */
function ownRecord(state: MasterState): LeaderRecord | undefined {
  const { counters, tables, epoch } = state;
  if (counters.leader > 0) return tables.leaders.get(slotOf(counters.leader - 1));
  let newest: LeaderRecord | undefined;
  for (const leader of tables.leaders.values()) if (leader.number >= (newest?.number ?? 0)) newest = leader;
  return newest?.epoch !== undefined && compareEpochs(newest.epoch, epoch) === 0 ? newest : undefined;
}

function nextNumber(state: MasterState): number {
  let next = 0;
  for (const { number } of state.tables.leaders.values()) next = Math.max(next, number + 1);
  return next;
}

function slotOf(number: number): string {
  return String(number % limits.leaderHistory);
}
