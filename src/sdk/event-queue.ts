/** Events between a stream and the one loop that reads them: first in, first out, bounded. */
import { assert } from "../base/assert.ts";
import { Fifo } from "../async/fifo.ts";

export interface EventQueueOptions<T> {
  /** Items that may wait; `push` refuses beyond it. */
  readonly capacity: number;
  /** Called when an item is handed to the reader. */
  readonly onTake?: (item: T) => void;
  /**
   * Called when the reader asks for the next item, which says that it is done with this one. Not when it leaves the loop:
   * that looks the same for a `break` and for an error.
   */
  readonly onDone?: (item: T) => void;
  /** Called when the last waiting item was taken. */
  readonly onEmpty?: () => void;
}

export class EventQueue<T> implements AsyncIterable<T> {
  readonly #options: EventQueueOptions<T>;
  #items = new Fifo<T>();
  #waiter: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;
  #inHand: { readonly item: T } | undefined;
  #ended = false;
  #error: unknown;

  constructor(options: EventQueueOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#items.length;
  }

  /** False, and nothing happens, when the queue is full or has ended. */
  push(item: T): boolean {
    if (this.#items.length >= this.#options.capacity) return false;
    return this.deliver(item);
  }

  /** Appends even when full; false only when ended. For news about the stream itself. */
  deliver(item: T): boolean {
    if (this.#ended) return false;
    const waiter = this.#waiter;
    if (waiter === undefined) {
      this.#items.push(item);
      return true;
    }
    this.#waiter = undefined;
    waiter.resolve(this.#take(item));
    return true;
  }

  /** Removes what waits and is not wanted any more. */
  drop(unwanted: (item: T) => boolean): void {
    const kept = this.#items.take(this.#items.length).filter((item) => !unwanted(item));
    this.#items = new Fifo<T>();
    for (const item of kept) this.#items.push(item);
  }

  /** Ends the iteration after what waits: with `error` if given, else normally. The first end counts. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) return;
    if (error === undefined) waiter.resolve({ done: true, value: undefined });
    else waiter.reject(error);
  }

  /** Leaving the loop ends nothing: a later loop goes on with the next item. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#inHand = undefined;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    this.#finish();
    const item = this.#items.shift();
    if (item !== undefined) return this.#take(item);
    if (this.#ended) {
      if (this.#error !== undefined) throw this.#error;
      return { done: true, value: undefined };
    }
    assert(this.#waiter === undefined, "events have one reader");
    this.#waiter = Promise.withResolvers();
    return this.#waiter.promise;
  }

  #take(item: T): IteratorResult<T, undefined> {
    this.#inHand = { item };
    this.#options.onTake?.(item);
    if (this.#items.length === 0) this.#options.onEmpty?.();
    return { done: false, value: item };
  }

  #finish(): void {
    const done = this.#inHand;
    this.#inHand = undefined;
    if (done !== undefined) this.#options.onDone?.(done.item);
  }
}
