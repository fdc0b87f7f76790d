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
