/** The end of a run: one history of it, the verdicts, the report. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, isRed, type Verdict } from "../checkers/index.ts";
import type { HistoryEvent } from "../history/event.ts";
import { readWitnesses } from "./actors/witness-reader.ts";
import { type Judgement, judgementOf, type Paces, type Settings } from "./expectations.ts";
import { gather, HISTORY, openRun, RUN, upTo, writeHistory } from "./history-files.ts";
import { uptimeOffsetMs } from "./monotonic.ts";
import type { FaultKind } from "./nemesis/fault.ts";
import type { ObservedCluster } from "./observed-cluster.ts";
import { commandOf, type RunOrder, type Workload } from "./orders.ts";
import { recoveriesOf } from "./recoveries.ts";
import { byNumber } from "./report/page.ts";
import { writeReport } from "./report/report.ts";
import type { Stage } from "./stage.ts";

/** What is kept beside a history, so that it can be judged again. */
export interface RunRecord extends Judgement {
  readonly command: string;
  readonly seed: number;
  readonly startedAt: string;
  readonly network: string;
  /** Faults that the machine cannot do, and why. */
  readonly abilities: Stage["abilities"];
}

export interface Ending {
  readonly order: RunOrder;
  readonly stage: Stage;
  readonly observed: ObservedCluster;
  readonly endAt: number;
  readonly kinds: readonly FaultKind[];
  readonly settings: Settings;
  readonly paces: Paces;
  readonly workload: Workload;
  readonly demanded: Iterable<string>;
  /** Beside those of the faults: of recoveries that the run measures itself, in milliseconds. */
  readonly bounds?: Readonly<Record<string, number>>;
  readonly tell: (line: string) => void;
}

const startedAt = new Date().toISOString();

export function conclude({ order, stage, observed, endAt, kinds, settings, paces, workload, demanded, bounds, tell }: Ending): number {
  const offsetMs = uptimeOffsetMs();
  const witnesses = readWitnesses(observed.cluster.witnesses, offsetMs);
  const told = upTo([...gather(observed.histories), witnesses, observed.controls.stalls(offsetMs)], endAt);
  const events = upTo([told, recoveriesOf(told, new Map(kinds.map(({ name, answersAfter }) => [name, answersAfter])))], endAt);
  writeHistory(join(stage.report, HISTORY), events);
  rmSync(observed.histories, { recursive: true }); // all of it is in the one now
  const boundsMs = { ...Object.fromEntries(kinds.flatMap(({ name, boundMs }) => (boundMs === undefined ? [] : [[name, boundMs]]))), ...bounds };
  const judgement = judgementOf(events, { settings, paces, boundsMs, demanded: [...demanded], workload });
  const record: RunRecord = { command: commandOf(order), seed: order.seed, startedAt, network: observed.cluster.network.kind, abilities: stage.abilities, ...judgement };
  writeFileSync(join(stage.report, RUN), `${JSON.stringify(record, undefined, 2)}\n`);
  return judge(events, record, stage.report, tell);
}

/** A history that was kept, by today's checkers. */
export function judgeAgain(path: string, tell: (line: string) => void): number {
  const { directory, events, run } = openRun<RunRecord>(path);
  return judge(events, run, directory, tell);
}

function judge(events: readonly HistoryEvent[], record: RunRecord, directory: string, tell: (line: string) => void): number {
  const expected = new Set(record.expected);
  const verdicts = check(events, record.options);
  const red = verdicts.filter((verdict) => isRed(verdict, expected));
  writeReport({ directory, events, verdicts, red: red.map(({ invariant }) => invariant), record });
  for (const verdict of verdicts.toSorted(byNumber)) console.log(lineOf(verdict, expected));
  for (const { invariant, findings } of red) for (const { what, events: seqs } of findings.slice(0, 5)) console.log(`  ${invariant}: ${what}${seqs.length > 0 ? `  (events ${seqs.join(", ")})` : ""}`);
  console.log(red.length === 0 ? `held: ${events.length} events` : `NOT held: ${red.map(({ invariant }) => invariant).join(", ")}`);
  console.log(`again: ${record.command}`);
  tell(`report: ${join(directory, "report.html")}`);
  return red.length === 0 ? 0 : 1;
}

function lineOf(verdict: Verdict, expected: ReadonlySet<string>): string {
  const { invariant, outcome, tested, violations } = verdict;
  const word = outcome === "untested" && !expected.has(invariant) ? "not tested here" : outcome;
  return `${isRed(verdict, expected) ? "RED" : "   "} ${invariant.padEnd(10)} ${word.padEnd(15)} tested ${String(tested).padStart(6)}${violations > 0 ? `, violated ${violations} times` : ""}`;
}
