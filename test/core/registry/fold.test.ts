/** What a standby takes from the watch: each line of rule 3.10. */
import test from "ava";
import { type DecodedBatch, type FoldPosition, fold } from "../../../src/core/registry/fold.ts";
import { Tables } from "../../../src/core/registry/tables.ts";
import { HeadRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";

interface Announced {
  readonly generation?: number;
  readonly epoch?: number;
  readonly n: number;
  readonly ops?: number;
}

const head = ({ generation = 1, epoch = 50, n, ops = 1 }: Announced): HeadRecord =>
  HeadRecord.fromPartial({ epoch: { generation, revision: epoch }, master: "m1", n, ops });

/** One row, at that revision, under that head. */
const batch = (revision: number, announced: Announced | undefined, role = "r"): DecodedBatch => ({
  revision,
  head: announced && head(announced),
  changes: [{ kind: "w", id: role, record: { role, weight: 2 } }],
});

/** Folded up to revision 100, which was batch 7 of epoch 1-50. */
function folded(): { tables: Tables; position: FoldPosition } {
  const tables = new Tables();
  tables.head = head({ n: 7 });
  return { tables, position: { revision: 100, headModRevision: 98 } };
}

for (const [what, taken] of [
  ["n is one above the last", batch(101, { n: 8 })],
  ["a higher epoch begins with n = 1", batch(101, { epoch: 60, n: 1 })],
  ["a higher generation begins with n = 1, though its revision is lower", batch(101, { generation: 2, epoch: 10, n: 1 })],
  ["revisions of candidates lie between", batch(140, { n: 8 })],
] as const) {
  test(`3.10 a batch is folded: ${what}`, (t) => {
    const { tables, position } = folded();
    t.deepEqual(fold(tables, position, taken), { kind: "folded" });
    t.is(tables.weights.get("r"), 2);
    t.deepEqual(tables.head, taken.head);
    t.deepEqual(position, { revision: taken.revision, headModRevision: taken.revision });
  });
}

const twoRows: DecodedBatch = { ...batch(101, { n: 8, ops: 1 }), changes: [...batch(101, { n: 8 }).changes, ...batch(101, { n: 8 }, "s").changes] };

for (const [kind, what, left] of [
  ["skipped", "it is the folded revision", batch(100, { n: 8 })],
  ["skipped", "it is below the folded revision", batch(99, { n: 8 })],
  ["skipped", "it is below the folded revision and has no head", batch(99, undefined)],
  ["gap", "a batch lies between", batch(101, { n: 9 })],
  ["gap", "n is that of the last one", batch(101, { n: 7 })],
  ["gap", "it announces more rows than came", batch(101, { n: 8, ops: 2 })],
  ["gap", "it announces fewer rows than came", twoRows],
  ["gap", "a higher epoch begins with another n than 1", batch(101, { epoch: 60, n: 2 })],
  ["gap", "a higher epoch goes on counting where the last one ended", batch(101, { epoch: 60, n: 8 })],
  ["gap", "a lower epoch begins", batch(101, { epoch: 40, n: 1 })],
  ["gap", "a lower epoch goes on", batch(101, { epoch: 40, n: 8 })],
  ["gap", "the same epoch begins again", batch(101, { n: 1 })],
  ["gap", "its head names no epoch", { ...batch(101, { n: 8 }), head: HeadRecord.fromPartial({ n: 8, ops: 1 }) }],
  ["foreign", "rows changed without a head", batch(101, undefined)],
] as const) {
  test(`3.10 a batch leaves everything as it was (${kind}): ${what}`, (t) => {
    const { tables, position } = folded();
    const before = tables.head;
    t.is(fold(tables, position, left).kind, kind);
    t.is(tables.weights.size, 0);
    t.is(tables.head, before);
    t.deepEqual(position, { revision: 100, headModRevision: 98 });
  });
}

test("3.10 what a foreign hand changed is named by key", (t) => {
  const { tables, position } = folded();
  const result = fold(tables, position, batch(101, undefined));
  t.true(result.kind === "foreign" && result.detail.includes("w/r"));
});

test("3.10 the first batch of a registry has n = 1", (t) => {
  for (const empty of [undefined, HeadRecord.fromPartial({})]) {
    for (const [n, kind] of [[1, "folded"], [2, "gap"]] as const) {
      const tables = new Tables();
      tables.head = empty;
      t.is(fold(tables, { revision: 2, headModRevision: 2 }, batch(5, { n })).kind, kind);
    }
  }
});
