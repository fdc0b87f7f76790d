/** I11: who is to be killed is, and nobody else. */
import type { Call } from "../history/calls.ts";
import type { HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import type { Launch } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";

/** The registry's watcher may tell of a removal this long after agents heard of it. */
const WATCH_LAG_MS = 5_000;

/** Tested: kills acknowledged long enough before the end, and kills that agents were ordered to do. */
export function kills(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  const tally = new Tally("I11");
  for (const call of evidence.calls("kill")) if (call.outcome === "ok") honoured(tally, evidence, call, options);
  for (const commit of evidence.registry.commits) {
    for (const change of commit.value.rows) {
      if (change.table !== "task" || change.task?.killed !== true) continue;
      const { task } = change.task;
      if (!wasAskedFor(evidence, task, Infinity)) tally.violated(`the row of ${task} is marked to be killed, and nobody had asked for it`, commit);
    }
  }
  for (const event of evidence.of("agentOrdered")) {
    if (event.value.order !== "kill") continue;
    tally.tested();
    ordered(tally, evidence, event.value.launch, event);
  }
  return [tally.verdict()];
}

/** While anything is broken its agent may be out of reach, so time counts from when nothing is. */
function honoured(tally: Tally, evidence: Evidence, call: Call<"kill">, { settleMs }: CheckOptions): void {
  const { task, framework, graceMs } = call.value;
  if (evidence.isAnothers(call.value)) return; // I26
  const launches = evidence.registry.byTask.get(task)?.filter((launch) => launch.framework === framework) ?? [];
  const lives = evidence.witnesses.byTask.get(task) ?? [];
  // Whoever kills what was never launched gets an answer, and no more.
  if (launches.length === 0 && lives.length === 0) return;
  // On a host that is gone for good nobody can say that it ended.
  const last = launches.at(-1);
  if (last !== undefined && evidence.registry.agents.get(last.agent)?.at(-1)?.standing !== "in") return;
  // Nobody knows of it any more.
  if (call.revision !== undefined && evidence.registry.isUndone(call.revision)) return;
  const due = evidence.faults.deadline(call.endedAt, graceMs + settleMs);
  if (due > evidence.end) return;
  tally.tested();
  const ended = endTimes(evidence, task, launches);
  if (ended.length === 0 || Math.min(...ended) > due) {
    tally.violated(`the kill of ${task} was acknowledged, and ${Math.round(due - call.endedAt)} ms later it has not ended`, call.end);
  }
  for (const life of lives) {
    if (life.start.t > due) tally.violated(`${task} started after its kill should have been done`, call.end, life.start);
  }
}

function endTimes(evidence: Evidence, task: string, launches: readonly Launch[]): number[] {
  const times: number[] = [];
  for (const launch of launches) {
    const end = evidence.registry.end(launch);
    if (end !== undefined) times.push(end.commit.t);
  }
  for (const { exit } of evidence.witnesses.byTask.get(task) ?? []) if (exit !== undefined) times.push(exit.t);
  for (const { t, value } of evidence.updates(task)) if (isEnd(value.state)) times.push(t);
  return times;
}

function ordered(tally: Tally, evidence: Evidence, id: string, event: HistoryEvent): void {
  const launch = evidence.registry.launches.get(id);
  if (launch === undefined) return; // of a launch without a row: its framework may have been removed long since
  if (mayBeOrdered(evidence, launch, event.t)) return;
  tally.violated(`${event.actor} was ordered to kill ${launch.task}, and nobody had asked for it`, event);
}

function wasAskedFor(evidence: Evidence, task: string, before: number): boolean {
  return evidence.kills(task).some(({ invokedAt }) => invokedAt <= before);
}

/** What its end was told of must not run on, either (9.3). */
export function mayBeOrdered(evidence: Evidence, launch: Launch, before: number): boolean {
  const lag = before + WATCH_LAG_MS;
  return mayBeKilled(evidence, launch, before) || (evidence.registry.firstEnd(launch)?.commit.t ?? Infinity) <= lag;
}

/** Its framework asked for it, nobody owns it any more, or its agent is gone. */
export function mayBeKilled(evidence: Evidence, launch: Launch, before: number): boolean {
  return wasAskedFor(evidence, launch.task, before) || isNobodys(evidence, launch, before + WATCH_LAG_MS);
}

function isNobodys(evidence: Evidence, launch: Launch, before: number): boolean {
  const { registry } = evidence;
  if (evidence.calls("teardown").some(({ value, invokedAt }) => value.framework === launch.framework && invokedAt <= before)) return true;
  if ((registry.removal(launch.framework)?.t ?? Infinity) <= before) return true;
  return evidence.calls("markGone").some(({ value, invokedAt }) => value.agent === launch.agent && invokedAt <= before);
}
