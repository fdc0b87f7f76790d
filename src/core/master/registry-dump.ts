/** Pages of the registry as text, for people and for comparing masters. */
import type { DumpRegistry, RegistryPage } from "../../wire/gen/mesarch/v1/operator.ts";
import type { Tables } from "../registry/tables.ts";

const DEFAULT_ROWS = 1_000;
const MOST_ROWS = 10_000;

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
  for (const [kind, tableOf] of Object.entries(tablesByKind)) {
    if (request.kinds.length > 0 && !request.kinds.includes(kind)) continue;
    if (`${kind}/\uffff` <= request.after) continue;
    const table: ReadonlyMap<string, unknown> = tableOf(tables);
    const ids = [...table.keys()].filter((id) => `${kind}/${id}` > request.after).sort();
    for (const id of ids) {
      if (rows.length === limit) return { rows, next: rows.at(-1)!.key };
      rows.push({ key: `${kind}/${id}`, json: jsonOf(table.get(id)) });
    }
  }
  return { rows, next: "" };
}

/** JSON text of a record: bytes as hex digits, 64-bit integers as numbers. */
export function jsonOf(record: unknown): string {
  return JSON.stringify(record, function (this: Record<string, unknown>, key, value: unknown) {
    // Not `value`: a Buffer has turned itself into something else by then.
    const raw = this[key];
    if (raw instanceof Uint8Array) return Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return typeof value === "bigint" ? Number(value) : value;
  });
}
