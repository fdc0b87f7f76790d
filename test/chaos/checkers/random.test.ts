/** All checkers on histories at random: none complains of a correct one, and most lies about one are seen by some. */
import test from "ava";
import fc from "fast-check";
import { seededRandom } from "../../../src/base/random.ts";
import { check, combined } from "../../../chaos/checkers/index.ts";
import { mutated, type Mutation, randomHistory } from "../random-history.ts";
import { OPTIONS, violated } from "../verdicts.ts";

const options = { ...OPTIONS, recoveryBoundsMs: {} };
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** Whatever of these is done to a history is seen. */
const TELLING = [
  "drop agentUpdate (observe)",
  "drop witnessStart (observe)",
  "drop offer (observe)",
  "drop launch (invoke)",
  "drop acknowledge (invoke)",
  "drop kill (invoke)",
  "duplicate offer (observe)",
  "duplicate witnessStart (observe)",
  "duplicate witnessExit (observe)",
  "duplicate agentStarted (observe)",
  "epoch commit (observe)",
  "epoch agentOrdered (observe)",
  "epoch launch (ok)",
  "epoch acknowledge (ok)",
];

/**
 * Shares of lies that are seen. The others are true as well: a batch or an update that is told twice, a call whose
 * answer is lost, a fault that nobody needed as an excuse, two things that happened in another order.
 */
const SEEN: Readonly<Record<Mutation, number>> = { drop: 0.35, duplicate: 0.25, swap: 0.25, epoch: 0.9 };

test("a correct history is accepted", (t) => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 80 }), (seed, steps) => {
      t.deepEqual(violated(randomHistory(seededRandom(seed), steps), options), []);
    }),
    { numRuns: 100 },
  );
});

test("correct histories put most invariants to the test", (t) => {
  const runs = Array.from({ length: 20 }, (_, seed) => check(randomHistory(seededRandom(seed), 60), options));
  const idle = combined(runs).filter(({ outcome }) => outcome === "untested");
  t.deepEqual(idle.map(({ invariant }) => invariant), ["I20", "I21", "I25", "I27", "I28", "I30"]);
});

for (const kind of ["drop", "duplicate", "swap", "epoch"] as const) {
  test(`of histories with one lie (${kind}), at least ${100 * SEEN[kind]} of 100 are rejected, and all that matter`, (t) => {
    const unseen: string[] = [];
    let told = 0;
    let seen = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const random = seededRandom(seed);
      const events = randomHistory(random, 40);
      for (let i = 0; i < 12; i++) {
        const lie = mutated(events, kind, random);
        told += 1;
        if (violated(lie.events, options).length > 0) seen += 1;
        else if (TELLING.includes(lie.what)) unseen.push(`seed ${seed}: ${lie.what}`);
      }
    }
    t.deepEqual(unseen, []);
    t.true(seen / told >= SEEN[kind], `${seen} of ${told}`);
  });
}
