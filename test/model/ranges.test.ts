import test from "ava";
import fc from "fast-check";
import { coalesce, countOf, differenceOf, includesRanges, rangesMeet, unionOf } from "../../src/model/ranges.ts";

const someRanges = fc
  .array(fc.tuple(fc.nat(40), fc.nat(6)), { maxLength: 6 })
  .map((pairs) => coalesce(pairs.flatMap(([begin, length]) => [begin, begin + length])));

function members(ranges: readonly number[]): Set<number> {
  const out = new Set<number>();
  for (let i = 0; i < ranges.length; i += 2) for (let n = ranges[i]!; n <= ranges[i + 1]!; n++) out.add(n);
  return out;
}

test("touching ranges are coalesced", (t) => {
  t.deepEqual(coalesce([5, 9, 1, 4, 20, 30, 25, 26]), [1, 9, 20, 30]);
  t.deepEqual(coalesce([3, 3, 1, 1]), [1, 1, 3, 3]);
});

test("property: operations agree with sets of numbers", (t) => {
  fc.assert(
    fc.property(someRanges, someRanges, (a, b) => {
      const [inA, inB] = [members(a), members(b)];
      t.deepEqual(members(unionOf(a, b)), new Set([...inA, ...inB].sort((x, y) => x - y)));
      t.deepEqual(members(differenceOf(a, b)), new Set([...inA].filter((n) => !inB.has(n))));
      t.is(includesRanges(a, b), [...inB].every((n) => inA.has(n)));
      t.is(rangesMeet(a, b), [...inA].some((n) => inB.has(n)));
      t.is(countOf(a), inA.size);
    }),
  );
});

test("property: results are coalesced, so equal sets are equal lists", (t) => {
  fc.assert(
    fc.property(someRanges, someRanges, (a, b) => {
      for (const result of [unionOf(a, b), differenceOf(a, b)]) t.deepEqual(result, coalesce(result));
    }),
  );
});
