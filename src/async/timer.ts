import type { Clock } from "./clock.ts";

/**
 * One timer for "the next deadline" of a machine that is asked for it after every step.
 *
 * Deadlines mostly move later. Then the timer under way is left alone and looks again when it fires, so that re-arming
 * on every step costs a comparison, not a system timer.
 */
export class Timer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #deadline: number | undefined;
  #firesAt = Infinity;
  #cancel: (() => void) | undefined;

  /** `onDue` runs once per armed deadline, never before it, and never inside `armAt`. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Milliseconds on the clock's `now()` scale; undefined when disarmed. */
  get deadline(): number | undefined {
    return this.#deadline;
  }

  /** Replaces the deadline (milliseconds of `clock.now()`); undefined disarms. A past deadline fires at the next turn. */
  armAt(deadline: number | undefined): void {
    this.#deadline = deadline;
    if (deadline === undefined) this.#clear();
    else if (deadline < this.#firesAt) this.#schedule(deadline);
  }

  [Symbol.dispose](): void {
    this.armAt(undefined);
  }

  #schedule(at: number): void {
    this.#clear();
    this.#firesAt = at;
    this.#cancel = this.#clock.after(at - this.#clock.now(), () => this.#fire());
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#firesAt = Infinity;
    if (this.#deadline === undefined) return;
    if (this.#deadline > this.#clock.now()) return this.#schedule(this.#deadline);
    this.#deadline = undefined;
    this.#onDue();
  }

  #clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#firesAt = Infinity;
  }
}
