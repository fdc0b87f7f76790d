/** What operators order, as part of a plan. */
import { Chance } from "./chance.ts";

export const orderNames = ["killTask", "markGone", "teardown", "takeOut", "setWeight"] as const;
export type OrderName = (typeof orderNames)[number];

export interface Order {
  readonly at: number;
  readonly name: OrderName;
  /** Which one, where there are several. */
  readonly target: number;
  /** How long an agent is out of service. */
  readonly forMs: number;
}

interface Habit {
  /** In how many of the seeds it is ordered at all. */
  readonly share: number;
  /** Typical time between two, in milliseconds; one of these. */
  readonly every: readonly number[];
  readonly most: number;
}

const habits: { readonly [K in OrderName]: Habit } = {
  killTask: { share: 0.3, every: [5_000, 30_000], most: 100 },
  markGone: { share: 0.25, every: [30_000, 120_000], most: 5 },
  teardown: { share: 0.1, every: [120_000], most: 1 },
  takeOut: { share: 0.25, every: [20_000, 100_000], most: 10 },
  setWeight: { share: 0.25, every: [5_000, 60_000], most: 30 },
};
/** How often an operator gives up what stays broken, and by when: for a part of it, after the masters did. */
const GIVES_UP = 0.5;
const GIVES_UP_MS = 150_000;

/**
 * Each kind by a chance of its own, so that a kind more changes no other.
 *
 * @param broken agents that are not healed at `to`, by their index.
 */
export function drawOrders(seed: number, from: number, to: number, broken: readonly number[]): Order[] {
  return [...orderNames.flatMap((name) => drawKind(seed, name, from, to)), ...drawGivenUp(seed, to, broken)].sort((a, b) => a.at - b.at);
}

function drawKind(seed: number, name: OrderName, from: number, to: number): Order[] {
  const chance = new Chance(seed, `order/${name}`);
  const { share, every, most } = habits[name];
  if (!chance.happens(share)) return [];
  const everyMs = chance.pick(every);
  const orders: Order[] = [];
  for (let at = from + chance.between(0, 2) * everyMs; at < to && orders.length < most; at += chance.between(0.3, 1.7) * everyMs) {
    orders.push({ at: Math.round(at), name, target: chance.integer(0, 99), forMs: Math.round(chance.tailed(chance.pick([500, 20_000]))) });
  }
  return orders;
}

function drawGivenUp(seed: number, to: number, broken: readonly number[]): Order[] {
  const chance = new Chance(seed, "order/givenUp");
  const given = broken.filter(() => chance.happens(GIVES_UP));
  return given.map((target) => ({ at: Math.round(to + chance.between(0, 1) * GIVES_UP_MS), name: "markGone", target, forMs: 0 }));
}
