import type { IKeyValue } from "etcd3";
import type { Row } from "../ports/registry.ts";
import type { EtcdClient } from "./client.ts";
import { HEAD, keyBetween, META, type KeyRange, type KeySpace } from "./keys.ts";
import { revision } from "./transactions.ts";

/** Rows asked for at once: enough to make a read of this size, between these bounds. */
const PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_ROWS_MIN = 16;
const PAGE_ROWS_MAX = 4_000;
const PAGE_ROWS_FIRST = 64;

/** A range with more pages than this is divided: etcd walks to its end for every page, to count. */
const PAGES_UNDIVIDED = 4;
const PIECES_MAX = 16;

export interface Loaded {
  readonly revision: number;
  readonly headModRevision: number;
  readonly metaModRevision: number;
  readonly clusterId: string;
}

/** Reads all rows as of one revision. Throws StoreUnavailable or StoreCompacted. */
export async function loadRows(
  client: EtcdClient,
  keys: KeySpace,
  onChunk: (rows: readonly Row[]) => void,
  signal: AbortSignal,
): Promise<Loaded> {
  const repeat = { signal, patienceMs: client.config.readPatienceMs };
  const first = await client.repeat("load", (etcd, options) => etcd.kv.range({ key: keys.key(HEAD) }, options), repeat);
  const at = revision(first.header.revision);
  const pending: KeyRange[] = [...keys.rows].reverse();
  let limit = PAGE_ROWS_FIRST;
  let metaModRevision = 0;

  for (let range = pending.pop(); range !== undefined; range = pending.pop()) {
    const { start, end } = range;
    const request = { key: start, range_end: end, limit, revision: at };
    const page = await client.repeat("load", (etcd, options) => etcd.kv.range(request, options), repeat);
    if (page.kvs.length > 0) {
      onChunk(page.kvs.map((row) => ({ key: keys.relative(row.key), value: row.value })));
      const meta = page.kvs.find((row) => keys.relative(row.key) === META);
      if (meta !== undefined) metaModRevision = revision(meta.mod_revision);
      limit = nextLimit(page.kvs);
    }
    const left = Number(page.count) - page.kvs.length;
    if (left > 0) pending.push(...divide({ start: after(page.kvs.at(-1)!.key), end }, Math.ceil(left / limit)).reverse());
  }
  const headModRevision = first.kvs[0] === undefined ? 0 : revision(first.kvs[0].mod_revision);
  return { revision: at, headModRevision, metaModRevision, clusterId: first.header.cluster_id };
}

function nextLimit(page: readonly IKeyValue[]): number {
  const bytes = page.reduce((sum, row) => sum + row.key.length + row.value.length, 0);
  return Math.min(PAGE_ROWS_MAX, Math.max(PAGE_ROWS_MIN, Math.floor((PAGE_BYTES * page.length) / bytes)));
}

/** Pieces of a range, in order, none empty by its bounds. Where the rows really lie shows when a piece is read. */
function divide(range: KeyRange, pages: number): KeyRange[] {
  if (pages <= PAGES_UNDIVIDED) return [range];
  const pieces = Math.min(PIECES_MAX, pages);
  const pieceRanges: KeyRange[] = [];
  let start = range.start;
  for (let piece = 1; piece <= pieces; piece += 1) {
    const end = piece === pieces ? range.end : keyBetween(range, piece, pieces);
    if (Buffer.compare(start, end) >= 0 || Buffer.compare(end, range.end) > 0) continue;
    pieceRanges.push({ start, end });
    start = end;
  }
  return pieceRanges;
}

/** The next possible key. */
function after(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}
