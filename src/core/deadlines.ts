/**
 * Deadlines as data: at most one per key, the earliest first. A binary heap with lazy removal, so that setting and
 * clearing cost O(log n) and nothing has to be searched.
 */
interface Entry {
  readonly at: number;
  readonly key: string;
  readonly serial: number;
}

export class Deadlines {
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, Entry>();
  #serial = 0;

  /** Sets or moves the deadline of `key`. */
  set(key: string, at: number): void {
    const known = this.#current.get(key);
    if (known?.at === at) return;
    const entry = { at, key, serial: this.#serial++ };
    this.#current.set(key, entry);
    this.#push(entry);
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#current.size) this.#rebuild();
  }

  /** Sets the deadline unless an earlier one stands. */
  setEarlier(key: string, at: number): void {
    const known = this.#current.get(key);
    if (known === undefined || known.at > at) this.set(key, at);
  }

  clear(key: string): void {
    this.#current.delete(key);
  }

  has(key: string): boolean {
    return this.#current.has(key);
  }

  /** When the earliest is due. */
  next(): number | undefined {
    this.#dropStale();
    return this.#heap[0]?.at;
  }

  /** Takes the key of the earliest deadline that is due at `now`; ties in the order they were set. */
  takeDue(now: number): string | undefined {
    this.#dropStale();
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#pop();
    this.#current.delete(first.key);
    return first.key;
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first !== undefined && this.#current.get(first.key) !== first; first = this.#heap[0]) {
      this.#pop();
    }
  }

  #rebuild(): void {
    const entries = [...this.#current.values()];
    this.#heap.length = 0;
    for (const entry of entries) this.#push(entry);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}
