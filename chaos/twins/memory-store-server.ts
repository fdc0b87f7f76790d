import type { Candidate, Fence, HeadPosition, Row, RowWrite } from "../../src/ports/registry.ts";

/** Runs a task soon, never at once: how requests, replies and watch events travel. A simulation brings its own. */
export type Defer = (task: () => void) => void;

interface StoredRow {
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly lease: number | undefined;
}

export interface RevisionRecord {
  readonly revision: number;
  readonly writes: readonly (RowWrite & { readonly createRevision?: number })[];
}

export interface ServerSnapshot {
  readonly revision: number;
  readonly rows: ReadonlyMap<string, StoredRow>;
}

export const CANDIDATES = "cand/";
const TRANSACTION_OPS_MAX = 128;
const REQUEST_BYTES_MAX = 1.5 * 1024 * 1024;

/** The state that several `MemoryStore` clients share: what etcd is to the real adapter, without time or failures. */
export class MemoryStoreServer {
  readonly defer: Defer;
  /** As in etcd, the revision of an empty store is 1. */
  revision = 1;
  compactRevision = 0;
  /** Told to who asks for the size, and not enforced: see `full`. 0: not told. */
  quotaBytes = 0;
  #full = false;
  #rows = new Map<string, StoredRow>();
  /** Keys of candidates: every barrier lists them. */
  readonly #queue = new Set<string>();
  #history: RevisionRecord[] = [];
  #leases = new Set<number>();
  #nextLease = 1;
  readonly #watchers = new Set<() => void>();

  constructor(defer: Defer = setImmediate) {
    this.defer = defer;
  }

  /** In a full store nothing can be put and no lease granted; deletes work. */
  get full(): boolean {
    return this.#full;
  }

  set full(full: boolean) {
    this.#full = full;
    this.#notify();
  }

  /** Bytes of all rows, and of their history that is not compacted. */
  get usedBytes(): number {
    let bytes = 0;
    for (const [key, { value }] of this.#rows) bytes += key.length + value.length;
    for (const { writes } of this.#history) for (const { key, value } of writes) bytes += key.length + (value?.length ?? 0);
    return bytes;
  }

  get(key: string): StoredRow | undefined {
    return this.#rows.get(key);
  }

  /** All rows but the candidates, by key. */
  rows(): Row[] {
    return [...this.#rows]
      .filter(([key]) => !key.startsWith(CANDIDATES))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { value }]) => ({ key, value }));
  }

  candidates(): Candidate[] {
    return [...this.#queue]
      .map((key) => ({ key, row: this.#rows.get(key)! }))
      .map(({ key, row: { value, createRevision } }) => ({ key, value, createRevision }))
      .sort((a, b) => a.createRevision - b.createRevision);
  }

  holds({ candidateKey, createRevision }: Fence): boolean {
    return this.#rows.get(candidateKey)?.createRevision === createRevision;
  }

  headIs({ modRevision }: HeadPosition): boolean {
    return (this.#rows.get("head")?.modRevision ?? 0) === modRevision;
  }

  /** Why the store would call these writes malformed, if it would. */
  malformed(writes: readonly RowWrite[]): string | undefined {
    if (writes.length > TRANSACTION_OPS_MAX) return "too many operations in txn request";
    if (new Set(writes.map(({ key }) => key)).size < writes.length) return "duplicate key given in txn request";
    const bytes = writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
    return bytes > REQUEST_BYTES_MAX ? "request is too large" : undefined;
  }

  /** Applies writes as one revision; deletes of what is not there change nothing. Returns the revision after it. */
  apply(writes: readonly RowWrite[], lease?: number): number {
    const effective = writes.filter(({ key, value }) => value !== undefined || this.#rows.has(key));
    if (effective.length === 0) return this.revision;
    this.revision += 1;
    const record = effective.map(({ key, value }) => {
      const createRevision = this.#rows.get(key)?.createRevision ?? this.revision;
      if (key.startsWith(CANDIDATES)) this.#queue[value === undefined ? "delete" : "add"](key);
      if (value === undefined) this.#rows.delete(key);
      else this.#rows.set(key, { value, createRevision, modRevision: this.revision, lease });
      return { key, createRevision, ...(value && { value }) };
    });
    this.#history.push({ revision: this.revision, writes: record });
    this.#notify();
    return this.revision;
  }

  /** What happened from `from` on, oldest first. */
  since(from: number): RevisionRecord[] {
    return this.#history.filter(({ revision }) => revision >= from);
  }

  compact(before: number): void {
    this.compactRevision = Math.max(this.compactRevision, Math.min(before, this.revision));
    this.#history = this.since(this.compactRevision);
    this.#notify();
  }

  grantLease(): number {
    const lease = this.#nextLease++;
    this.#leases.add(lease);
    return lease;
  }

  hasLease(lease: number): boolean {
    return this.#leases.has(lease);
  }

  /** Ends a lease, by expiry or revocation: its keys go in one revision. */
  endLease(lease: number): void {
    if (!this.#leases.delete(lease)) return;
    this.apply([...this.#rows].filter(([, row]) => row.lease === lease).map(([key]) => ({ key })));
  }

  /** A backup of the rows, without leased ones and without history, for `restore`. */
  snapshot(): ServerSnapshot {
    return { revision: this.revision, rows: new Map([...this.#rows].filter(([, row]) => row.lease === undefined)) };
  }

  /** Goes back to a backup (13.2). */
  restore({ revision, rows }: ServerSnapshot): void {
    this.revision = revision;
    this.#rows = new Map(rows);
    this.#queue.clear();
    for (const key of rows.keys()) if (key.startsWith(CANDIDATES)) this.#queue.add(key);
    this.#history = [];
    this.compactRevision = revision;
    this.#leases.clear();
    this.#notify();
  }

  /** Calls back after each change, later; returns how to stop that. */
  onChange(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) this.defer(watcher);
  }
}
