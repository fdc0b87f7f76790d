import type { Batch, BatchResult, Fence, RevisionChanges, Row, RowWrite, Store } from "../../src/ports/registry.ts";
import { Collector } from "../support/collector.ts";

/** One store and the means to trouble it, for the contract suite. */
export interface StoreWorld extends AsyncDisposable {
  /** A new client of the store; ended with the world. */
  connect(): Store;
  /** Cuts every client off, streams included, until `heal`. */
  cut(): void;
  heal(): void;
  /** Makes the store refuse puts, and take them again. */
  fill(): Promise<void>;
  drain(): Promise<void>;
  /** Ends the lease of a client as if it had stopped its keep-alives. */
  expireLease(store: Store): Promise<void>;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();
export const never = (): AbortSignal => AbortSignal.timeout(60_000);

/** A client that holds a candidate key and knows where the head stands. */
export class Master {
  readonly store: Store;
  readonly fence: Fence;
  head: number;
  n = 0;

  constructor(store: Store, fence: Fence, head: number) {
    this.store = store;
    this.fence = fence;
    this.head = head;
  }

  /** Bootstraps, grants a lease and enqueues. */
  static async join(world: StoreWorld, name: string, ttlSeconds = 60): Promise<Master> {
    const store = world.connect();
    await store.bootstrap(bytes("meta"), bytes("head 0"), never());
    const { headModRevision } = await store.load(() => {}, never());
    await store.grantLease(ttlSeconds, never());
    const key = `cand/${name}.1.1`;
    const { createRevision } = await store.enqueue(key, bytes(name), never());
    return new Master(store, { candidateKey: key, createRevision }, headModRevision);
  }

  batch(writes: readonly RowWrite[]): Batch {
    this.n += 1;
    return { fence: this.fence, after: { modRevision: this.head }, head: bytes(`${this.fence.candidateKey} ${this.n}`), writes };
  }

  /** Sends a batch and moves on if it was committed. */
  async send(batch: Batch, signal: AbortSignal = never()): Promise<BatchResult> {
    const result = await this.store.commit(batch, signal);
    if (result.kind === "committed") this.head = result.revision;
    return result;
  }

  async commit(...writes: RowWrite[]): Promise<number> {
    const result = await this.send(this.batch(writes));
    if (result.kind !== "committed") throw new Error(`not committed: ${JSON.stringify(result)}`);
    return result.revision;
  }
}

/** `count` rows `t/<hex>` spread over the key space, with the same value. */
export function rows(count: number, value: string, salt = 0): RowWrite[] {
  return Array.from({ length: count }, (_, i) => ({ key: `t/${hex(i + salt)}`, value: bytes(value) }));
}

/** A scattering that never repeats below 2^32. */
function hex(i: number): string {
  return (Math.imul(i, 2_654_435_761) >>> 0).toString(16).padStart(8, "0");
}

export async function loadAll(store: Store): Promise<{ rows: Map<string, string>; order: string[]; revision: number; headModRevision: number }> {
  const all: Row[] = [];
  const loaded = await store.load((chunk) => all.push(...chunk), never());
  return { rows: new Map(all.map(({ key, value }) => [key, text(value)!])), order: all.map(({ key }) => key), ...loaded };
}

/** Follows the registry until stopped; `fold` is what a standby would hold. */
export function follow(store: Store, from: number) {
  const changes = new Collector<RevisionChanges>();
  const stop = new AbortController();
  const end = store.watch(from, (batch) => batch.forEach(changes.add), stop.signal);
  return {
    changes,
    end,
    until: (revision: number) => changes.until(`revision ${revision}`, (items) => (items.at(-1)?.revision ?? 0) >= revision),
    revisions: () => changes.items.map(({ revision }) => revision),
    async stop() {
      stop.abort();
      return end;
    },
  };
}
