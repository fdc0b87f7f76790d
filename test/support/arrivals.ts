/** What arrives, in order; a test waits for the one it wants. */
export class Arrivals<T> {
  readonly all: T[] = [];
  readonly #waiters = new Set<{ readonly wanted: (item: T) => boolean; readonly resolve: (item: T) => void }>();
  #seen = 0;

  push(item: T): void {
    this.all.push(item);
    for (const waiter of this.#waiters) {
      if (!waiter.wanted(item)) continue;
      this.#waiters.delete(waiter);
      this.#seen = this.all.length;
      waiter.resolve(item);
      return;
    }
  }

  /** The first one that is `wanted` after those returned before; waits for it if need be. */
  async next(wanted: (item: T) => boolean = () => true): Promise<T> {
    const index = this.all.findIndex((item, i) => i >= this.#seen && wanted(item));
    if (index >= 0) {
      this.#seen = index + 1;
      return this.all[index]!;
    }
    return new Promise((resolve) => this.#waiters.add({ wanted, resolve }));
  }
}
