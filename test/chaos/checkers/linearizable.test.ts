/** The search itself, on small registers: by example, and against trying all orders. */
import test from "ava";
import fc from "fast-check";
import { linearizable, type Model, type Operation } from "../../../chaos/checkers/linearizable.ts";

type Step = { readonly put: number } | { readonly got: number };

const register: Model<number, Step> = {
  initial: 0,
  step: (state, step) => ("put" in step ? step.put : step.got === state ? state : undefined),
  key: (state) => state,
};

const put = (value: number, start: number, end: number): Operation<Step> => ({ start, end, value: { put: value } });
const got = (value: number, start: number, end: number): Operation<Step> => ({ start, end, value: { got: value } });
const verdict = (...operations: Operation<Step>[]): string => linearizable(register, operations).verdict;

test("a read sees what was written before it", (t) => {
  t.is(verdict(put(1, 0, 1), got(1, 2, 3)), "yes");
  t.is(verdict(put(1, 0, 1), got(0, 2, 3)), "no");
});

test("what overlaps may come in any order", (t) => {
  t.is(verdict(put(1, 0, 10), got(0, 2, 3), got(1, 4, 5)), "yes");
  t.is(verdict(put(1, 0, 10), got(1, 2, 3), got(0, 4, 5)), "no");
  t.is(verdict(put(1, 0, 5), put(2, 0, 5), got(2, 6, 7), got(2, 8, 9)), "yes");
  t.is(verdict(put(1, 0, 5), put(2, 0, 5), got(2, 6, 7), got(1, 8, 9)), "no");
});

test("what touches in one moment overlaps", (t) => {
  t.is(verdict(put(1, 0, 5), got(0, 5, 6)), "yes");
});

test("what was never answered may happen at any time, or never", (t) => {
  t.is(verdict(put(1, 0, Infinity), got(0, 1, 2), got(0, 100, 101)), "yes");
  t.is(verdict(put(1, 0, Infinity), got(0, 1, 2), got(1, 100, 101)), "yes");
  t.is(verdict(put(1, 0, Infinity), got(1, 1, 2), got(0, 100, 101)), "no");
});

test("the operation that found no place is named", (t) => {
  const { stuckAt } = linearizable(register, [put(1, 0, 1), got(1, 2, 3), got(7, 4, 5), got(1, 6, 7)]);
  t.deepEqual(stuckAt?.value, { got: 7 });
});

test("a search that takes too long is given up, and says so", (t) => {
  const writes = Array.from({ length: 12 }, (_, i) => put(i + 1, 0, 100));
  t.is(linearizable(register, [...writes, got(99, 101, 102)], 500).verdict, "undecided");
});

test("thousands of readings in a row are no trouble", (t) => {
  const many = Array.from({ length: 20_000 }, (_, i) => got(1, 2 + 2 * i, 3 + 2 * i));
  t.is(verdict(put(1, 0, 1), ...many), "yes");
});

test("the search agrees with trying all orders", (t) => {
  const operation = fc
    .record({ value: fc.integer({ min: 0, max: 2 }), isPut: fc.boolean(), start: fc.nat(12), length: fc.nat(6), lost: fc.boolean() })
    .map(({ value, isPut, start, length, lost }): Operation<Step> => {
      return { start, end: lost && isPut ? Infinity : start + length, value: isPut ? { put: value } : { got: value } };
    });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
      t.is(linearizable(register, operations).verdict === "yes", someOrder(0, operations));
    }),
    { numRuns: 1_000 },
  );
});

/** Whether what has to happen can, from this state on. */
function someOrder(state: number, left: readonly Operation<Step>[]): boolean {
  if (left.every(({ end }) => end === Infinity)) return true;
  return left.some((next, index) => {
    const after = register.step(state, next.value);
    const rest = left.toSpliced(index, 1);
    return after !== undefined && rest.every(({ end }) => end >= next.start) && someOrder(after, rest);
  });
}
