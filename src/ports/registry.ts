/**
 * The registry as a master sees it: rows of bytes in a store with revisions, written by one leader at a time.
 *
 * Keys here are relative ("t/<launch>"); the adapter adds its prefix. Rule numbers are those of docs/protocol.md.
 * Implemented by `src/etcd` and, for tests, by an in-memory twin; both pass one contract suite.
 */

/** One row to write; `value` absent deletes it. */
export interface RowWrite {
  readonly key: string;
  readonly value?: Uint8Array;
}

export interface Row {
  readonly key: string;
  readonly value: Uint8Array;
}

/** What a leader proves with each transaction (2.6, 3.2): its candidate key still exists, created at this revision. */
export interface Fence {
  readonly candidateKey: string;
  readonly createRevision: number;
}

/** The head row as last seen: 0 when it was never written. */
export interface HeadPosition {
  readonly modRevision: number;
}

export interface Batch {
  readonly fence: Fence;
  /** Where the head stood before this batch (3.2). */
  readonly after: HeadPosition;
  /** The new head row, already encoded. It names (epoch, n), which makes every copy of this batch recognisable. */
  readonly head: Uint8Array;
  /** At most `limits.batchRows` rows, no key twice; never `head` itself. */
  readonly writes: readonly RowWrite[];
}

/** How a batch ended (3.3, 3.5). `unknown` never leaves the adapter: it repeats the same bytes until it is settled. */
export type BatchResult =
  | { readonly kind: "committed"; readonly revision: number }
  | { readonly kind: "deposed" }
  /** Somebody else wrote under the registry's prefix: stop leading, alarm. */
  | { readonly kind: "intruder"; readonly detail: string }
  /** The store is full and no copy of this batch can still land. */
  | { readonly kind: "noSpace" }
  /** The store calls the request malformed: a bug of ours. */
  | { readonly kind: "invalid"; readonly detail: string };

export type BarrierResult =
  | { readonly kind: "passed"; readonly revision: number; readonly candidates: readonly Candidate[] }
  | { readonly kind: "deposed" };

/** A queued candidate (2.1), oldest first wherever a list of them appears. */
export interface Candidate {
  /** Relative key, `cand/<name>.<incarnation>.<n>`. */
  readonly key: string;
  readonly createRevision: number;
  readonly value: Uint8Array;
}

export type PromoteResult =
  /** This candidate leads; `revision` is the store's at that moment. */
  | { readonly kind: "leading"; readonly revision: number }
  /** The head moved past what was folded: catch up to `headModRevision`, then try again (2.5). */
  | { readonly kind: "behind"; readonly headModRevision: number }
  /** Own key is gone: enqueue again. */
  | { readonly kind: "gone" }
  /** Others queue before this one. */
  | { readonly kind: "queued"; readonly candidates: readonly Candidate[] };

/** All changes of one store revision under the registry's prefix, candidate keys not included. */
export interface RevisionChanges {
  readonly revision: number;
  readonly writes: readonly RowWrite[];
}

export type WatchEnd =
  /** The wanted revision is compacted away: load again. */
  | { readonly kind: "compacted"; readonly compactRevision: number }
  /** The store answers with an older revision, another cluster or another generation than before (3.11). */
  | { readonly kind: "wentBack"; readonly detail: string }
  | { readonly kind: "aborted" };

export interface RegistryPort {
  /** Writes `meta` and an empty head if the registry does not exist (2.14). Returns both rows as they then are. */
  bootstrap(meta: Uint8Array, head: Uint8Array, signal: AbortSignal): Promise<{ meta: Uint8Array; revision: number }>;

  /**
   * Reads every row (`meta` and `head` too, candidates not) as of one revision, in bounded ranges and in chunks.
   * Throws StoreUnavailable, or StoreCompacted when history went faster than the reading: load again.
   */
  load(onChunk: (rows: readonly Row[]) => void, signal: AbortSignal): Promise<{ revision: number; headModRevision: number }>;

