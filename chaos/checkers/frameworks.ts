/** I20 and I21: how long a framework may be away, and that what was removed stays removed. */
import type { HistoryEvent } from "../history/event.ts";
import { compareEpochTexts } from "./epochs.ts";
import type { Evidence } from "./evidence.ts";
import { type FrameworkVersion, lasting } from "./registry-log.ts";
import { type CheckOptions, type Policy, PRODUCTION, Tally, type Verdict } from "./verdict.ts";
import { livedUntil } from "./witnesses.ts";

/** The cluster clock counts whole seconds (11.1). */
const CLOCK_MS = 1_000;
/** Longest grace of a kill in any workload, for what is killed without a call of a framework. */
const GRACE_MS = 10_000;

export function frameworks(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  return [patience(evidence, options), removedForEver(evidence, options)];
}

/** I20. Tested: frameworks that were written as away, and what became of them. */
function patience(evidence: Evidence, options: CheckOptions): Verdict {
  const tally = new Tally("I20");
  const policy = { ...PRODUCTION, ...options.policy };
  const begun = epochsBegun(evidence);
  for (const [framework, versions] of evidence.registry.frameworks) {
    const timeouts = timeoutsOf(evidence, framework);
    if (timeouts === undefined) continue;
    let subscribed: FrameworkVersion | undefined;
    let away: FrameworkVersion | undefined;
    for (const version of lasting(versions)) {
      if (version.standing === "subscribed") {
        if (away !== undefined) tally.tested();
        subscribed = version;
        away = undefined;
      } else if (version.standing === "disconnected") away = version;
      else if (version.standing === "removed") {
        if (!isTornDown(evidence, framework, version.commit.t)) {
          tally.tested();
          notEarly(tally, evidence, { framework, subscribed, away, version, least: timeouts.least, begun, policy });
        }
        away = undefined;
        break;
      }
    }
    if (away !== undefined) notLate(tally, evidence, framework, away, Math.max(timeouts.most, policy.lostByMasterGraceMs), options);
  }
  return tally.verdict();
}

interface Removal {
  readonly framework: string;
  readonly subscribed: FrameworkVersion | undefined;
  readonly away: FrameworkVersion | undefined;
  readonly version: FrameworkVersion;
  /** The least it ever asked for. */
  readonly least: number;
  readonly begun: ReadonlyMap<string, number>;
  readonly policy: Policy;
}

function notEarly(tally: Tally, evidence: Evidence, { framework, subscribed, away, version, least, begun, policy }: Removal): void {
  const { commit } = version;
  const from = subscribed?.commit.epoch;
  const by = (away ?? version).commit.epoch;
  // Whom a failover cut off gets at least the grace, counted from when the new leadership began (5.2, 10.5).
  const isNewer = from !== undefined && by !== undefined && compareEpochTexts(by, from) > 0;
  // One without patience may have come back to that one and left again within one batch, which shows the end of it only.
  const isCutOff = isNewer && !(away === undefined && asksToSubscribe(evidence, framework, begun.get(by) ?? commit.t, commit.t));
  const owed = isCutOff ? Math.max(least, policy.lostByMasterGraceMs) : least;
  const since = isCutOff ? (begun.get(by) ?? commit.t) : (away?.commit.t ?? commit.t);
  const had = commit.t - since;
  if (had >= owed - CLOCK_MS) return;
  tally.violated(`${framework} was removed after ${Math.round(had)} ms away, and may be away for ${owed} ms`, away?.commit, commit);
}

function asksToSubscribe(evidence: Evidence, framework: string, from: number, to: number): boolean {
  return evidence.calls("subscribe").some(({ value, outcome, invokedAt }) => value.framework === framework && outcome !== "fail" && invokedAt >= from && invokedAt <= to);
}

function notLate(tally: Tally, evidence: Evidence, framework: string, away: FrameworkVersion, longest: number, { settleMs }: CheckOptions): void {
  // The cluster clock stands still while nobody leads, so a time with faults in it says nothing.
  const due = evidence.faults.deadline(away.commit.t, longest + settleMs);
  if (due > evidence.end) return;
  tally.tested();
  tally.violated(`${framework} is away since revision ${away.revision}, and was not removed within ${longest} ms`, away.commit);
}

