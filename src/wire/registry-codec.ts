/** Registry rows: a change and its record to key and bytes, and back. */
import type { Change, RecordOf, RowKind } from "../core/registry/change.ts";
import { rowKey } from "../core/registry/change.ts";
import type { RowWrite } from "../ports/registry.ts";
import {
  AgentRecord,
  FrameworkRecord,
  HeadRecord,
  HistoryRecord,
  LeaderRecord,
  MetaRecord,
  TaskRecord,
  WeightRecord,
} from "./gen/mesarch/v1/registry.ts";

/** The registry format this version reads and writes (13.1). */
export const REGISTRY_FORMAT = 1;
export const HEAD_KEY = "head";

interface Codec<T> {
  encode(record: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

const codecs: { readonly [K in RowKind]: Codec<RecordOf[K]> } = {
  meta: MetaRecord,
  f: FrameworkRecord,
  a: AgentRecord,
  t: TaskRecord,
  h: HistoryRecord,
  l: LeaderRecord,
  w: WeightRecord,
};

/** Records are values, so their bytes are made once: for the size check, and for the transaction. */
const encoded = new WeakMap<object, Uint8Array>();

function bytesOf(change: Change): Uint8Array | undefined {
  if (change.record === undefined) return undefined;
  let bytes = encoded.get(change.record);
  if (bytes === undefined) {
    bytes = (codecs[change.kind] as Codec<unknown>).encode(change.record).finish();
    encoded.set(change.record, bytes);
  }
  return bytes;
}

/** Bytes a change adds to a transaction. */
export function sizeOfChange(change: Change): number {
  return rowKey(change).length + (bytesOf(change)?.length ?? 0) + 16;
}

export function encodeChange(change: Change): RowWrite {
  const value = bytesOf(change);
  return value === undefined ? { key: rowKey(change) } : { key: rowKey(change), value };
}

export type DecodedRow =
  | { readonly kind: "change"; readonly change: Change }
  | { readonly kind: "head"; readonly head: HeadRecord }
  /** A key that is none of ours, or bytes that do not parse (3.10). */
  | { readonly kind: "foreign"; readonly key: string; readonly reason: string };

export function decodeRow(row: RowWrite): DecodedRow {
  try {
    if (row.key === HEAD_KEY) {
      if (row.value === undefined) return { kind: "foreign", key: row.key, reason: "the head row was deleted" };
      return { kind: "head", head: HeadRecord.decode(row.value) };
    }
    const slash = row.key.indexOf("/");
    const kind = slash < 0 ? row.key : row.key.slice(0, slash);
    if (!Object.hasOwn(codecs, kind)) return { kind: "foreign", key: row.key, reason: "no row kind of this format" };
    const id = slash < 0 ? "" : row.key.slice(slash + 1);
    const record = row.value === undefined ? undefined : codecs[kind as RowKind].decode(row.value);
    return { kind: "change", change: { kind, id, record } as Change };
  } catch (error) {
    return { kind: "foreign", key: row.key, reason: `does not parse: ${String(error)}` };
  }
}
