import test from "ava";
import fc from "fast-check";
import { Tx } from "../../../src/core/master/tx.ts";
import { Pipeline } from "../../../src/core/pipeline.ts";
import { type Change, rowKey } from "../../../src/core/registry/change.ts";
import { Tables } from "../../../src/core/registry/tables.ts";

const weight = (role: string, value: number | undefined): Change => ({
  kind: "w",
  id: role,
  record: value === undefined ? undefined : { role, weight: value },
});

test("3.10 a delete of a row that is not there is no write", (t) => {
  const tx = new Tx(new Tables(), 0, () => 1);
  tx.put(weight("a", undefined));
  tx.put(weight("b", 2), weight("c", undefined));
  const { atoms, undo } = tx.finish();
  t.deepEqual(atoms.map(({ writes }) => writes), [[weight("b", 2)]]);
  t.is(undo.length, 1);
});

test("3.10 property: a batch has exactly the rows that the store sees changing", (t) => {
  const change = fc.tuple(fc.constantFrom("a", "b", "c"), fc.option(fc.nat(3), { nil: undefined }));
  const step = fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), (steps, sends) => {
      const tables = new Tables();
      const pipeline = new Pipeline<Change, never>({ rows: 4, bytes: 1_000 }, rowKey);
      const store = new Map<string, unknown>();
      const send = (): boolean => {
        const batch = pipeline.next();
        for (const { id, record } of batch?.writes ?? []) {
          // The store tells nobody of a delete that deletes nothing.
          if (record === undefined) t.true(store.delete(id));
          else store.set(id, record);
        }
        pipeline.settle();
        return batch !== undefined;
      };
      steps.forEach((atoms, i) => {
        const tx = new Tx(tables, 0, () => 1);
        for (const atom of atoms) tx.put(...atom.map(([role, value]) => weight(role, value)));
        pipeline.push(tx.finish().atoms, []);
        if (sends[i]) send();
      });
      while (send());
      const stored = [...store].map(([id, record]): [string, number] => [id, (record as { weight: number }).weight]);
      t.deepEqual(Object.fromEntries(stored), Object.fromEntries(tables.weights));
    }),
  );
});