  /**
   * Calls `onChanges` for each revision from `from` on, in order, each exactly once, across reconnects.
   * Reconnects by itself; ends only for the reasons of `WatchEnd`.
   */
  watch(from: number, onChanges: (changes: readonly RevisionChanges[]) => void, signal: AbortSignal): Promise<WatchEnd>;

  /**
   * Commits one batch; only one may be in flight. Resolves when its fate is known, however long that takes; `signal`
   * gives up waiting (rejects with the signal's reason: the fate is then unknown).
   * `onAttempt` hears of each copy that settled nothing: unanswered, or refused (StoreFull) while an earlier one may
   * still land.
   */
  commit(batch: Batch, signal: AbortSignal, onAttempt?: (error: unknown) => void): Promise<BatchResult>;

  /** A fenced transaction that writes nothing (2.6). Repeats itself until answered or aborted. */
  barrier(fence: Fence, signal: AbortSignal): Promise<BarrierResult>;

  /** Forgets history before `revision` (13.3). */
  compact(revision: number, signal: AbortSignal): Promise<void>;

  /** Bytes in use in the store and its quota; the quota is 0 when the store does not say. Throws StoreUnavailable. */
  size(signal: AbortSignal): Promise<{ usedBytes: number; quotaBytes: number }>;
}

export interface ElectionPort {
  /** Grants the lease that all candidate keys of this process hang on. `ttlSeconds` >= 2. Throws StoreFull (2.13). */
  grantLease(ttlSeconds: number, signal: AbortSignal): Promise<void>;

  /**
   * Sends one keep-alive (2.7): the caller decides when it is deserved. Resolves false when the lease no longer exists.
   * Throws StoreUnavailable.
   */
  keepAlive(signal: AbortSignal): Promise<boolean>;

  /**
   * Creates the candidate key if absent (2.2). A key name is used for one creation only.
   * Throws LeaseLost when the lease has ended, StoreFull when nothing can be put (2.13).
   */
  enqueue(key: string, value: Uint8Array, signal: AbortSignal): Promise<{ createRevision: number; candidates: readonly Candidate[]; revision: number }>;

  /** The candidate set now and after each change, as the whole set each time. Ends when aborted. */
  watchCandidates(onChange: (candidates: readonly Candidate[], revision: number) => void, signal: AbortSignal): Promise<void>;

  /** Rule 2.4, one transaction: own key and head as expected -> delete the accused keys. */
  promote(fence: Fence, head: HeadPosition, accused: readonly Candidate[], signal: AbortSignal): Promise<PromoteResult>;

  /**
   * Deletes a candidate key if it still has that create-revision. True if the answered copy of the request deleted it;
   * either way the key is gone under that revision.
   */
  remove(key: string, createRevision: number, signal: AbortSignal): Promise<boolean>;

  /** All candidates now, by a linearizable read. Throws StoreUnavailable. */
  candidates(signal: AbortSignal): Promise<readonly Candidate[]>;

  /** Revokes the lease: every candidate key of this process goes. */
  revokeLease(signal: AbortSignal): Promise<void>;
}

export type Store = RegistryPort & ElectionPort & AsyncDisposable;

/** What `registry restore` may do, and nobody else (13.2). Only while no master queues. */
export interface RestorePort extends AsyncDisposable {
  /** The rows `meta` and `head` as they are; undefined where the store holds no registry. */
  read(signal: AbortSignal): Promise<{ meta: Uint8Array; head: Uint8Array } | undefined>;
  /**
   * Writes `meta` in place of `before`; with `before` undefined, also an empty head, if the store holds no registry.
   * "masters": a candidate key exists; "changed": the row is not `before`. Nothing was written then.
   */
  replaceMeta(before: Uint8Array | undefined, meta: Uint8Array, signal: AbortSignal): Promise<"replaced" | "masters" | "changed">;
}
