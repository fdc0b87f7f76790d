import { parseEpoch } from "../checkers/epochs.ts";

/**
 * A store that was set back gives out revisions anew. A history has one scale for them: what a store says after a
 * restore stands above everything it had said before.
 */
export class RevisionScale {
  readonly #lines: { readonly offset: number; generation: number }[] = [{ offset: 0, generation: 0 }];

  /** What the store calls `revision`; now, or in the days of `epoch`. 0 is no revision. */
  of(revision: number, epoch?: string): number {
    const present = this.#lines.at(-1)!;
    if (revision === 0) return 0;
    if (epoch === undefined || this.#lines.length === 1) return revision + present.offset;
    const { generation } = parseEpoch(epoch);
    return revision + this.#lines.findLast((line) => line.generation <= generation)!.offset;
  }

  /** The store was at `from`, and is at `to` again. */
  setBack(from: number, to: number): void {
    this.#lines.push({ offset: this.of(from) + 1 - to, generation: Infinity });
  }

  /** What is written from now on is of this generation. */
  begins(generation: number): void {
    this.#lines.at(-1)!.generation = generation;
  }
}
