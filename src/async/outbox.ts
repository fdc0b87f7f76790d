/**
 * What waits to be sent to one peer. Items pushed within one event loop turn leave as one batch (a stream carries many
 * times more items in batches than one by one), in order, as fast as the peer reads.
 *
 * A peer that does not read is not waited for: when more bytes wait than the bound allows, and none of them could be sent
 * for some seconds, the outbox drops them, closes and says so once. The owner ends the stream and the peer starts over
 * from a fresh snapshot, which is the only way to lose items that keeps both sides right. A burst alone is no slow peer.
 */

import { type Clock, systemClock } from "./clock.ts";
import { Fifo } from "./fifo.ts";

/** The writing half of a stream, as far as an outbox needs it. */
export interface BatchSink<T> {
  /** Takes the batch whatever it answers; false means: no more until drained. */
  write(batch: T[]): boolean;
  /** Registers what to call each time the sink has drained. Called once, by the outbox's constructor. */
  onDrain(callback: () => void): void;
}

export interface OutboxOptions<T> {
  readonly sink: BatchSink<T>;
  /** Bytes an item will take on the wire; an estimate is enough. */
  readonly sizeOf: (item: T) => number;
  /** Called once, with the bytes that waited, when the peer was too slow. The outbox is closed by then. */
  readonly onSlowPeer: (waitingBytes: number) => void;
  /** Bytes that may wait for a peer that reads nothing. Default 8 MiB: a thousand stuck peers still fit. */
  readonly maxBytes?: number;
  /** How long more may wait without the peer taking any, in milliseconds. Default 10 s. */
  readonly patienceMs?: number;
  /** Bytes that may wait in any case. Default 256 MiB, or `maxBytes` if that is more. */
  readonly hardMaxBytes?: number;
  /** Items in one batch. Default 128: larger batches gained nothing on a stream when measured. */
  readonly maxBatchItems?: number;
  /** Bytes in one batch, unless a single item is larger. Default 1 MiB, a quarter of gRPC's default message limit. */
  readonly maxBatchBytes?: number;
  /** How a flush is put off to the end of the turn. Default `setImmediate`. */
  readonly schedule?: (flush: () => void) => unknown;
  readonly clock?: Clock;
}

export class Outbox<T> {
  readonly #sink: BatchSink<T>;
  readonly #sizeOf: (item: T) => number;
  readonly #onSlowPeer: (waitingBytes: number) => void;
  readonly #maxBytes: number;
  readonly #patienceMs: number;
  readonly #hardMaxBytes: number;
  readonly #maxBatchItems: number;
  readonly #maxBatchBytes: number;
  readonly #schedule: (flush: () => void) => unknown;
  readonly #clock: Clock;
  readonly #items = new Fifo<{ readonly item: T; readonly bytes: number }>();
  #onIdle: (() => void) | undefined;
  #bytes = 0;
  #blocked = false;
  #scheduled = false;
  #flushing = false;
  #closed = false;
  /** Ends the wait of a peer that has more than `maxBytes` to take. */
  #cancelWait: (() => void) | undefined;

  constructor(options: OutboxOptions<T>) {
    this.#sink = options.sink;
    this.#sizeOf = options.sizeOf;
    this.#onSlowPeer = options.onSlowPeer;
    this.#maxBytes = options.maxBytes ?? 8 * 1024 * 1024;
    this.#patienceMs = options.patienceMs ?? 10_000;
    this.#hardMaxBytes = options.hardMaxBytes ?? Math.max(this.#maxBytes, 256 * 1024 * 1024);
    this.#maxBatchItems = options.maxBatchItems ?? 128;
    this.#maxBatchBytes = options.maxBatchBytes ?? 1024 * 1024;
    this.#schedule = options.schedule ?? setImmediate;
    this.#clock = options.clock ?? systemClock;
    this.#sink.onDrain(() => {
      this.#blocked = false;
      this.flush();
      this.#scheduleFlush();
    });
  }

  /** Bytes waiting here; what the sink has taken no longer counts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Items waiting here. */
  get size(): number {
    return this.#items.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Appends. False when the outbox is closed, or is closed by this very item. */
  push(item: T): boolean {
    if (this.#closed) return false;
    const bytes = this.#sizeOf(item);
    if (this.#bytes + bytes > this.#hardMaxBytes) {
      this.#giveUp();
      return false;
    }
    this.#append(item, bytes);
    if (this.#bytes > this.#maxBytes) this.#cancelWait ??= this.#clock.after(this.#patienceMs, () => this.#giveUp());
    this.#scheduleFlush();
    return true;
  }

  /** Calls back once, when nothing waits and the peer takes more: for who has much to send, and makes it as it is read. */
  whenIdle(callback: () => void): void {
    if (this.#closed) return;
    this.#onIdle = callback;
    this.#scheduleFlush();
  }

  /** Writes what waits now, as far as the sink takes it. Only needed before ending a stream. */
  flush(): void {
    // A sink may push, close or report a drain from within write: the loop below sees each of these.
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (!this.#blocked && this.#items.length > 0) {
        this.#blocked = true;
        const more = this.#sink.write(this.#nextBatch());
        this.#progress();
        if (more) this.#blocked = false;
      }
    } finally {
      this.#flushing = false;
    }
  }

  /** Drops what waits and refuses further items. The sink is the owner's to end. */
  close(): void {
    this.#closed = true;
    this.#items.clear();
    this.#onIdle = undefined;
    this.#bytes = 0;
    this.#progress();
  }

  #append(item: T, bytes: number): void {
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
  }

  #scheduleFlush(): void {
    if (this.#scheduled || this.#blocked || (this.#items.length === 0 && this.#onIdle === undefined)) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.flush();
      this.#tellIdle();
      this.#scheduleFlush();
    });
  }

  #tellIdle(): void {
    if (this.#blocked || this.#items.length > 0) return;
    const callback = this.#onIdle;
    this.#onIdle = undefined;
    callback?.();
  }

  /** The peer took something, or nothing waits for it any more. */
  #progress(): void {
    this.#cancelWait?.();
    this.#cancelWait = this.#bytes > this.#maxBytes ? this.#clock.after(this.#patienceMs, () => this.#giveUp()) : undefined;
  }

  #giveUp(): void {
    const waiting = this.#bytes;
    this.close();
    this.#onSlowPeer(waiting);
  }

  #nextBatch(): T[] {
    const batch: T[] = [];
    let bytes = 0;
    while (batch.length < this.#maxBatchItems) {
      const next = this.#items.peek();
      if (next === undefined || (batch.length > 0 && bytes + next.bytes > this.#maxBatchBytes)) break;
      this.#items.shift();
      batch.push(next.item);
      bytes += next.bytes;
    }
    this.#bytes -= bytes;
    return batch;
  }
}
