import test from "ava";
import fc from "fast-check";
import { Tx } from "../../../src/core/master/tx.ts";
import { Pipeline } from "../../../src/core/pipeline.ts";
import { type Change, rowKey } from "../../../src/core/registry/change.ts";
import { Tables } from "../../../src/core/registry/tables.ts";
import { limits } from "../../../src/model/limits.ts";
import { TaskRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";

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

test("3.7, 3.9 an atom that fails half way is undone with the rest of the step", (t) => {
  const tables = new Tables();
  tables.apply(weight("a", 1));
  const broken = { kind: "t", id: "l1", record: TaskRecord.fromPartial({ launchId: "l1", info: { resources: [{ name: "" }] } }) } as const;
  const tx = new Tx(tables, 0, () => 1);
  tx.put(weight("a", 2));
  t.throws(() => tx.put(weight("a", 3), weight("b", 1), broken), { message: /do not parse/ });
  tx.rollBack();
  t.deepEqual([...tables.weights], [["a", 1]]);
  t.is(tables.tasks.size, 0);
});

test("3.9 an atom that cannot be sized, or that no batch holds, fails before anything is changed", (t) => {
  const tables = new Tables();
  const sizes = new Map([["large", limits.batchBytes]]);
  const tx = new Tx(tables, 0, ({ id }) => {
    if (id === "odd") throw new Error("no size");
    return sizes.get(id) ?? 1;
  });
  t.throws(() => tx.put(weight("a", 2), weight("odd", 2)), { message: "no size" });
  t.throws(() => tx.put(weight("a", 2), weight("large", 2)), { message: /w\/a with w\/large takes 1048577 bytes/ });
  tx.put(weight("large", 2));
  t.deepEqual([...tables.weights], [["large", 2]]);
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
