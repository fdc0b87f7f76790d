/**
 * Sets of whole numbers kept as closed ranges, such as ports. A value is a flat list of begin, end pairs: sorted,
 * disjoint and coalesced (no pair touches the next), so equal sets are equal lists.
 */
import { type Checked, accept, refuse } from "./checked.ts";

export type Ranges = readonly number[];

export const NO_RANGES: Ranges = Object.freeze([]);

/** Sorts and coalesces pairs given in any order, overlapping or not. */
export function coalesce(pairs: readonly number[]): Ranges {
  const order: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) order.push(i);
  order.sort((a, b) => pairs[a]! - pairs[b]!);
  const out: number[] = [];
  for (const i of order) append(out, pairs[i]!, pairs[i + 1]!);
  return out;
}

/** Whether two of the given pairs share a number. */
export function overlapping(pairs: readonly number[]): boolean {
  return countOf(coalesce(pairs)) !== countOf(pairs);
}

/** All numbers of either. */
export function unionOf(a: Ranges, b: Ranges): Ranges {
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (j >= b.length || (i < a.length && a[i]! <= b[j]!)) {
      append(out, a[i]!, a[i + 1]!);
      i += 2;
    } else {
      append(out, b[j]!, b[j + 1]!);
      j += 2;
    }
  }
  return out;
}

/** The numbers of `a` that are not in `b`. */
export function differenceOf(a: Ranges, b: Ranges): Ranges {
  const out: number[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let begin = a[i]!;
    const end = a[i + 1]!;
    while (j < b.length && b[j + 1]! < begin) j += 2;
    for (let k = j; k < b.length && b[k]! <= end; k += 2) {
      if (b[k]! > begin) out.push(begin, b[k]! - 1);
      begin = b[k + 1]! + 1;
    }
    if (begin <= end) out.push(begin, end);
  }
  return out;
}

/** Whether every number of `b` is in `a`. Coalesced, so each range of `b` must lie within one range of `a`. */
export function includesRanges(a: Ranges, b: Ranges): boolean {
  let i = 0;
  for (let j = 0; j < b.length; j += 2) {
    while (i < a.length && a[i + 1]! < b[j]!) i += 2;
    if (i >= a.length || a[i]! > b[j]! || a[i + 1]! < b[j + 1]!) return false;
  }
  return true;
}

/** Whether the two share a number. */
export function rangesMeet(a: Ranges, b: Ranges): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i + 1]! < b[j]!) i += 2;
    else if (b[j + 1]! < a[i]!) j += 2;
    else return true;
  }
  return false;
}

/** How many numbers there are. */
export function countOf(ranges: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < ranges.length; i += 2) count += ranges[i + 1]! - ranges[i]! + 1;
  return count;
}

/** Reads `[1-5, 8-8]`; overlapping ranges are coalesced, as in Mesos. `[]` is empty. */
export function parseRanges(text: string): Checked<Ranges> {
  const inner = /^\[(.*)\]$/s.exec(text)?.[1];
  if (inner === undefined) return refuse(`'${text}' is not a list of ranges, such as [31000-32000]`);
  if (inner.trim() === "") return accept(NO_RANGES);
  const pairs: number[] = [];
  for (const part of inner.split(",")) {
    const match = /^(\d+)\s*-\s*(\d+)$/.exec(part.trim());
    if (match === null) return refuse(`'${part.trim()}' is not a range, such as 31000-32000`);
    const [begin, end] = [Number(match[1]), Number(match[2])];
    const error = rangeError(begin, end);
    if (error !== undefined) return refuse(error);
    pairs.push(begin, end);
  }
  return accept(coalesce(pairs));
}

/** Why a closed range is not acceptable, if so: ends are whole, from 0 to below 2^53, and in order. */
export function rangeError(begin: number, end: number): string | undefined {
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0 || end < 0) {
    return `range ${begin}-${end} is not within 0 to 2^53 - 1`;
  }
  return begin > end ? `range ${begin}-${end} begins after its end` : undefined;
}

export function rangesText(ranges: Ranges): string {
  const parts: string[] = [];
  for (let i = 0; i < ranges.length; i += 2) parts.push(`${ranges[i]}-${ranges[i + 1]}`);
  return `[${parts.join(",")}]`;
}

/** Adds a range that begins no earlier than those already in `out`. */
function append(out: number[], begin: number, end: number): void {
  const last = out.length - 1;
  if (last > 0 && begin <= out[last]! + 1) {
    if (end > out[last]!) out[last] = end;
  } else {
    out.push(begin, end);
  }
}
