/** A run's report, for programs and for people. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "../../checkers/index.ts";
import type { HistoryEvent } from "../../history/event.ts";
import type { RunRecord } from "../conclusion.ts";

export interface ReportInput {
  readonly directory: string;
  readonly events: readonly HistoryEvent[];
  readonly verdicts: readonly Verdict[];
  readonly record: RunRecord;
}

export function writeReport({ directory, verdicts, record }: ReportInput): void {
  writeFileSync(join(directory, "report.json"), JSON.stringify({ record, verdicts }, undefined, 2));
}
