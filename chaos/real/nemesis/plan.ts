/** Which faults come one after the other, for how long: all drawn from the seed, so that a run can be had again. */
import { Chance } from "../../sim/chance.ts";
import type { FaultKind } from "./fault.ts";

export interface PlannedFault {
  readonly kind: FaultKind;
  /** After the beginning of its round. */
  readonly afterMs: number;
  readonly forMs: number;
  /** Whom it strikes is drawn from this, when it is known who there is. */
  readonly chance: Chance;
}

/** Faults that overlap, and the quiet time after them. */
export interface Round {
  readonly number: number;
  readonly faults: readonly PlannedFault[];
  readonly pauseMs: number;
}

const PAUSE_MS = [1_000, 4_000] as const;
/** How often a fault comes with another one. */
const TOGETHER = 0.25;
const OVERLAP_MS = [200, 3_000] as const;

/** Without end. Each kind has its turn before any comes again. */
export function* rounds(seed: number, kinds: readonly FaultKind[]): Generator<Round, never, void> {
  const chance = new Chance(seed, "nemesis");
  const times = new Map<string, number>();
  let bag: FaultKind[] = [];
  const take = (wanted: (kind: FaultKind) => boolean): FaultKind | undefined => {
    const found = bag.findIndex(wanted);
    return found < 0 ? undefined : bag.splice(found, 1)[0];
  };
  for (let number = 1; ; number += 1) {
    if (bag.length === 0) bag = shuffled(kinds, chance);
    const first = take(() => true)!;
    const second = first.alone !== true && chance.happens(TOGETHER) ? take(({ alone }) => alone !== true) : undefined;
    const planned = (kind: FaultKind, afterMs: number): PlannedFault => {
      const time = (times.get(kind.name) ?? 0) + 1;
      times.set(kind.name, time);
      // A stream for each strike: with other faults left out it meets the same victims for as long.
      const own = new Chance(seed, `${kind.name} ${time}`);
      return { kind, afterMs, forMs: Math.round(own.between(...kind.lastsMs)), chance: own };
    };
    const faults = [planned(first, 0)];
    if (second !== undefined) faults.push(planned(second, Math.round(chance.between(...OVERLAP_MS))));
    yield { number, faults, pauseMs: Math.round(chance.between(...PAUSE_MS)) };
  }
}

function shuffled<T>(all: readonly T[], chance: Chance): T[] {
  const rest = [...all];
  const order: T[] = [];
  while (rest.length > 0) order.push(rest.splice(chance.integer(0, rest.length - 1), 1)[0]!);
  return order;
}
