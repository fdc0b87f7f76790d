export interface BackoffOptions {
  /** Upper bound of the first pause, in milliseconds. Default 50. */
  readonly baseMs?: number;
  /** Upper bound of any pause, in milliseconds. Default 5000. */
  readonly maxMs?: number;
  /** Growth of the upper bound from one pause to the next. Default 2. */
  readonly factor?: number;
  /** No pause is shorter, in milliseconds. Default 0. */
  readonly minMs?: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * The pauses between attempts, in milliseconds, without end: exponential with full jitter, so that a crowd which lost
 * the same peer at the same moment does not come back at the same moment. Start a new iterator after a success.
 */
export function* backoff(options: BackoffOptions): Generator<number, never, void> {
  const { baseMs = 50, maxMs = 5000, factor = 2, minMs = 0, random } = options;
  for (let ceiling = Math.min(baseMs, maxMs); ; ceiling = Math.min(ceiling * factor, maxMs)) {
    yield Math.max(minMs, random() * ceiling);
  }
}
