/** I29: what was healed, all of it or a core, gives everybody what fits, and rests. */
import type { Evidence } from "./evidence.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";

/** Tested: those who were asked what they still want, and times of calm. */
export function core(evidence: Evidence, { calmMs }: CheckOptions): readonly Verdict[] {
  const tally = new Tally("I29");
  for (const event of evidence.of("wishes")) {
    tally.tested();
    const { of, open } = event.value;
    if (open.length > 0) tally.violated(`${of} did not get what it wants: ${open.join("; ")}`, event);
  }
  const { finalAt } = evidence;
  const calmAt = (evidence.phaseAt("healed") ?? Infinity) + (calmMs ?? Infinity);
  // A machine that stands still looks like masters that do.
  if (finalAt === undefined || calmAt >= finalAt || evidence.of("hostStall").some(({ t }) => t > calmAt)) return [tally.verdict()];
  tally.tested();
  for (const event of evidence.of("leads")) {
    if (event.t > calmAt && event.t < finalAt) tally.violated(`${event.value.master} began to lead after it should have been calm`, event);
  }
  return [tally.verdict()];
}
