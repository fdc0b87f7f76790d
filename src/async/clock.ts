/**
 * Time as a port: everything outside the pure machines that reads a clock or waits takes one of these, so that tests
 * and the simulation can move time by hand (see manual-clock.ts).
 */

export interface Clock {
  /** Monotonic milliseconds, with a fraction, from an arbitrary start. For every duration and deadline. */
  now(): number;
  /** Milliseconds since the Unix epoch. For people and records only: it can jump. */
  wall(): number;
  /**
   * Calls `callback` once, not before `ms` milliseconds from now; at the next turn of the event loop for 0 or less.
   * Returns the function that cancels it; cancelling twice or late does nothing.
   */
  after(ms: number, callback: () => void): () => void;
}

/** Node fires a longer timer at once; such a wait is made of several. About 24.8 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),

  after(ms, callback) {
    if (!(ms > 0)) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const due = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      // Rounded up, and checked again on firing: Node's timers count whole milliseconds and may be a fraction early.
      timer = setTimeout(() => {
        const rest = due - performance.now();
        if (rest > 0) wait(rest);
        else callback();
      }, Math.min(Math.ceil(left), MAX_TIMER_MS));
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};
