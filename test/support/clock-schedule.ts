import type { Clock } from "../../src/async/clock.ts";
import type { Schedule } from "../../chaos/sim/virtual-time.ts";

/** What the simulation's network does later is done by this clock, of which what is due first comes first. */
export function scheduleOf(clock: Clock): Schedule {
  const after = (ms: number, run: () => void): (() => void) => clock.after(ms, run);
  return {
    get now() {
      return clock.now();
    },
    after,
    afterInOrder: after,
  };
}
