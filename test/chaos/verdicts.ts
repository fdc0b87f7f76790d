/** What tests ask of verdicts. */
import type { ExecutionContext } from "ava";
import { check, type CheckOptions, type Verdict } from "../../chaos/checkers/index.ts";
import type { HistoryEvent } from "../../chaos/history/event.ts";
import type { Story } from "./history-builder.ts";

export const OPTIONS: CheckOptions = { recoveryBoundsMs: { killMaster: 2_000 }, beatGapMs: 1_000, settleMs: 10_000, calmMs: 10_000 };

export function verdictOn(events: readonly HistoryEvent[], invariant: string, options = OPTIONS): Verdict {
  return check(events, options).find((verdict) => verdict.invariant === invariant)!;
}

export function violated(events: readonly HistoryEvent[], options = OPTIONS): string[] {
  return check(events, options).flatMap(({ invariant, outcome, findings }) => (outcome === "violated" ? findings.map(({ what }) => `${invariant}: ${what}`) : []));
}

/** The invariant was broken, and the finding says how. */
export function rejected(t: ExecutionContext, story: Story, invariant: string, how: RegExp, options: Partial<CheckOptions> = {}): void {
  const verdict = verdictOn(story.events, invariant, { ...OPTIONS, ...options });
  t.is(verdict.outcome, "violated");
  const findings = verdict.findings.map(({ what }) => what);
  t.true(findings.some((what) => how.test(what)), findings.join("\n"));
  const known = new Set(story.events.map(({ seq }) => seq));
  t.true(verdict.findings.every(({ events }) => events.every((seq) => known.has(seq))));
}

/** The invariant was put to the test and held, and so did all others. */
export function accepted(t: ExecutionContext, story: Story, invariant: string, options: Partial<CheckOptions> = {}): void {
  const all = { ...OPTIONS, ...options };
  t.deepEqual(violated(story.events, all), []);
  t.is(verdictOn(story.events, invariant, all).outcome, "held");
}

/** Nothing in it could have broken the invariant. */
export function untested(t: ExecutionContext, story: Story, invariant: string, options: Partial<CheckOptions> = {}): void {
  t.is(verdictOn(story.events, invariant, { ...OPTIONS, ...options }).outcome, "untested");
}
