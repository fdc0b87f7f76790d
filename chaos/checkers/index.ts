/** All checkers over one history, and what to make of their verdicts. */
import type { HistoryEvent } from "../history/event.ts";
import { assumptions } from "./assumptions.ts";
import { bounds } from "./bounds.ts";
import { core } from "./core.ts";
import { convergence } from "./convergence.ts";
import { coverage } from "./coverage.ts";
import { disturbance } from "./disturbance.ts";
import { Evidence } from "./evidence.ts";
import { frameworks } from "./frameworks.ts";
import { ids } from "./ids.ts";
import { isolation } from "./isolation.ts";
import { kills } from "./kills.ts";
import { launches } from "./launches.ts";
import { leadership } from "./leadership.ts";
import { membership } from "./membership.ts";
import { news } from "./news.ts";
import { offers } from "./offers.ts";
import { once } from "./once.ts";
import { reads } from "./reads.ts";
import { registry } from "./registry.ts";
import { resources } from "./resources.ts";
import { states } from "./states.ts";
import { updates } from "./updates.ts";
import { MAX_FINDINGS, type Checker, type CheckOptions, type Verdict } from "./verdict.ts";

export type { CheckOptions, Coverage, Finding, Policy, Verdict } from "./verdict.ts";

/** Assumptions first: if they do not hold, the rest says little. */
const CHECKERS: readonly Checker[] = [
  assumptions,
  leadership,
  registry,
  ids,
  launches,
  states,
  once,
  disturbance,
  kills,
  convergence,
  resources,
  offers,
  updates,
  frameworks,
  membership,
  reads,
  news,
  isolation,
  core,
  bounds,
  coverage,
];

export function check(events: readonly HistoryEvent[], options: CheckOptions): Verdict[] {
  const evidence = new Evidence(events);
  return CHECKERS.flatMap((checker) => checker(evidence, options));
}

/** What a long campaign of simulated runs must put to the test. Of a real run that is for its conditions to say. */
export const SHOWN_IN_SIMULATION: ReadonlySet<string> = new Set([
  "history",
  "complaints",
  "coverage",
  ...Array.from({ length: 26 }, (_, index) => `I${index + 1}`).filter((name) => name !== "I16"),
  "I29",
]);

/** Violated, or not put to the test though it was expected to be. */
export function isRed({ invariant, outcome }: Verdict, expected: ReadonlySet<string>): boolean {
  return outcome === "violated" || (outcome === "untested" && expected.has(invariant));
}

/** The verdicts of many runs as one for each invariant: the worst counts, and what one run tested is tested. */
export function combined(runs: Iterable<readonly Verdict[]>): Verdict[] {
  const all = new Map<string, Verdict>();
  for (const verdict of [...runs].flat()) {
    const before = all.get(verdict.invariant);
    all.set(verdict.invariant, before === undefined ? verdict : sum(before, verdict));
  }
  return [...all.values()];
}

function sum(a: Verdict, b: Verdict): Verdict {
  const outcomes = [a.outcome, b.outcome];
  return {
    invariant: a.invariant,
    outcome: outcomes.includes("violated") ? "violated" : outcomes.includes("held") ? "held" : "untested",
    // What one run left out is of no interest once another did it.
    findings: [a, b].filter(({ outcome }) => outcome === "violated").flatMap(({ findings }) => findings).slice(0, MAX_FINDINGS),
    violations: a.violations + b.violations,
    tested: a.tested + b.tested,
  };
}
