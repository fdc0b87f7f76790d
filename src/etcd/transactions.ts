import type { ICompare, IKeyValue, IRangeResponse, IRequestOp, ITxnRequest, ITxnResponse } from "etcd3";
import type { Batch, Candidate, Fence, HeadPosition } from "../ports/registry.ts";
import { HEAD, META, NEVER, type KeySpace } from "./keys.ts";

/** The transactions of the protocol, as etcd requests. No put in any else-branch: a full store would refuse all. */

/** Rule 2.14. The else-branch reads both rows. */
export function bootstrapTxn(keys: KeySpace, meta: Uint8Array, head: Uint8Array): ITxnRequest {
  return {
    compare: [createdAt(keys.key(META), 0)],
    success: [put(keys.key(META), meta), put(keys.key(HEAD), head)],
    failure: [get(keys.key(META)), get(keys.key(HEAD))],
  };
}

/** Rule 3.2. The else-branch tells why: it reads head and own key. */
export function commitTxn(keys: KeySpace, { fence, after, head, writes }: Batch): ITxnRequest {
  return {
    compare: [holds(keys, fence), headAt(keys, after)],
    success: [put(keys.key(HEAD), head), ...writes.map(({ key, value }) => (value === undefined ? remove(keys.key(key)) : put(keys.key(key), value)))],
    failure: [get(keys.key(HEAD)), get(keys.key(fence.candidateKey))],
  };
}

/** Rule 2.6. The delete changes nothing, but sends the compare through Raft. */
export function barrierTxn(keys: KeySpace, fence: Fence): ITxnRequest {
  return { compare: [holds(keys, fence)], success: [remove(keys.key(NEVER)), candidateRange(keys)], failure: [] };
}

/** Rule 2.4. */
export function promoteTxn(keys: KeySpace, fence: Fence, head: HeadPosition, accused: readonly Candidate[]): ITxnRequest {
  return {
    compare: [holds(keys, fence), headAt(keys, head)],
    success: [...accused.map(({ key }) => remove(keys.key(key))), remove(keys.key(NEVER)), candidateRange(keys)],
    failure: [get(keys.key(HEAD)), get(keys.key(fence.candidateKey))],
  };
}

/** Rule 2.2. Either branch ends with the list of candidates. */
export function enqueueTxn(keys: KeySpace, key: string, value: Uint8Array, lease: string): ITxnRequest {
  return {
    compare: [createdAt(keys.key(key), 0)],
    success: [{ request_put: { key: keys.key(key), value: Buffer.from(value), lease } }, candidateRange(keys)],
    failure: [candidateRange(keys)],
  };
}

export function removeTxn(keys: KeySpace, key: string, createRevision: number): ITxnRequest {
  return { compare: [createdAt(keys.key(key), createRevision)], success: [remove(keys.key(key))], failure: [] };
}

/** What the `index`-th operation of the branch taken read, if that was a range. */
export function rangeOf(response: ITxnResponse, index: number): IRangeResponse {
  const range = response.responses.at(index)?.response_range;
  if (range === undefined) throw new Error(`etcd answered a transaction without the range at ${index}`);
  return range;
}

/** Rows of `cand/` as candidates, oldest first. */
export function candidatesOf(keys: KeySpace, rows: readonly IKeyValue[]): Candidate[] {
  return rows
    .map((row) => ({ key: keys.relative(row.key), createRevision: revision(row.create_revision), value: row.value }))
    .sort((a, b) => a.createRevision - b.createRevision);
}

/** etcd's 64-bit numbers arrive as text. Throws a RangeError for one that a number cannot hold. */
export function revision(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`etcd revision ${text} is beyond 2^53`);
  return value;
}

function holds(keys: KeySpace, { candidateKey, createRevision }: Fence): ICompare {
  return createdAt(keys.key(candidateKey), createRevision);
}

function createdAt(key: Buffer, createRevision: number): ICompare {
  return { key, target: "Create", result: "Equal", create_revision: createRevision };
}

function headAt(keys: KeySpace, { modRevision }: HeadPosition): ICompare {
  return { key: keys.key(HEAD), target: "Mod", result: "Equal", mod_revision: modRevision };
}

function put(key: Buffer, value: Uint8Array): IRequestOp {
  return { request_put: { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) } };
}

function remove(key: Buffer): IRequestOp {
  return { request_delete_range: { key } };
}

function get(key: Buffer): IRequestOp {
  return { request_range: { key } };
}

function candidateRange(keys: KeySpace): IRequestOp {
  return { request_range: { key: keys.candidates.start, range_end: keys.candidates.end } };
}
