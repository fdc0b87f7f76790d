/** An unbounded first-in first-out list whose removals cost constant time per item, unlike `Array.shift`. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.#head === 0) this.#items.unshift(item);
    else this.#items[--this.#head] = item;
  }

  /** The oldest item, left where it is. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Removes and returns up to `max` items, oldest first. */
  take(max: number): T[] {
    if (this.#head === 0 && this.#items.length <= max) {
      const all = this.#items;
      this.#items = [];
      return all;
    }
    const taken = this.#items.slice(this.#head, this.#head + max);
    this.#advance(taken.length);
    return taken;
  }

  /** Removes and returns the oldest item. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined as T;
    this.#advance(1);
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  /** Moving the rest down only when half is gone keeps the cost of each item constant. */
  #advance(count: number): void {
    this.#head += count;
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
