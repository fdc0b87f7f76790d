/** I27, I28 and I30: what things may cost, and how long they may take. */
import type { EventOf } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";

/** Back to rest within this, of what it was at rest before. */
const REST = 1.1;
/** Memory of garbage-collected programs and descriptors of short use come and go by this much. */
const SLACK = { MB: 48, descriptors: 16 } as const;

const SLOWER = 3;
/** Below this nobody can tell latencies apart. */
const LATENCY_FLOOR_MS = 10;
const LEAST_SAMPLES = 20;

export function bounds(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  return [backToRest(evidence), recoveries(evidence, options), latency(evidence)];
}

/**
 * I27. Tested: processes that were seen at rest afterwards, and others of their kind before: who leads, or has many tasks,
 * may be another one than before.
 */
function backToRest(evidence: Evidence): Verdict {
  const tally = new Tally("I27");
  const chaosAt = evidence.phaseAt("chaos") ?? -Infinity;
  const restAt = evidence.phaseAt("settled") ?? evidence.finalAt ?? Infinity;
  const seenBefore = Map.groupBy(evidence.of("process").filter(({ t }) => t < chaosAt), ({ value }) => kindOf(value.name));
  const seenAfter = Map.groupBy(evidence.of("process").filter(({ t }) => t >= restAt), ({ value }) => value.name);
  for (const [name, after] of seenAfter) {
    const before = seenBefore.get(kindOf(name));
    if (before === undefined) continue;
    tally.tested();
    for (const what of ["MB", "descriptors"] as const) {
      const [rest, now] = [Math.max(...before.map((event) => taken(event, what))), median(after, what)];
      const limit = rest * REST + SLACK[what];
      if (now > limit) tally.violated(`${name} rests at ${Math.round(now)} ${what}, and none of its kind at more than ${Math.round(rest)} before`, after.at(-1));
    }
  }
  return tally.verdict();
}

function taken({ value }: EventOf<"process">, what: "MB" | "descriptors"): number {
  return what === "MB" ? (value.heldMb ?? value.rssMb) : value.descriptors;
}

/** "master" of "master/m1". */
function kindOf(name: string): string {
  return name.split("/")[0]!;
}

function median(events: readonly EventOf<"process">[], what: "MB" | "descriptors"): number {
  const sorted = events.map((event) => taken(event, what)).sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** I28. Tested: recoveries from faults that have a bound. */
function recoveries(evidence: Evidence, { recoveryBoundsMs }: CheckOptions): Verdict {
  const tally = new Tally("I28");
  const measured = Map.groupBy(evidence.of("recovery"), ({ value }) => value.fault);
  for (const [fault, all] of measured) {
    const bound = recoveryBoundsMs[fault];
    if (bound === undefined) continue;
    tally.tested(all.length);
    for (const event of all) {
      if (event.value.ms > bound) tally.violated(`recovery from ${fault} took ${Math.round(event.value.ms)} ms, and may take ${bound}`, event);
    }
  }
  // What never recovered has no duration.
  for (const event of evidence.of("fault")) {
    const { name, on } = event.value;
    const bound = recoveryBoundsMs[name];
    if (!on || bound === undefined || event.t + bound > evidence.horizon) continue;
    if ((measured.get(name) ?? []).some(({ t }) => t >= event.t)) continue;
    tally.violated(`nothing tells of a recovery from ${name} of ${event.value.targets.join(", ")}`, event);
  }
  return tally.verdict();
}

/** I30. Tested: launches while one member of the store was down, once there are enough of them and of quiet ones. */
function latency(evidence: Evidence): Verdict {
  const tally = new Tally("I30");
  const quiet: number[] = [];
  const oneDown: number[] = [];
  for (const { outcome, invokedAt, endedAt } of evidence.calls("launch")) {
    if (outcome !== "ok") continue;
    const meanwhile = evidence.faults.all.filter(({ from, to }) => from <= endedAt && to >= invokedAt);
    const [only] = meanwhile;
    if (only === undefined) quiet.push(endedAt - invokedAt);
    // Not in its first moments, which are the recovery's (I28).
    else if (meanwhile.length === 1 && only.target.startsWith("etcd/") && invokedAt >= only.from + LEAST_DOWN_MS) oneDown.push(endedAt - invokedAt);
  }
  if (quiet.length < LEAST_SAMPLES || oneDown.length < LEAST_SAMPLES) return tally.verdict();
  tally.tested(oneDown.length);
  const [healthy, hurt] = [p99(quiet), p99(oneDown)];
  if (hurt > SLOWER * Math.max(healthy, LATENCY_FLOOR_MS)) {
    tally.violated(`99 of 100 launches took ${Math.round(hurt)} ms at most with a member of the store down, and ${Math.round(healthy)} ms with all of them`);
  }
  return tally.verdict();
}

const LEAST_DOWN_MS = 5_000;

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(0.99 * sorted.length) - 1]!;
}
