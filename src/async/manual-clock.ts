import type { Clock } from "./clock.ts";

interface Waiting {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to advance. For tests and the simulation. */
export class ManualClock implements Clock {
  #now: number;
  #wallOffset: number;
  readonly #waiting = new Set<Waiting>();

  /** `start`: the first `now()`, default 0 ms. `wall`: the wall clock at that moment, default 0 ms after the epoch. */
  constructor(start = 0, wall = 0) {
    this.#now = start;
    this.#wallOffset = wall - start;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#wallOffset;
  }

  /** Sets the wall clock, as an operator or a time server does: durations and deadlines go on. */
  setWall(wall: number): void {
    this.#wallOffset = wall - this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const entry: Waiting = { due: this.#now + Math.max(0, ms), callback };
    this.#waiting.add(entry);
    return () => void this.#waiting.delete(entry);
  }

  /** When the next callback is due, in `now()` milliseconds; undefined when nothing waits. */
  nextDue(): number | undefined {
    return this.#earliest()?.due;
  }

  /**
   * Moves time forward and runs what falls due, in order of time, ties in order of arrival; `now()` reads each
   * callback's own due time while it runs. What callbacks arm within the span runs too.
   */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.due > end) break;
      this.#waiting.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }

  #earliest(): Waiting | undefined {
    let first: Waiting | undefined;
    // A set keeps the order of arrival, so "earlier" alone settles ties.
    for (const entry of this.#waiting) if (first === undefined || entry.due < first.due) first = entry;
    return first;
  }
}
