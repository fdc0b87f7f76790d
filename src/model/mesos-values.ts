/** Values that resources and attributes share, as Mesos messages. */
import type { Value_Ranges } from "../wire/gen/mesos/v1/mesos.ts";
import { type Checked, accept, refuse } from "./checked.ts";
import { type Ranges, coalesce, overlapping, rangeError } from "./ranges.ts";

/** Ranges of one value: every change of what is free on an agent copies them. */
export const MAX_RANGES = 10_000;

/** Refuses missing ends, numbers from 2^53 on (Mesos has 64 bits), reversed and overlapping ranges. */
export function rangesFromMesos(ranges: Value_Ranges): Checked<Ranges> {
  if (ranges.range.length > MAX_RANGES) return refuse(`there are more than ${MAX_RANGES} ranges`);
  const pairs: number[] = [];
  for (const { begin, end } of ranges.range) {
    if (begin === undefined || end === undefined) return refuse("a range lacks its begin or end");
    // A bigint from 2^53 on becomes a number that is not a safe integer, which `rangeError` refuses.
    const error = rangeError(Number(begin), Number(end));
    if (error !== undefined) return refuse(error);
    pairs.push(Number(begin), Number(end));
  }
  return overlapping(pairs) ? refuse("ranges overlap") : accept(coalesce(pairs));
}

export function rangesToMesos(ranges: Ranges): Value_Ranges {
  const range: Value_Ranges["range"] = [];
  for (let i = 0; i < ranges.length; i += 2) range.push({ begin: BigInt(ranges[i]!), end: BigInt(ranges[i + 1]!) });
  return { range };
}
