/** Gathers what callbacks deliver, and waits for it without polling. */
export class Collector<T> {
  readonly items: T[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (item: T): void => {
    this.items.push(item);
    for (const check of [...this.#waiting]) check();
  };

  get last(): T | undefined {
    return this.items.at(-1);
  }

  /** Resolves once `wanted` holds of the items; rejects, with the reason given, when that takes too long. */
  until(reason: string, wanted: (items: readonly T[]) => boolean, timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        settle();
      };
      const check = (): void => {
        if (wanted(this.items)) finish(resolve);
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`not within ${timeoutMs} ms: ${reason}`))), timeoutMs);
      this.#waiting.add(check);
      check();
    });
  }
}
