/** By what a run is judged, and what it must have put to the test. */
import type { CheckOptions, Coverage } from "../checkers/index.ts";
import type { HistoryEvent } from "../history/event.ts";
import type { Workload } from "./orders.ts";

/** What each run shows, whatever was broken in it. */
const ALWAYS = ["history", "complaints", "coverage", "I1", "I3", "I5", "I6", "I7", "I8", "I12", "I13", "I14", "I15", "I16", "I17", "I19", "I24", "I25", "I27", "I29"];

/** Longest gap of a witness that nobody notices. */
const BEAT_GAP_MS = 1_000;

/** How long the quiet parts of a run are. */
export interface Paces {
  /** Before anything is broken: enough launches, and samples of memory, to know what is usual. */
  readonly quietMs: number;
  /** Healed, ends and registry have to agree within this (I12), and leadership is not to change any more (I29). */
  readonly settleMs: number;
  /** At rest, before the last readings. */
  readonly restMs: number;
}

/** A short run is for a look, and should be one. */
export function pacesOf(chaosMs: number): Paces {
  return chaosMs < 30_000 ? { quietMs: 3_000, settleMs: 8_000, restMs: 2_500 } : { quietMs: 8_000, settleMs: 15_000, restMs: 5_000 };
}

export interface Settings {
  readonly masterFlags: readonly string[];
  readonly agentFlags: readonly string[];
  readonly agentPingTimeoutMs: number;
}

/** Impatient enough that a run of minutes sees what production sees in hours. */
export const IMPATIENT: Settings = {
  masterFlags: ["--agent-ping-interval=2s", "--agent-ping-timeout=8s", "--launch-resend=5s", "--resubscribe-window=5s", "--scheduler-heartbeat=2s"],
  agentFlags: ["--update-retry=1s", "--update-retry-max=5s"],
  agentPingTimeoutMs: 8_000,
};

export const AS_IN_PRODUCTION: Settings = { masterFlags: [], agentFlags: [], agentPingTimeoutMs: 75_000 };

export interface Judgement {
  readonly options: CheckOptions;
  readonly expected: readonly string[];
}

export interface Conditions {
  readonly settings: Settings;
  readonly paces: Paces;
  readonly boundsMs: Readonly<Record<string, number>>;
  /** Faults that were asked for by name must have come about. */
  readonly demanded: readonly string[];
  readonly workload: Workload;
}

/** From so many launches on, what happens at times has happened. */
const MANY_LAUNCHES = 80;

export function judgementOf(events: readonly HistoryEvent[], { settings, paces, boundsMs, demanded, workload }: Conditions): Judgement {
  const struck = faultsOf(events);
  const launches = events.filter(({ op, kind }) => op === "launch" && kind === "ok").length;
  const isLong = workload === "mixed" && launches >= MANY_LAUNCHES;
  const options: CheckOptions = {
    recoveryBoundsMs: boundsMs,
    beatGapMs: BEAT_GAP_MS,
    settleMs: paces.settleMs,
    calmMs: paces.settleMs,
    policy: { unreachableAfterMs: settings.agentPingTimeoutMs },
    coverage: coverageOf(struck, demanded, isLong),
  };
  return { options, expected: expectedOf(struck, boundsMs, isLong) };
}

interface Strikes {
  readonly names: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;
}

function faultsOf(events: readonly HistoryEvent[]): Strikes {
  const faults = events.flatMap((event) => (event.op === "fault" && event.value.on ? [event.value] : []));
  return { names: new Set(faults.map(({ name }) => name)), targets: new Set(faults.flatMap(({ targets }) => targets)) };
}

function coverageOf({ names }: Strikes, demanded: readonly string[], isLong: boolean): Coverage {
  const faults = Object.fromEntries(demanded.filter((name) => ![...names].some((each) => each.startsWith(`${name} `))).map((name) => [name, 1]));
  const changes = [...names].some(changesLeader);
  return { faults, calls: { launch: 3 }, ...(changes && { failovers: 1 }), ...(isLong && { redeliveries: 1 }) };
}

function expectedOf({ names, targets }: Strikes, boundsMs: Readonly<Record<string, number>>, isLong: boolean): string[] {
  const expected = [...ALWAYS];
  const hits = (prefix: string): boolean => [...targets].some((target) => target.startsWith(prefix));
  if ([...names].some(changesLeader)) expected.push("I2", "I4", "I23");
  if (["master/", "etcd/", "link/", "framework/"].some(hits)) expected.push("I9");
  if (hits("agent/")) expected.push("I10");
  if (isLong) expected.push("I11", "I18", "I21", "I26");
  if (names.has("kill-framework")) expected.push("I20");
  if (names.has("cut-agent-for-long")) expected.push("I22");
  if ([...names].some((name) => boundsMs[name] !== undefined)) expected.push("I28");
  return expected;
}

/** Faults after which somebody else leads, if there is anybody else. */
function changesLeader(name: string): boolean {
  return /^(kill|stop|lose)-(leader|both|successors|all-masters|all-daemons)/.test(name) || /^(restart-everything|roll-versions|restore-backup)/.test(name);
}
