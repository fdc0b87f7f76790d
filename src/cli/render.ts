/** Output for people (aligned columns without borders) and for programs (JSON and YAML with stable names). */

export const API_VERSION = "mesarch/v1";

export type Form = "table" | "wide" | "json" | "yaml";

export interface Column<T> {
  readonly header: string;
  readonly value: (row: T) => string | number | undefined;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
  readonly align?: "right";
}

/** A kind of thing that is listed: its name in machine formats, and its columns in tables. */
export interface Kind<T> {
  readonly name: string;
  readonly columns: readonly Column<T>[];
}

/** A list in the wanted form, ending with a line break. Machine formats: `{apiVersion, kind: "<Name>List", items}`. */
export async function renderList<T extends object>(kind: Kind<T>, rows: readonly T[], form: Form): Promise<string> {
  if (form === "table" || form === "wide") return table(kind.columns, rows, form === "wide");
  return renderDocument({ kind: `${kind.name}List`, items: rows }, form);
}

/** One thing as a document; tables have no form for it and show YAML. */
export async function renderDocument(value: object, form: Form): Promise<string> {
  const document = { apiVersion: API_VERSION, ...value };
  if (form === "json") return `${JSON.stringify(document, jsonValue, 2)}\n`;
  const { stringify } = await import("yaml");
  return stringify(JSON.parse(JSON.stringify(document, jsonValue)));
}

/** A record as one line of JSON, without a line break. */
export function jsonLine(value: object): string {
  return JSON.stringify(value, jsonValue);
}

/** Missing values show as "-". Columns are two spaces apart; the last one is not padded. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[], wide = false): string {
  const shown = columns.filter((column) => wide || column.wide !== true);
  const cells = [shown.map(({ header }) => header), ...rows.map((row) => shown.map(({ value }) => cell(value(row))))];
  const widths = shown.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  return cells
    .map((line) => line.map((text, i) => (shown[i]!.align === "right" ? text.padStart(widths[i]!) : text.padEnd(widths[i]!))).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Text from the cluster may hold anything; nothing of it may move the cursor. */
function cell(value: string | number | undefined): string {
  const text = value === undefined || value === "" ? "-" : String(value);
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}

function jsonValue(key: string, value: unknown): unknown {
  if (key === "_unknownFields") return undefined; // kept for rewriting records, not for reading
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return value;
}

/** "850ms", "12s", "5m20s", "3h10m", "6d4h": short, two parts at most. */
export function age(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  const units = [["d", 86_400], ["h", 3_600], ["m", 60], ["s", 1]] as const;
  let seconds = Math.floor(ms / 1_000);
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0) parts.push(`${count}${name}`);
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break;
  }
  return parts.join("");
}

/** "24ms", "1.20s": a measured time. */
export function measured(ms: number | undefined): string | undefined {
  if (ms === undefined || ms < 0) return undefined;
  return ms < 1_000 ? `${Math.round(ms)}ms` : `${(ms / 1_000).toFixed(2)}s`;
}
