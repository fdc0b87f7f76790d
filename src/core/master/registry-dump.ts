/** Pages of the registry as text, for people and for comparing masters. */
import type { DumpRegistry, RegistryPage } from "../../wire/gen/mesarch/v1/operator.ts";
import type { Tables } from "../registry/tables.ts";

const DEFAULT_ROWS = 1_000;
const MOST_ROWS = 10_000;
/** Text of one page; the door cuts it further to what a message takes. */
const PAGE_CHARACTERS = 8 * 1024 * 1024;

/** Row kinds in the order of their keys. */
const tablesByKind = {
  a: (tables: Tables) => tables.agents,
  f: (tables: Tables) => tables.frameworks,
  h: (tables: Tables) => tables.history,
  l: (tables: Tables) => tables.leaders,
  t: (tables: Tables) => tables.tasks,
  w: (tables: Tables) => tables.weights,
} as const satisfies Record<string, (tables: Tables) => ReadonlyMap<string, unknown>>;

/** Why a request for a page is not acceptable, if so. */
export function dumpError(request: DumpRegistry): string | undefined {
  const stray = request.kinds.find((kind) => !Object.hasOwn(tablesByKind, kind));
  return stray === undefined ? undefined : `'${stray}' is no row kind; there are ${Object.keys(tablesByKind).join(", ")}`;
}

/** Rows in the order of their keys, after the key given. Fixed revision only within one page. */
export function dumpPage(tables: Tables, request: DumpRegistry): RegistryPage {
  const limit = Math.min(request.limit === 0 ? DEFAULT_ROWS : request.limit, MOST_ROWS);
  const rows: RegistryPage["rows"] = [];
  let characters = 0;
  for (const [kind, tableOf] of Object.entries(tablesByKind)) {
    if (request.kinds.length > 0 && !request.kinds.includes(kind)) continue;
    if (`${kind}/\uffff` <= request.after) continue;
    const table: ReadonlyMap<string, unknown> = tableOf(tables);
    const after = request.after.startsWith(`${kind}/`) ? request.after.slice(kind.length + 1) : "";
    // One more than may be listed, to know whether there are any.
    for (const id of firstAfter(table.keys(), after, limit - rows.length + 1)) {
      const json = rows.length < limit ? jsonOf(table.get(id)) : "";
      characters += json.length;
      if (rows.length === limit || (characters > PAGE_CHARACTERS && rows.length > 0)) return { rows, next: rows.at(-1)!.key };
      rows.push({ key: `${kind}/${id}`, json });
    }
  }
  return { rows, next: "" };
}

/** The first `count` of the keys after this one, in their order: without sorting all of a large table for each page. */
function firstAfter(keys: Iterable<string>, after: string, count: number): string[] {
  let first: string[] = [];
  let last: string | undefined;
  for (const key of keys) {
    if (key <= after || (last !== undefined && key > last)) continue;
    first.push(key);
    if (first.length < 2 * count + 100) continue;
    first = first.sort().slice(0, count);
    last = first.at(-1);
  }
  return first.sort().slice(0, count);
}

/** JSON text of a record: bytes as hex digits, 64-bit integers as numbers, fields of a newer version by their numbers. */
export function jsonOf(record: unknown): string {
  return JSON.stringify(record, function (this: Record<string, unknown>, key, value: unknown) {
    // Not `value`: a Buffer has turned itself into something else by then.
    const raw = this[key];
    if (raw instanceof Uint8Array) return Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (key === "_unknownFields") return byNumber(value ?? {});
    return typeof value === "bigint" ? Number(value) : value;
  });
}

/** What the decoder keeps of unknown fields, with their numbers in place of its tags; undefined, so left out, if nothing. */
function byNumber(unknown: object): Record<string, unknown> | undefined {
  const fields = Object.entries(unknown).map(([tag, values]) => [String(Number(tag) >>> 3), values] as const);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
