/** A run's report, for programs and for people. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "../../checkers/index.ts";
import type { HistoryEvent } from "../../history/event.ts";
import type { RunRecord } from "../conclusion.ts";
import { factsOf } from "./facts.ts";
import { page } from "./page.ts";

export interface ReportInput {
  readonly directory: string;
  readonly events: readonly HistoryEvent[];
  readonly verdicts: readonly Verdict[];
  /** Invariants that make the run red. */
  readonly red: readonly string[];
  readonly record: RunRecord;
}

export interface Report {
  readonly json: string;
  readonly html: string;
}

export function report({ events, verdicts, red, record }: ReportInput): Report {
  const { options, expected, command, seed, startedAt, network, abilities } = record;
  const facts = factsOf(events, options.recoveryBoundsMs);
  const shown = new Set(verdicts.flatMap(({ findings }) => findings.flatMap((finding) => finding.events)));
  const { lives, answers, ...short } = facts;
  const json = { verdict: red.length === 0 ? "held" : "not held", red, command, seed, startedAt, network, expected, verdicts, ...short, answered: answers.length, lives };
  const html = page({
    facts,
    verdicts,
    expected: new Set(expected),
    red: new Set(red),
    events: new Map(events.filter(({ seq }) => shown.has(seq)).map((event) => [event.seq, event])),
    command,
    seed,
    startedAt,
    network,
    problems: abilities.flatMap(({ what, problem }) => (problem === undefined ? [] : [{ what, problem }])),
  });
  return { json: `${JSON.stringify(json)}\n`, html };
}

export function writeReport(input: ReportInput): void {
  const { json, html } = report(input);
  writeFileSync(join(input.directory, "report.json"), json);
  writeFileSync(join(input.directory, "report.html"), html);
}
