/** What is left of many measurements of one thing. */
export interface Summary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly rounds: number;
}

/** Nearest rank, so that every number shown was measured. */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) return NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

export function summarize(samples: readonly number[]): Summary {
  const at = (share: number): number => round(percentile(samples, share));
  return { p50: at(0.5), p99: at(0.99), max: at(1), rounds: samples.length };
}

/** One digit after the point is all these measurements are good for. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Of fewer than a hundred, the highest but one percent is the highest: said as what it is. */
export function high({ p99, max, rounds }: Summary): { readonly name: "p99" | "max"; readonly value: number } {
  return rounds < 100 ? { name: "max", value: max } : { name: "p99", value: p99 };
}

/** `p50 12 ms  p99 30 ms  max 41 ms of 100`, without what so few rounds cannot tell. */
export function spread(summary: Summary): string {
  const p99 = summary.rounds < 100 ? "" : `  p99 ${summary.p99} ms`;
  return `p50 ${summary.p50} ms${p99}  max ${summary.max} ms of ${summary.rounds}`;
}
