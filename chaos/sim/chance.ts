/** Chance by concern: each has a stream of its own, so that taking one fault out of a plan re-rolls nothing else. */
import { type Random, seededRandom } from "../../src/base/random.ts";

export class Chance {
  readonly #random: Random;

  constructor(seed: number, concern: string) {
    this.#random = seededRandom(hash(seed, concern));
  }

  /** For components of the product. */
  get random(): Random {
    return this.#random;
  }

  happens(probability: number): boolean {
    return this.#random.uniform() < probability;
  }

  between(low: number, high: number): number {
    return low + this.#random.uniform() * (high - low);
  }

  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random.uniform() * all.length)]!;
  }

  /** Mostly near `typical`, sometimes many times that. */
  tailed(typical: number): number {
    const u = this.#random.uniform();
    return u < 0.95 ? typical * (0.5 + u) : typical * (1 + (u - 0.95) * 200);
  }
}

/** FNV-1a over the label, started from the seed. */
function hash(seed: number, label: string): number {
  let state = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < label.length; i += 1) state = Math.imul(state ^ label.charCodeAt(i), 0x01000193) >>> 0;
  return Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0;
}
