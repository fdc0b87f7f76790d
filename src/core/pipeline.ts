/**
 * Persist before you speak (D2, rule 3.1): takes what each step wants to write and to say, hands out one batch at a
 * time, and releases the words, in order, once the batch sent after their step is durable.
 *
 * Synchronous and without I/O. The master runs it over the registry, the agent over its journal.
 */
export interface Atom<Write> {
  /** Rows that must become durable together (3.8). */
  readonly writes: readonly Write[];
  readonly bytes: number;
  /** Of these, the writes that make a row, and those that delete one. */
  readonly makes?: ReadonlySet<Write>;
  readonly deletes?: ReadonlySet<Write>;
}

export interface Bounds {
  readonly rows: number;
  readonly bytes: number;
}

export interface PipelineBatch<Write, Word> {
  /** Empty: a barrier. */
  readonly writes: readonly Write[];
  readonly bytes: number;
  /** How many atoms it carries: they are the oldest of those pushed and not yet durable. */
  readonly atoms: number;
  /** What the steps it completes want said. */
  readonly words: readonly Word[];
}

interface Pending<Write, Word> {
  readonly atoms: readonly Atom<Write>[];
  readonly words: readonly Word[];
  /** Atoms of this step already handed out. */
  sent: number;
}

export class Pipeline<Write, Word> {
  readonly #bounds: Bounds;
  readonly #rowKey: (write: Write) => string;
  #waiting: Pending<Write, Word>[] = [];
  #inFlight: PipelineBatch<Write, Word> | undefined;

  /** `rowKey` names the row a write goes to: later writes of one batch replace earlier ones to the same row (3.2). */
  constructor(bounds: Bounds, rowKey: (write: Write) => string) {
    this.#bounds = bounds;
    this.#rowKey = rowKey;
  }

  /** Takes one step's writes (atoms in order; every prefix is a legal state) and words. */
  push(atoms: readonly Atom<Write>[], words: readonly Word[]): void {
    if (atoms.length > 0 || words.length > 0) this.#waiting.push({ atoms, words, sent: 0 });
  }

  get busy(): boolean {
    return this.#inFlight !== undefined;
  }

  /** Steps not yet durable. */
  get depth(): number {
    return this.#waiting.length + (this.#inFlight === undefined ? 0 : 1);
  }

  /** The next batch to make durable; undefined while one is in flight or nothing waits. */
  next(): PipelineBatch<Write, Word> | undefined {
    if (this.#inFlight !== undefined || this.#waiting.length === 0) return undefined;
    const rows = new Map<string, Write>();
    const made = new Set<string>();
    const words: Word[] = [];
    let bytes = 0;
    let atoms = 0;
    let taken = 0;
    let full = false;
    for (const step of this.#waiting) {
      while (step.sent < step.atoms.length) {
        const atom = step.atoms[step.sent]!;
        if (rows.size > 0 && (rows.size + atom.writes.length > this.#bounds.rows || bytes + atom.bytes > this.#bounds.bytes)) {
          full = true;
          break;
        }
        // Deleted first, so that the last write of a row also takes the last place: prefixes stay legal.
        for (const write of atom.writes) {
          const key = this.#rowKey(write);
          const isNew = !rows.delete(key) && atom.makes?.has(write) === true;
          if (isNew) made.add(key);
          // Made and deleted within one batch: nobody ever sees that row, so it must not be counted either (3.10).
          if (atom.deletes?.has(write) === true && made.delete(key)) continue;
          rows.set(key, write);
        }
        bytes += atom.bytes;
        step.sent += 1;
        atoms += 1;
      }
      if (full) break;
      for (const word of step.words) words.push(word);
      taken += 1;
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    this.#inFlight = { writes: [...rows.values()], bytes, atoms, words };
    return this.#inFlight;
  }

  /** The batch in flight is durable: its words may be said now. */
  settle(): readonly Word[] {
    const batch = this.#inFlight;
    this.#inFlight = undefined;
    return batch?.words ?? [];
  }

  /** Gives up everything not yet durable (fenced, deposed, undone). */
  clear(): void {
    this.#waiting = [];
    this.#inFlight = undefined;
  }
}