function timeoutsOf(evidence: Evidence, framework: string): { least: number; most: number } | undefined {
  const asked = evidence.calls("subscribe").filter(({ value, outcome }) => value.framework === framework && outcome !== "fail");
  if (asked.length === 0) return undefined;
  const all = asked.map(({ value }) => value.failoverTimeoutMs);
  return { least: Math.min(...all), most: Math.max(...all) };
}

function isTornDown(evidence: Evidence, framework: string, before: number): boolean {
  return evidence.calls("teardown").some(({ value, outcome, invokedAt }) => value.framework === framework && outcome !== "fail" && invokedAt <= before);
}

/** When each epoch first showed. */
export function epochsBegun(evidence: Evidence): ReadonlyMap<string, number> {
  const begun = new Map<string, number>();
  for (const { epoch, t } of evidence.events) if (epoch !== undefined && !begun.has(epoch)) begun.set(epoch, t);
  return begun;
}

/** I21. Tested: removals, of frameworks and of agents. */
function removedForEver(evidence: Evidence, options: CheckOptions): Verdict {
  const tally = new Tally("I21");
  for (const [framework, all] of evidence.registry.frameworks) {
    const versions = lasting(all);
    const removed = versions.find(({ standing }) => standing === "removed");
    if (removed === undefined) continue;
    tally.tested();
    const back = versions.find(({ revision, standing }) => revision > removed.revision && standing !== undefined && standing !== "removed");
    if (back !== undefined) tally.violated(`${framework} was removed, and is ${back.standing} again at revision ${back.revision}`, removed.commit, back.commit);
    staysOut(tally, evidence, framework, removed.commit);
    tasksDie(tally, evidence, framework, removed.commit.t, options);
  }
  for (const [agent, all] of evidence.registry.agents) {
    const versions = lasting(all);
    const gone = versions.find(({ standing }) => standing === "gone");
    if (gone === undefined) continue;
    tally.tested();
    const back = versions.find(({ revision, standing }) => revision > gone.revision && standing !== undefined && standing !== "gone");
    if (back !== undefined) tally.violated(`${agent} was gone, and is ${back.standing} again at revision ${back.revision}`, gone.commit, back.commit);
    for (const launch of evidence.registry.byAgent.get(agent) ?? []) {
      const first = launch.versions[0]!;
      if (first.revision > gone.revision && first.row?.state === "TASK_STAGING") tally.violated(`${launch.task} was launched on ${agent}, which was gone`, gone.commit, first.commit);
    }
  }
  return tally.verdict();
}

/** By the time the watcher tells of the removal it is written, so whoever asks then has to be refused. */
function staysOut(tally: Tally, evidence: Evidence, framework: string, removed: HistoryEvent): void {
  for (const op of ["subscribe", "launch"] as const) {
    for (const { value, outcome, invokedAt, end } of evidence.calls(op)) {
      if (value.framework === framework && outcome === "ok" && invokedAt > removed.t) tally.violated(`${framework} was removed, and a ${op} of it was accepted later`, removed, end);
    }
  }
}

function tasksDie(tally: Tally, evidence: Evidence, framework: string, removedAt: number, { settleMs, beatGapMs }: CheckOptions): void {
  for (const life of evidence.witnesses.lives) {
    const launch = evidence.registry.launches.get(life.launch);
    if (launch?.framework !== framework) continue;
    const due = evidence.faults.deadline(removedAt, settleMs + GRACE_MS);
    // An agent that is away kills them when it returns.
    if (due > evidence.end || evidence.registry.agents.get(launch.agent)?.at(-1)?.standing !== "in") continue;
    if (livedUntil(life, beatGapMs) > due) tally.violated(`${life.task} still ran ${Math.round(due - removedAt)} ms after ${framework} was removed`, life.start);
  }
}
