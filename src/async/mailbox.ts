/**
 * The queue in front of a machine: many producers, one consumer, first in first out, bounded.
 *
 *     while (await mailbox.ready()) for (const input of mailbox.take(256)) step(input);
 *
 * The consumer wakes at the end of an event loop turn, not in a microtask: what arrived in one burst is taken as one
 * batch (one registry commit), and a queue that never empties cannot keep sockets and timers from being served.
 */

import { assert } from "../base/assert.ts";
import { Fifo } from "./fifo.ts";

export interface MailboxOptions {
  /** Items that may wait; `push` refuses beyond it. */
  readonly capacity: number;
  /** How the consumer is woken. Default `setImmediate`; tests may run the callback by hand. */
  readonly schedule?: (wake: () => void) => unknown;
}

export class Mailbox<T> {
  readonly capacity: number;
  readonly #schedule: (wake: () => void) => unknown;
  readonly #items = new Fifo<T>();
  #waiter: ((more: boolean) => void) | undefined;
  #scheduled = false;
  #closed = false;

  constructor(options: MailboxOptions) {
    this.capacity = options.capacity;
    this.#schedule = options.schedule ?? setImmediate;
  }

  /** Items waiting. */
  get size(): number {
    return this.#items.length;
  }

  /** Appends. False, and nothing happens, when the mailbox is full or closed: the producer answers for that. */
  push(item: T): boolean {
    if (this.size >= this.capacity) return false;
    return this.deliver(item);
  }

  /**
   * Appends even when full; false only when closed. For answers to the consumer's own requests: refusing one would lose
   * it, and the consumer bounds how many it has outstanding.
   */
  deliver(item: T): boolean {
    if (this.#closed) return false;
    this.#items.push(item);
    this.#wake();
    return true;
  }

  /** For what is left of an item that was taken: it is the next one, even when full. Nothing happens when closed. */
  putBack(rest: T): void {
    if (this.#closed) return;
    this.#items.unshift(rest);
    this.#wake();
  }

  /** Removes and returns up to `max` items, oldest first; empty when nothing waits. */
  take(max = Infinity): T[] {
    return this.#items.take(max);
  }

  /** Resolves true, at the end of a turn, when items wait; false once the mailbox is closed and empty. One caller. */
  ready(): Promise<boolean> {
    assert(this.#waiter === undefined, "a mailbox has one consumer");
    return new Promise((resolve) => {
      this.#waiter = resolve;
      if (this.size > 0 || this.#closed) this.#wake();
    });
  }

  /** Refuses further items. What waits can still be taken. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    if (this.#waiter === undefined || this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      if (this.size === 0 && !this.#closed) return;
      const waiter = this.#waiter;
      this.#waiter = undefined;
      waiter?.(this.size > 0);
    });
  }
}
