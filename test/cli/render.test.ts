import test from "ava";
import { age, measured, renderDocument, renderList, table, type Kind } from "../../src/cli/render.ts";

interface Row {
  readonly name: string;
  readonly count: number;
  readonly note?: string;
}

const kind: Kind<Row> = {
  name: "Row",
  columns: [
    { header: "NAME", value: (row) => row.name },
    { header: "COUNT", value: (row) => row.count, align: "right" },
    { header: "NOTE", value: (row) => row.note, wide: true },
  ],
};
const rows: Row[] = [{ name: "a", count: 5 }, { name: "long-name", count: 1_000, note: "x" }];

test("a table has aligned columns and no borders", (t) => {
  t.is(table(kind.columns, rows), "NAME       COUNT\na              5\nlong-name   1000\n");
  t.is(table(kind.columns, rows, true), "NAME       COUNT  NOTE\na              5  -\nlong-name   1000  x\n");
  t.is(table(kind.columns, []), "NAME  COUNT\n");
});

test("text from elsewhere cannot move the cursor", (t) => {
  t.is(table(kind.columns, [{ name: "a\u001b[2Jb\nc", count: 1 }]), "NAME      COUNT\na?[2Jb?c      1\n");
});

test("machine formats carry their version and kind, and all fields", async (t) => {
  t.deepEqual(JSON.parse(await renderList(kind, rows, "json")), { apiVersion: "mesarch/v1", kind: "RowList", items: rows });
  t.is(await renderList(kind, [rows[0]!], "yaml"), "apiVersion: mesarch/v1\nkind: RowList\nitems:\n  - name: a\n    count: 5\n");
});

test("bytes and large numbers have a form in JSON", async (t) => {
  const document = JSON.parse(await renderDocument({ kind: "X", uuid: Uint8Array.of(1, 2), end: 7n }, "json"));
  t.like(document, { uuid: "AQI=", end: 7 });
});

test("ages and measured times are short", (t) => {
  t.deepEqual([-5, 850, 12_000, 320_000, 11_400_000, 532_800_000, 86_400_000].map(age), ["0ms", "850ms", "12s", "5m20s", "3h10m", "6d4h", "1d"]);
  t.deepEqual([24.4, 1_204, -1, undefined].map(measured), ["24ms", "1.20s", undefined, undefined]);
});
