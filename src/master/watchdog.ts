import type { Clock } from "../async/clock.ts";

/**
 * Calls `look` now and each `everyMs` milliseconds from then on. Returns the function that ends it; so does an error that
 * `look` throws, which goes to `onError`.
 */
export function startWatchdog(clock: Clock, everyMs: number, look: (now: number) => void, onError: (error: unknown) => void): () => void {
  let cancel = (): void => {};
  let over = false;
  const round = (): void => {
    try {
      look(clock.now());
    } catch (error) {
      return onError(error);
    }
    if (!over) cancel = clock.after(everyMs, round);
  };
  round();
  return () => {
    over = true;
    cancel();
  };
}
