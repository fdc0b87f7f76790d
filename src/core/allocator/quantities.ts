/**
 * Scalar amounts per resource name, for shares: plain arrays indexed by a small number per name. Ranges and sets carry
 * no weight in a fair share (as in Mesos), and exact resources are kept per agent, not here.
 */
import type { Resources } from "../../model/resources.ts";

/** Thousandths by index of `ResourceNames`; absent is 0. */
export type Amounts = number[];

/** Below this many names it is not worth looking for those out of use. */
const FEW_NAMES = 256;

/** Gives each scalar name met a small index. */
export class ResourceNames {
  readonly #indexes = new Map<string, number>();
  /** Indexes that were given back. */
  readonly #free: number[] = [];
  #manyAt = FEW_NAMES;

  indexOf(name: string): number {
    let index = this.#indexes.get(name);
    if (index === undefined) this.#indexes.set(name, (index = this.#free.pop() ?? this.#indexes.size));
    return index;
  }

  /**
   * Once there are many names: takes the indexes back of those that agents and tasks brought and that are gone with them.
   *
   * @param isUsed whether any amounts have anything at that index; all have 0 there else.
   */
  recycle(isUsed: (index: number) => boolean): void {
    if (this.#indexes.size < this.#manyAt) return;
    for (const [name, index] of this.#indexes) {
      if (isUsed(index)) continue;
      this.#indexes.delete(name);
      this.#free.push(index);
    }
    this.#manyAt = Math.max(FEW_NAMES, 2 * this.#indexes.size);
  }

  /** Adds `sign` times the scalars of `resources`. */
  accrue(amounts: Amounts, resources: Resources, sign: 1 | -1): void {
    for (const entry of resources.entries) {
      if (entry.kind !== "scalar") continue;
      const index = this.indexOf(entry.name);
      while (amounts.length <= index) amounts.push(0);
      amounts[index]! += sign * entry.value;
    }
  }

  /** Name to thousandths, without zeros. */
  byName(amounts: Amounts): Map<string, number> {
    const out = new Map<string, number>();
    for (const [name, index] of this.#indexes) if ((amounts[index] ?? 0) !== 0) out.set(name, amounts[index]!);
    return out;
  }
}

/**
 * Dominant share: the largest fraction that `amounts` takes of any resource in `total`, 0 to 1 unless over-committed.
 * Names of which there is nothing in total are ignored. DRF: Ghodsi et al. 2011.
 */
export function dominantShare(amounts: Amounts, total: Amounts): number {
  let share = 0;
  for (let i = 0; i < amounts.length; i++) {
    const whole = total[i] ?? 0;
    if (whole > 0) share = Math.max(share, amounts[i]! / whole);
  }
  return share;
}
