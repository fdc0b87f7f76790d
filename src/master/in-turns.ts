import { delay } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";

/** Handles items in their order for `turnMs` milliseconds at a time; in between timers and sockets have their turn. */
export async function inTurns<T>(clock: Clock, turnMs: number, items: readonly T[], handle: (item: T) => void): Promise<void> {
  let endsAt = clock.now() + turnMs;
  for (const item of items) {
    if (clock.now() > endsAt) {
      await delay(0, undefined, clock);
      endsAt = clock.now() + turnMs;
    }
    handle(item);
  }
}
