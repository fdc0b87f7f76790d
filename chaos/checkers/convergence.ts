/** I12 and I13: what ran, what the registry says and what is left over agree in the end. */
import type { TaskStateName } from "../../src/sdk/index.ts";
import type { Evidence } from "./evidence.ts";
import type { Launch, LaunchVersion } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";
import { type Life, livedUntil } from "./witnesses.ts";

/** Longest grace of a kill in any workload, for what is killed without a call of a framework. */
const GRACE_MS = 10_000;
/** How far apart witnesses and registry may see one moment. */
const STAMP_MS = 2_000;

export function convergence(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  return [endsConverge(evidence, options), nothingLeft(evidence, options)];
}

/** I12. Tested: ends of either side that had time to reach the other. */
function endsConverge(evidence: Evidence, options: CheckOptions): Verdict {
  const tally = new Tally("I12");
  if (evidence.registry.commits.length === 0) return tally.verdict();
  for (const life of evidence.witnesses.lives) {
    const launch = evidence.registry.launches.get(life.launch);
    if (launch === undefined) continue; // I6
    reachesRegistry(tally, evidence, life, launch, options);
    reachesHost(tally, evidence, life, launch, options);
  }
  return tally.verdict();
}

function reachesRegistry(tally: Tally, evidence: Evidence, life: Life, launch: Launch, { settleMs }: CheckOptions): void {
  const { exit, task } = life;
  if (exit === undefined) return;
  const { registry } = evidence;
  const undoneAt = registry.undoneAt(launch);
  const end = registry.knownEnd(launch);
  // Lost with what was undone, as its agent had forgotten it by then (13.2).
  if (undoneAt !== undefined && end === undefined && registry.last(launch).row === undefined) return;
  const due = evidence.faults.deadline(Math.max(exit.t, undoneAt ?? 0), settleMs);
  if (due > evidence.end || !isPresent(evidence, launch.agent)) return;
  tally.tested();
  if (end === undefined || end.commit.t > due) {
    tally.violated(`${task} exited, and ${Math.round(due - exit.t)} ms later the registry does not say so`, exit);
  }
}

/** Ends of tasks on an agent that did not answer: what had been sent to it may be done when it wakes, and no later. */
const SAID_UNHEARD: ReadonlySet<TaskStateName> = new Set(["TASK_LOST", "TASK_GONE_BY_OPERATOR"]);

function reachesHost(tally: Tally, evidence: Evidence, life: Life, launch: Launch, { beatGapMs, settleMs }: CheckOptions): void {
  const end = evidence.registry.end(launch);
  if (end === undefined) return;
  const { t } = end.commit;
  const state = end.row?.state ?? end.past!;
  if (life.start.t > (SAID_UNHEARD.has(state) ? evidence.faults.deadline(t, settleMs) : t)) {
    tally.violated(`${life.task} started after the registry said ${state}`, end.commit, life.start);
    return;
  }
  // The agent has seen the process end before it says so; where the master concluded it, the agent must hear of it.
  const byAgent = end.row !== undefined && !end.row.settled && end.row.uuid !== "";
  const due = byAgent ? t + Math.min(beatGapMs, STAMP_MS) : evidence.faults.deadline(t, settleMs + GRACE_MS);
  if (due > evidence.end || (!byAgent && !isPresent(evidence, launch.agent))) return;
  tally.tested();
  if (livedUntil(life, beatGapMs) > due) tally.violated(`${life.task} is ${state} in the registry, and still ran ${Math.round(due - t)} ms later`, end.commit);
}

/** I13. Tested: final sweeps, and what was compared in them. What is still broken then is left out. */
function nothingLeft(evidence: Evidence, options: CheckOptions): Verdict {
  const tally = new Tally("I13");
  const { finalAt } = evidence;
  if (finalAt === undefined) return tally.verdict();
  tally.tested();
  for (const event of evidence.of("leftover")) tally.violated(`left over: ${event.value.what}`, event);
  candidateKeys(tally, evidence);
  if (evidence.registry.commits.length > 0 && evidence.witnesses.lives.length > 0) runsAreRows(tally, evidence, finalAt, options);
  return tally.verdict();
}

/** Where tasks are witnesses, all of them are: what runs has a row, and what has a row runs. */
function runsAreRows(tally: Tally, evidence: Evidence, finalAt: number, { beatGapMs, settleMs }: CheckOptions): void {
  const { registry, witnesses } = evidence;
  const alive = new Set<string>();
  const rowOf = (launch: Launch | undefined): LaunchVersion | undefined => launch?.versions.findLast(({ commit }) => commit.t <= finalAt);
  for (const life of witnesses.lives) {
    if (life.start.t > finalAt || livedUntil(life, beatGapMs) < finalAt - (life.exit === undefined ? beatGapMs : 0)) continue;
    alive.add(life.launch);
    const launch = registry.launches.get(life.launch);
    if (!evidence.isInReach(launch?.agent ?? life.agent)) continue;
    tally.tested();
    const version = rowOf(launch);
    const isOver = version?.row === undefined || isEnd(version.row.latest);
    if (!isOver || (version !== undefined && evidence.faults.deadline(version.commit.t, settleMs) > finalAt)) continue;
    tally.violated(`${life.task} runs, and the registry has ${version?.row === undefined ? "nothing of it" : `it as ${version.row.latest}`}`, life.start);
  }
  for (const launch of registry.launches.values()) {
    const version = rowOf(launch);
    if (version?.row === undefined || isEnd(version.row.latest) || alive.has(launch.launch) || !evidence.isInReach(launch.agent)) continue;
    const ended = witnesses.byTask.get(launch.task)?.at(-1)?.exit?.t ?? -Infinity;
    if (evidence.faults.deadline(Math.max(version.commit.t, ended), settleMs) > finalAt) continue;
    tally.violated(`the registry has ${launch.task} as ${version.row.latest}, and it does not run`, version.commit);
  }
}

/** One key for each master that stands for election. */
function candidateKeys(tally: Tally, evidence: Evidence): void {
  const keys = new Set<string>();
  for (const { value, t } of evidence.of("candidates")) {
    if (t > evidence.horizon) break;
    value.added.forEach((key) => keys.add(key));
    value.removed.forEach((key) => keys.delete(key));
  }
  const masters = Map.groupBy(keys, (key) => key.replace(/^.*cand\//, "").replace(/\.[^.]*\.[^.]*$/, ""));
  for (const [master, all] of masters) if (all.length > 1) tally.violated(`${master} is left with ${all.length} candidate keys: ${all.join(", ")}`);
}

function isPresent(evidence: Evidence, agent: string): boolean {
  return evidence.registry.agents.get(agent)?.at(-1)?.standing === "in";
}
