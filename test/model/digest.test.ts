import test from "ava";
import fc from "fast-check";
import { Digest } from "../../src/model/digest.ts";

const launchId = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((n) => n.toString(16).padStart(32, "0"));
const ids = fc.uniqueArray(launchId, { maxLength: 20 });

test("the empty digest, and its text form", (t) => {
  t.is(String(new Digest()), `0:${"0".repeat(32)}`);
  t.is(String(Digest.of(["0123456789abcdef0123456789abcdef"])), "1:0123456789abcdef0123456789abcdef");
});

test("carries run through all words and off the end", (t) => {
  const digest = Digest.of(["f".repeat(32), `${"0".repeat(31)}1`]);
  t.is(String(digest), `2:${"0".repeat(32)}`);
  t.false(digest.equals(new Digest()), "the count tells them apart");
});

test("property: the sum is that of big numbers modulo 2^128", (t) => {
  fc.assert(
    fc.property(ids, (all) => {
      const sum = all.reduce((total, id) => BigInt.asUintN(128, total + BigInt(`0x${id}`)), 0n);
      t.is(Digest.of(all).sumText, sum.toString(16).padStart(32, "0"));
    }),
  );
});

test("property: order of adding and removing does not matter", (t) => {
  fc.assert(
    fc.property(ids, ids, fc.infiniteStream(fc.boolean()), (kept, dropped, coin) => {
      const digest = new Digest();
      const pending = dropped.slice();
      for (const id of pending) digest.add(id);
      for (const id of kept) {
        digest.add(id);
        if (pending.length > 0 && coin.next().value === true) digest.remove(pending.pop()!);
      }
      for (const id of pending) digest.remove(id);
      t.is(String(digest), String(Digest.of(kept.toReversed())));
      const read = Digest.parse(String(digest));
      t.true(read.ok && read.value.equals(digest));
    }),
  );
});

test("foreign text is refused, a malformed id is a bug", (t) => {
  for (const text of ["", "1", "1:", `1:${"g".repeat(32)}`, `-1:${"0".repeat(32)}`, `01:${"0".repeat(32)}`]) {
    t.false(Digest.parse(text).ok, text);
  }
  const digest = new Digest();
  for (const id of ["", "F".repeat(32), "0".repeat(31)]) t.throws(() => digest.add(id), { instanceOf: RangeError });
  t.is(digest.count, 0);
});
