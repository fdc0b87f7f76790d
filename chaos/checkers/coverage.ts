/** Whether the run did what it was for: one that exercised nothing has shown nothing. */
import { CALL_NAMES } from "../history/vocabulary.ts";
import type { Evidence } from "./evidence.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";

/** Tested: demands that were met. */
export function coverage(evidence: Evidence, { coverage: wanted = {} }: CheckOptions): readonly Verdict[] {
  const tally = new Tally("coverage");
  const demand = (what: string, least: number, count: number): void => {
    if (count >= least) tally.tested();
    else tally.missing(`${what}: ${count}, and ${least} were to be`);
  };
  for (const op of CALL_NAMES) {
    const calls = evidence.calls(op);
    const done = calls.filter(({ outcome }) => outcome === "ok").length;
    const least = Math.max(calls.length > 0 ? 1 : 0, wanted.calls?.[op] ?? 0);
    if (least > 0) demand(`${op} done`, least, done);
  }
  const faults = Map.groupBy(evidence.of("fault").filter(({ value }) => value.on), ({ value }) => value.name);
  for (const [name, least] of Object.entries(wanted.faults ?? {})) demand(`fault ${name}`, least, faults.get(name)?.length ?? 0);
  const marks = new Set(evidence.of("mark").map(({ value }) => value.name));
  for (const name of wanted.marks ?? []) demand(`mark "${name}"`, 1, marks.has(name) ? 1 : 0);
  if (wanted.failovers !== undefined) demand("failovers", wanted.failovers, failovers(evidence));
  if (wanted.fenced !== undefined) demand("fenced writes refused", wanted.fenced, evidence.of("fenced").length);
  if (wanted.redeliveries !== undefined) demand("updates told again", wanted.redeliveries, redeliveries(evidence));
  return [tally.verdict()];
}

function failovers(evidence: Evidence): number {
  return Math.max(0, new Set(evidence.registry.commits.flatMap(({ epoch }) => epoch ?? [])).size - 1);
}

function redeliveries(evidence: Evidence): number {
  const told = evidence.of("update").filter(({ value }) => value.uuid !== "");
  return told.length - new Set(told.map(({ value }) => value.uuid)).size;
}
