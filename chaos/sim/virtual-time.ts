/**
 * One clock for a whole cluster in one process. Nothing happens between events, and events of one moment happen in an
 * order that the seed decides, so a run is a function of its seed.
 */
import type { Clock } from "../../src/async/clock.ts";
import type { Random } from "../../src/base/random.ts";

interface Entry {
  readonly due: number;
  readonly tie: number;
  readonly serial: number;
  run: (() => void) | undefined;
}

/** What makes things happen later. */
export interface Schedule {
  /** Milliseconds. */
  readonly now: number;
  /** Runs `run` after `ms`; returns what takes that back. */
  after(ms: number, run: () => void): () => void;
  /** The same, in the order of the calls among those of one moment: for messages of one stream. */
  afterInOrder(ms: number, run: () => void): () => void;
}

export class VirtualTime implements Schedule {
  readonly #random: Random;
  readonly #heap: Entry[] = [];
  #now = 0;
  #serial = 0;
  /** Events so far. */
  events = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now;
  }

  /** Events of one moment are shuffled. */
  after(ms: number, run: () => void): () => void {
    return this.#add(this.#now + Math.max(0, ms), this.#random.uniform(), run);
  }

  afterInOrder(ms: number, run: () => void): () => void {
    return this.#add(this.#now + Math.max(0, ms), 0.5, run);
  }

  /** Lets everything happen that is due before `end`, and all that follows from it. */
  async runUntil(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          const next = this.#next(end);
          if (next?.run === undefined) {
            this.#now = end;
            return resolve();
          }
          this.#now = next.due;
          this.events += 1;
          next.run();
          // What the event set going in promises is over before the next turn: nothing here waits for the world.
          setImmediate(turn);
        } catch (error) {
          reject(error);
        }
      };
      setImmediate(turn);
    });
  }

  /** Takes out the first event that is due by `end` and was not taken back. */
  #next(end: number): Entry | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.due > end) return undefined;
      this.#pop();
      if (first.run !== undefined) return first;
    }
  }

  #add(due: number, tie: number, run: () => void): () => void {
    const entry: Entry = { due, tie, serial: (this.#serial += 1), run };
    this.#push(entry);
    return () => {
      entry.run = undefined;
    };
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
    const last = heap.pop()!;
    if (heap.length === 0) return;
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
  if (a.due !== b.due) return a.due < b.due;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.serial < b.serial;
}

/** The wall clock when a run begins; any will do. */
const WALL_START = 1_700_000_000_000;

/**
 * A process on a host: what reaches it, time included, reaches it only while it lives, and waits while it is frozen.
 * Its monotonic clock is that of the run; its wall clock can jump.
 */
export class SimProcess {
  readonly name: string;
  readonly host: string;
  readonly clock: Clock;
  readonly #time: Schedule;
  readonly #onDeath = new Set<() => void>();
  #alive = true;
  #frozen = false;
  #waiting: (() => void)[] = [];
  #wallOffset = 0;

  constructor(time: Schedule, name: string, host: string) {
    this.name = name;
    this.host = host;
    this.#time = time;
    this.clock = {
      now: () => time.now,
      wall: () => WALL_START + time.now + this.#wallOffset,
      after: (ms, callback) => {
        let cancelled = false;
        const cancel = time.after(ms, () => this.deliver(() => void (cancelled || callback())));
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Whether it does anything at all now. */
  get runs(): boolean {
    return this.#alive && !this.#frozen;
  }

  /** Something reaches the process. */
  deliver(what: () => void): void {
    if (!this.#alive) return;
    if (this.#frozen) this.#waiting.push(what);
    else what();
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    // One after the other, as an event loop would find them.
    for (const what of this.#waiting.splice(0)) this.#time.afterInOrder(0, () => this.deliver(what));
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#waiting = [];
    for (const tell of this.#onDeath) tell();
    this.#onDeath.clear();
  }

  /** Returns what takes it back. */
  onDeath(tell: () => void): () => void {
    this.#onDeath.add(tell);
    return () => void this.#onDeath.delete(tell);
  }

  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }
}
