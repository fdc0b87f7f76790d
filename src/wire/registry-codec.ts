/** Registry rows: a change and its record to key and bytes, and back. */
import type { Change, RecordOf, RowKind } from "../core/registry/change.ts";
import { rowKey } from "../core/registry/change.ts";
import { isLaunchId } from "../model/ids.ts";
import { taskResources } from "../model/task-resources.ts";
import type { RowWrite } from "../ports/registry.ts";
import { CopyingReader } from "./counting-reader.ts";
import {
  AgentRecord,
  CandidateRecord,
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
  decode(reader: CopyingReader): T;
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

/** Records are values, so their bytes are made once: for the size check, and for the transaction, which takes them. */
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
  if (change.record !== undefined) encoded.delete(change.record);
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
    const record = row.value === undefined ? undefined : codecs[kind as RowKind].decode(new CopyingReader(row.value));
    const change = { kind, id, record } as Change;
    const doubt = whyForeign(change);
    return doubt === undefined ? { kind: "change", change } : { kind: "foreign", key: row.key, reason: doubt };
  } catch (error) {
    return { kind: "foreign", key: row.key, reason: `does not parse: ${String(error)}` };
  }
}

/** The record of a candidate key; undefined when no master wrote it (2.1). */
export function decodeCandidate(key: string, value: Uint8Array): CandidateRecord | undefined {
  try {
    const record = CandidateRecord.decode(value);
    return record.master !== "" && key.startsWith(`cand/${record.master}.${record.incarnation}.`) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of another kind often parse: a record must also be about what its key says. */
function whyForeign({ kind, id, record }: Change): string | undefined {
  if (record === undefined) return undefined;
  switch (kind) {
    case "t":
      return record.launchId === id && isLaunched(record) ? undefined : "not the task its key names";
    case "f":
      return record.info !== undefined && record.standing !== undefined ? undefined : "no framework";
    case "a":
      return record.info !== undefined && record.standing !== undefined ? undefined : "no agent";
    case "w":
      return record.role === id && record.weight > 0 && Number.isFinite(record.weight) ? undefined : "no weight of that role";
    case "h":
      return record.task !== undefined && id.startsWith(`${record.task.frameworkId}/`) && isLaunched(record.task)
        ? undefined
        : "no finished task of that framework";
    case "l":
      return record.epoch !== undefined ? undefined : "no leadership";
    case "meta":
      return record.clusterId !== "" ? undefined : "names no cluster";
  }
}

/** What the tables rely on: a row that only looks like a task would be half in them, and be delivered as a launch. */
function isLaunched({ launchId, info, agentId }: TaskRecord): boolean {
  return isLaunchId(launchId) && agentId !== "" && info !== undefined && taskResources(info).ok;
}
