import test from "ava";
import fc from "fast-check";
import { Pipeline } from "../../src/core/pipeline.ts";

interface Row {
  readonly key: string;
  readonly value: number;
}

const atom = (...writes: Row[]) => ({ writes, bytes: writes.length * 10 });
const pipeline = (rows = 4, bytes = 1000) => new Pipeline<Row, string>({ rows, bytes }, (row) => row.key);

test("3.1 words wait for the batch sent after their step", (t) => {
  const p = pipeline();
  p.push([atom({ key: "a", value: 1 })], ["a is durable"]);
  const first = p.next()!;
  p.push([], ["asked while a batch was in flight"]);
  t.is(p.next(), undefined, "one transaction in flight");
  t.deepEqual(first.writes, [{ key: "a", value: 1 }]);
  t.deepEqual(p.settle(), ["a is durable"]);
  const second = p.next()!;
  t.deepEqual(second.writes, [], "nothing to write: a barrier");
  t.deepEqual(p.settle(), ["asked while a batch was in flight"]);
  t.is(p.next(), undefined);
});

test("3.2 writes to one row in one batch are merged, the last wins", (t) => {
  const p = pipeline();
  p.push([atom({ key: "a", value: 1 }, { key: "b", value: 1 })], []);
  p.push([atom({ key: "a", value: 2 })], ["done"]);
  const batch = p.next()!;
  t.deepEqual(batch.writes, [{ key: "b", value: 1 }, { key: "a", value: 2 }]);
  t.is(batch.atoms, 2);
  t.deepEqual(p.settle(), ["done"]);
});

test("3.8 an atom is never split; a step larger than a batch speaks only after its last atom", (t) => {
  const p = pipeline(3);
  p.push([atom({ key: "a", value: 1 }, { key: "b", value: 1 }), atom({ key: "c", value: 1 }, { key: "d", value: 1 })], ["all"]);
  t.deepEqual(p.next()!.writes.map((row) => row.key), ["a", "b"]);
  t.deepEqual(p.settle(), []);
  t.deepEqual(p.next()!.writes.map((row) => row.key), ["c", "d"]);
  t.deepEqual(p.settle(), ["all"]);
});

test("3.7 clear gives up what is not durable, in flight or not", (t) => {
  const p = pipeline();
  p.push([atom({ key: "a", value: 1 })], ["never said"]);
  p.next();
  p.push([], ["neither"]);
  p.clear();
  t.deepEqual(p.settle(), []);
  t.is(p.next(), undefined);
});

test("D2 property: words come out once, in order, and never before the rows of their step and of all before it", (t) => {
  const step = fc.record({
    atoms: fc.array(fc.array(fc.record({ key: fc.constantFrom("a", "b", "c", "d", "e"), value: fc.nat() }), { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
    words: fc.nat({ max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(step, fc.constant("settle" as const)), { maxLength: 60 }), (script) => {
      const p = pipeline(4, 60);
      const pushed: { rowsBefore: number; word: string }[] = [];
      const said: string[] = [];
      let atomsPushed = 0;
      let atomsDurable = 0;
      let inFlight = 0;
      const settle = (): void => {
        if (!p.busy) inFlight = p.next()?.atoms ?? 0;
        if (!p.busy) return;
        atomsDurable += inFlight;
        for (const word of p.settle()) {
          t.true(pushed[said.length]!.rowsBefore <= atomsDurable);
          said.push(word);
        }
      };
      script.forEach((action, index) => {
        if (action === "settle") return settle();
        atomsPushed += action.atoms.length;
        const words = Array.from({ length: action.words }, (_, n) => `${index}.${n}`);
        for (const word of words) pushed.push({ rowsBefore: atomsPushed, word });
        p.push(action.atoms.map((writes) => atom(...writes)), words);
      });
      while (p.depth > 0) settle();
      t.deepEqual(said, pushed.map(({ word }) => word));
      t.is(atomsDurable, atomsPushed);
    }),
  );
  t.pass();
});
