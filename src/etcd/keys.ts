/**
 * The key tree. Everything lies under one prefix (`mesarch/` unless configured), so that one watch and one permission
 * cover it; keys in the ports are relative to it.
 *
 *   mesarch/
 *     meta                            cluster id, generation, active format
 *     head                            the last batch: epoch, n, number of rows, cluster clock
 *     never                           nobody writes it: deleting it makes a transaction pass through Raft (2.6)
 *     cand/<name>.<incarnation>.<n>   candidates, on their master's lease; the only leased keys
 *     r/ q/ w/ m/                     roles, quota, weights, maintenance
 *     f/<framework>  a/<agent>        frameworks, agents
 *     t/<launch>  x/<run>  o/<uuid>   tasks, executor runs, operations
 *     l/<slot>  h/<framework>/<slot>  history of leaders and of finished tasks, rings
 */

export const HEAD = "head";
export const META = "meta";
export const NEVER = "never";
export const CANDIDATES = "cand/";
export const DEFAULT_PREFIX = "mesarch/";

/** Keys from `start` up to, not including, `end`. */
export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

/** Translates between the ports' relative keys and the store's. */
export class KeySpace {
  readonly all: KeyRange;
  readonly candidates: KeyRange;
  /** Everything but the candidates. */
  readonly rows: readonly KeyRange[];
  readonly #prefix: string;

  /** Throws a RangeError unless the prefix is plain ASCII that ends in "/". */
  constructor(prefix: string = DEFAULT_PREFIX) {
    if (!/^[\x21-\x7e]*\/$/.test(prefix)) throw new RangeError(`key prefix "${prefix}": plain ASCII ending in "/" is needed`);
    this.#prefix = prefix;
    this.all = prefixRange(this.key(""));
    this.candidates = prefixRange(this.key(CANDIDATES));
    this.rows = [
      { start: this.all.start, end: this.candidates.start },
      { start: this.candidates.end, end: this.all.end },
    ];
  }

  /** The store's key for a relative one. */
  key(relative: string): Buffer {
    return Buffer.from(this.#prefix + relative);
  }

  /** The relative key for one of the store's keys under the prefix. */
  relative(key: Buffer): string {
    return key.toString("utf8", this.#prefix.length);
  }
}

/** All keys that begin with `prefix`, whose last byte is below 0xff. */
function prefixRange(prefix: Buffer): KeyRange {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return { start: prefix, end };
}

/**
 * A key about `numerator/denominator` of the way through a range, for dividing it: keys are read as fractions of
 * whatever follows the bytes that both ends share. May equal an end when there is nothing between.
 */
export function keyBetween({ start, end }: KeyRange, numerator: number, denominator: number): Buffer {
  let shared = 0;
  while (shared < start.length && shared < end.length && start[shared] === end[shared]) shared += 1;
  const width = 8;
  const low = fraction(start, shared, width);
  const high = fraction(end, shared, width);
  const middle = low + ((high - low) * BigInt(numerator)) / BigInt(denominator);
  const tail = Buffer.alloc(width);
  tail.writeBigUInt64BE(middle);
  return Buffer.concat([start.subarray(0, shared), tail]);
}

function fraction(key: Buffer, offset: number, width: number): bigint {
  const bytes = Buffer.alloc(width);
  key.copy(bytes, 0, offset, offset + width);
  return bytes.readBigUInt64BE();
}
