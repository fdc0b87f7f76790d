/** I12 and I13: what ran, what the registry says and what is left over agree in the end. */
import type { Evidence } from "./evidence.ts";
import { at, type Launch } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";
import { type Life, lastSeen } from "./witnesses.ts";

/** Longest grace of a kill in any workload, for what is killed without a call of a framework. */
const GRACE_MS = 10_000;

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
  const due = evidence.faults.deadline(exit.t, settleMs);
  if (due > evidence.end || !isPresent(evidence, launch.agent)) return;
  tally.tested();
  const end = evidence.registry.end(launch);
  if (end === undefined || end.commit.t > due) {
    tally.violated(`${task} exited, and ${Math.round(due - exit.t)} ms later the registry does not say so`, exit);
  }
}

function reachesHost(tally: Tally, evidence: Evidence, life: Life, launch: Launch, { beatGapMs, settleMs }: CheckOptions): void {
  const end = evidence.registry.end(launch);
  if (end === undefined) return;
  const { t } = end.commit;
  const state = end.row?.state ?? end.past!;
  if (life.start.t > t && state !== "TASK_LOST") {
    tally.violated(`${life.task} started after the registry said ${state}`, end.commit, life.start);
    return;
  }
  // The agent has seen the process end before it says so; where the master concluded it, the agent must hear of it.
  const byAgent = end.row !== undefined && !end.row.settled && end.row.uuid !== "";
  const due = byAgent ? t + beatGapMs : evidence.faults.deadline(t, settleMs + GRACE_MS);
  if (due > evidence.end || (!byAgent && !isPresent(evidence, launch.agent))) return;
  tally.tested();
  if (lastSeen(life) > due) tally.violated(`${life.task} is ${state} in the registry, and still ran ${Math.round(lastSeen(life) - t)} ms later`, end.commit);
}

/** I13. Tested: final sweeps, and what was compared in them. Whatever is still broken then is left out. */
function nothingLeft(evidence: Evidence, options: CheckOptions): Verdict {
  const tally = new Tally("I13");
  const { finalAt, registry } = evidence;
  if (finalAt === undefined) return tally.verdict();
  tally.tested();
  for (const event of evidence.of("leftover")) tally.violated(`left over: ${event.value.what}`, event);
  candidateKeys(tally, evidence);
  const alive = new Set<string>();
  for (const life of evidence.witnesses.lives) {
    if (life.exit !== undefined || lastSeen(life) < finalAt - options.beatGapMs) continue;
    alive.add(life.launch);
    const launch = registry.launches.get(life.launch);
    if (registry.commits.length === 0 || isBroken(evidence, life.agent, finalAt)) continue;
    tally.tested();
    const row = launch === undefined ? undefined : registry.last(launch).row;
    // A removed framework's tasks are on their way out until they have ended; I21 sees to it that they do.
    if (row === undefined || isEnd(row.latest)) tally.violated(`${life.task} runs, and the registry has ${row === undefined ? "nothing of it" : `it as ${row.latest}`}`, life.start);
  }
  if (evidence.witnesses.lives.length === 0) return tally.verdict();
  for (const launch of registry.launches.values()) {
    const { row, commit } = registry.last(launch);
    if (row === undefined || isEnd(row.latest) || !isPresent(evidence, launch.agent) || isBroken(evidence, launch.agent, finalAt)) continue;
    if (evidence.faults.deadline(commit.t, options.settleMs) > finalAt) continue;
    tally.tested();
    if (!alive.has(launch.launch)) tally.violated(`the registry has ${launch.task} as ${row.latest}, and it does not run`, commit);
  }
  return tally.verdict();
}

/** One key for each master that stands for election. */
function candidateKeys(tally: Tally, evidence: Evidence): void {
  const keys = new Set<string>();
  for (const { value } of evidence.of("candidates")) {
    value.added.forEach((key) => keys.add(key));
    value.removed.forEach((key) => keys.delete(key));
  }
  const masters = Map.groupBy(keys, (key) => key.replace(/^.*cand\//, "").replace(/\.[^.]*\.[^.]*$/, ""));
  for (const [master, all] of masters) if (all.length > 1) tally.violated(`${master} is left with ${all.length} candidate keys: ${all.join(", ")}`);
}

function isPresent(evidence: Evidence, agent: string): boolean {
  return at(evidence.registry.agents.get(agent), Infinity)?.standing === "in";
}

function isBroken(evidence: Evidence, agent: string, t: number): boolean {
  const host = evidence.hostOf(agent);
  return evidence.faults.hit([`agent/${host}`, "agent/*", `host/${host}`, "host/*"], t, t);
}
