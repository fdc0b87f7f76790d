/** I17, I18 and I19: updates arrive, repeated ones change nothing, and only their own acknowledgement retires them. */
import type { HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { lasting, type Launch } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import type { UpdateLog, UpdateStream, UpdateWay } from "./update-log.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";

/** The registry's watcher may tell of a change this long after agents heard of it. */
const WATCH_LAG_MS = 5_000;

export function updates(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  const log = evidence.updateLog;
  return [arrivals(evidence, log, options), repetitions(evidence), acknowledgements(evidence, log)];
}

/** I17. Tested: arrivals of updates, and updates whose time to arrive was up. */
function arrivals(evidence: Evidence, log: UpdateLog, options: CheckOptions): Verdict {
  const tally = new Tally("I17");
  for (const event of log.unjournaled) tally.violated(`${event.value.framework} was told ${event.value.state} of ${event.value.task}, which no agent has journaled`, event);
  for (const stream of log.streams) {
    for (const [index, update] of stream.updates.entries()) {
      const first = update.heard[0];
      if (first === undefined) continue;
      tally.tested();
      if (first.t < update.journaled.t) tally.violated(`${nameOf(stream, update)} was told before it was journaled`, first, update.journaled);
      const before = stream.updates[index - 1];
      if (before !== undefined) inTurn(tally, stream, before, update, first);
    }
    drained(tally, evidence, stream, options);
    forgotInTime(tally, evidence, stream);
  }
  return tally.verdict();
}

function inTurn(tally: Tally, stream: UpdateStream, before: UpdateWay, update: UpdateWay, first: HistoryEvent): void {
  const told = before.heard[0];
  if (told === undefined || told.t > first.t) tally.violated(`${nameOf(stream, update)} was told, and not before it ${nameOf(stream, before)}`, told, first);
  else if (!before.acknowledged.some(({ invokedAt }) => invokedAt <= first.t)) {
    tally.violated(`${nameOf(stream, update)} was told before ${nameOf(stream, before)} was acknowledged`, told, first);
  }
  const late = before.heard.find(({ t }) => t > first.t);
  if (late !== undefined) tally.violated(`${nameOf(stream, before)} was told again after ${nameOf(stream, update)}`, first, late);
}

/** In the end the oldest update that is not acknowledged has been told, if there is anybody to tell. */
function drained(tally: Tally, evidence: Evidence, { framework, agent, updates: all, forgot, ...stream }: UpdateStream, { settleMs }: CheckOptions): void {
  const head = all.find(({ retired }) => retired === undefined);
  if (head === undefined || forgot !== undefined || framework === undefined) return;
  const since = evidence.connectedSince(framework);
  if (since === undefined || !evidence.isInReach(agent)) return;
  if (evidence.faults.deadline(Math.max(since, head.journaled.t), settleMs) > evidence.horizon) return;
  tally.tested();
  if (head.heard.length === 0) tally.violated(`${head.journaled.value.state} of ${stream.task} was journaled and never told to ${framework}`, head.journaled);
}

/** 7.3, and the orders to forget of 9.3. */
function forgotInTime(tally: Tally, evidence: Evidence, stream: UpdateStream): void {
  const { forgot, updates: all, launch, task } = stream;
  if (forgot === undefined) return;
  const pending = all.filter(({ journaled, retired }) => journaled.t <= forgot.t && (retired === undefined || retired.t > forgot.t));
  // The acknowledgement of the end is the order to forget.
  const [only] = pending;
  const isLast = pending.length === 1 && isEnd(only!.journaled.value.state) && only!.acknowledged.some(({ invokedAt }) => invokedAt <= forgot.t);
  if (pending.length === 0 ? isEnd(all.at(-1)!.journaled.value.state) : isLast) return;
  if (mayForget(evidence, stream, launch, forgot)) return;
  tally.violated(`${task} was forgotten by its agent with ${pending.length} updates that nobody had acknowledged`, forgot, only?.journaled);
}

function mayForget(evidence: Evidence, stream: UpdateStream, launch: string, event: HistoryEvent): boolean {
  if (evidence.of("agentOrdered").some(({ value, t }) => value.launch === launch && value.order === "cancel" && t <= event.t)) return true;
  return isNobodys(evidence, stream, event.t);
}

/** What nobody waits for is acknowledged by the leader itself (7.2). */
export function isNobodys(evidence: Evidence, { launch, framework }: UpdateStream, t: number): boolean {
  const { registry } = evidence;
  if (framework !== undefined) {
    if ((registry.removal(framework)?.t ?? Infinity) <= t + WATCH_LAG_MS) return true;
    if (evidence.calls("teardown").some(({ value, outcome, invokedAt }) => value.framework === framework && outcome !== "fail" && invokedAt <= t)) return true;
  }
  const known = registry.launches.get(launch);
  return (known?.versions ?? []).some(({ row, commit }) => (row === undefined || row.settled) && commit.t <= t + WATCH_LAG_MS);
}

/** I18. Tested: updates told again. */
function repetitions(evidence: Evidence): Verdict {
  const tally = new Tally("I18");
  const first = new Map<string, HistoryEvent & { readonly op: "update" }>();
  for (const event of evidence.of("update")) {
    const { uuid, state, task, agent } = event.value;
    if (uuid === "") continue;
    const known = first.get(uuid);
    if (known === undefined) {
      first.set(uuid, event);
      continue;
    }
    tally.tested();
    if (known.value.state !== state || known.value.task !== task || known.value.agent !== agent) {
      tally.violated(`update ${uuid} of ${task} was ${known.value.state} first, and ${state} when it was told again`, known, event);
    }
  }
  for (const launch of evidence.registry.launches.values()) writtenOnce(tally, launch);
  return tally.verdict();
}

/** One write for each update, and one end, of all that was not undone. */
function writtenOnce(tally: Tally, { task, versions: all }: Launch): void {
  const versions = lasting(all);
  const written = new Map<string, HistoryEvent>();
  for (const [index, { row, past, commit }] of versions.entries()) {
    const before = versions[index - 1];
    // What was given up as unreachable may come back and end after all (4.2).
    if (past !== undefined && versions.slice(0, index).some((version) => version.past !== undefined && isEnd(version.past))) {
      tally.violated(`${task} went to history twice`, commit);
    }
    if (row === undefined || row.uuid === "") continue;
    if (row.uuid !== before?.row?.uuid) {
      const known = written.get(row.uuid);
      if (known !== undefined) tally.violated(`update ${row.uuid} of ${task} was written twice`, known, commit);
      written.set(row.uuid, commit);
    } else if (!row.settled && (row.seq !== before.row.seq || row.state !== before.row.state)) {
      tally.violated(`the row of ${task} changed with an update it had already`, before.commit, commit);
    } else if (!row.killed && JSON.stringify(row) === JSON.stringify(before.row)) {
      tally.violated(`the row of ${task} was written again as it was`, before.commit, commit);
    }
  }
}

/** I19. Tested: updates retired, and wrong acknowledgements. */
function acknowledgements(evidence: Evidence, log: UpdateLog): Verdict {
  const tally = new Tally("I19");
  tally.tested(log.wrong.length);
  for (const event of log.retiredUnjournaled) tally.violated(`${event.actor} retired update ${event.value.uuid} of ${event.value.launch}, which it never made`, event);
  for (const stream of log.streams) {
    for (const [index, update] of stream.updates.entries()) {
      const { retired, acknowledged } = update;
      if (retired === undefined) continue;
      tally.tested();
      const before = stream.updates[index - 1];
      if (before !== undefined && (before.retired === undefined || before.retired.t > retired.t)) {
        tally.violated(`${nameOf(stream, update)} was retired before ${nameOf(stream, before)}`, retired);
      }
      if (acknowledged.some(({ invokedAt }) => invokedAt <= retired.t) || isNobodys(evidence, stream, retired.t)) continue;
      tally.violated(`${nameOf(stream, update)} was retired, and its framework had not acknowledged it`, retired);
    }
  }
  return tally.verdict();
}

function nameOf({ task }: UpdateStream, { journaled }: UpdateWay): string {
  return `${journaled.value.state} of ${task} (${journaled.value.uuid})`;
}
