import type {
  BarrierResult,
  Batch,
  BatchResult,
  Candidate,
  Fence,
  HeadPosition,
  PromoteResult,
  RevisionChanges,
  Row,
  Store,
  WatchEnd,
} from "../../src/ports/registry.ts";
import { LeaseLost, StoreCompacted, StoreFull, StoreUnavailable } from "../../src/ports/store-errors.ts";
import { CANDIDATES, type Defer, type MemoryStoreServer } from "./memory-store-server.ts";

/**
 * How a client reaches the server: `cut` refuses at once, `hung` never answers, `deaf` takes requests and loses answers.
 * Streams are silent in all but `up`.
 */
export type Link = "up" | "cut" | "hung" | "deaf";

type CommitFault = "loseReply" | "hold";

const LOAD_CHUNK_ROWS = 100;

/** In-memory twin of the etcd adapter: one client of a `MemoryStoreServer`, with faults to order. */
export class MemoryStore implements Store {
  readonly #server: MemoryStoreServer;
  readonly #arrive: Defer;
  readonly #closed = new AbortController();
  readonly #wakers = new Set<() => void>();
  /** Whether a request that was given up on its way reaches the store all the same. */
  abandonedLands: () => boolean = () => false;
  #link: Link = "up";
  #commitFaults: CommitFault[] = [];
  #held: (() => void)[] = [];
  #lease: number | undefined;
  #metaModRevision: number | undefined;

  /** `arrive`: how answers and events reach this client; by default as everything does. */
  constructor(server: MemoryStoreServer, arrive: Defer = server.defer) {
    this.#server = server;
    this.#arrive = arrive;
  }

  get link(): Link {
    return this.#link;
  }

  set link(link: Link) {
    this.#link = link;
    for (const wake of [...this.#wakers]) this.#arrive(wake);
  }

  /** The next commit is applied, but its reply is lost: the same bytes are sent again. */
  loseNextCommitReply(): void {
    this.#commitFaults.push("loseReply");
  }

  /** The first copy of the next commit stays on its way until `landHeldCommits`; another copy follows it. */
  holdNextCommit(): void {
    this.#commitFaults.push("hold");
  }

  /** Copies held so far reach the store now, however late that is. */
  landHeldCommits(): void {
    for (const land of this.#held.splice(0)) land();
  }

  /** What a missed keep-alive leads to: the lease and its keys are gone. */
  expireLease(): void {
    if (this.#lease !== undefined) this.#server.endLease(this.#lease);
  }

  async bootstrap(meta: Uint8Array, head: Uint8Array, signal: AbortSignal): Promise<{ meta: Uint8Array; revision: number }> {
    return this.#ask("bootstrap", signal, () => {
      if (this.#server.full) throw new StoreFull("bootstrap", "memory", "database space exceeded");
      if (this.#server.get("meta") === undefined) this.#server.apply([{ key: "meta", value: meta }, { key: "head", value: head }]);
      return { meta: this.#server.get("meta")!.value, revision: this.#server.revision };
    });
  }

  async load(onChunk: (rows: readonly Row[]) => void, signal: AbortSignal): Promise<{ revision: number; headModRevision: number }> {
    const server = this.#server;
    const { rows, revision, headModRevision, metaModRevision } = await this.#read("load", signal, () => ({
      rows: server.rows(),
      revision: server.revision,
      headModRevision: server.get("head")?.modRevision ?? 0,
      metaModRevision: server.get("meta")?.modRevision ?? 0,
    }));
    for (let at = 0; at < rows.length; at += LOAD_CHUNK_ROWS) {
      await this.#read("load", signal, () => {
        if (revision < server.compactRevision) throw new StoreCompacted("load", "memory", `revision ${revision} has been compacted`);
      });
      onChunk(rows.slice(at, at + LOAD_CHUNK_ROWS));
    }
    this.#metaModRevision = metaModRevision;
    return { revision, headModRevision };
  }

  async watch(from: number, onChanges: (changes: readonly RevisionChanges[]) => void, signal: AbortSignal): Promise<WatchEnd> {
    const server = this.#server;
    let next = from;
    return this.#follow(signal, (): WatchEnd | undefined => {
      if (server.revision < next - 1) return { kind: "wentBack", detail: `the store is at revision ${server.revision}, below ${next - 1}` };
      const metaModRevision = server.get("meta")?.modRevision ?? 0;
      if (metaModRevision < next && this.#metaModRevision !== undefined && metaModRevision !== this.#metaModRevision) {
        return { kind: "wentBack", detail: "meta was written by another history" };
      }
      this.#metaModRevision = metaModRevision;
      if (next < server.compactRevision) return { kind: "compacted", compactRevision: server.compactRevision };
      const changes = server
        .since(next)
        .map(({ revision, writes }) => ({ revision, writes: writes.filter(({ key }) => !key.startsWith(CANDIDATES)) }))
        .filter(({ writes }) => writes.length > 0)
        .map(({ revision, writes }) => ({ revision, writes: writes.map(({ key, value }) => (value === undefined ? { key } : { key, value })) }));
      next = server.revision + 1;
      if (changes.length > 0) onChanges(changes);
      return undefined;
    }).then((end) => end ?? { kind: "aborted" });
  }

  async commit(batch: Batch, signal: AbortSignal, onAttempt?: (error: unknown) => void): Promise<BatchResult> {
    const server = this.#server;
    for (let inDoubt = false; ; ) {
      const fault = this.#commitFaults.shift();
      if (fault === "hold") this.#held.push(() => void this.#applyBatch(batch));
      else {
        const result = await this.#ask("commit", signal, () => this.#applyBatch(batch), (error) => {
          inDoubt ||= error.inDoubt;
          onAttempt?.(error);
        });
        if (result.kind === "committed" && batch.writes.some(({ key }) => key === "meta")) this.#metaModRevision = result.revision;
        if (fault === undefined && !(result.kind === "noSpace" && inDoubt)) return result;
        if (result.kind === "noSpace") onAttempt?.(new StoreFull("commit", "memory", "database space exceeded"));
      }
      if (fault !== undefined) {
        inDoubt = true;
        onAttempt?.(new StoreUnavailable("commit", "memory", "the reply was lost", true));
      }
    }
  }

  async barrier(fence: Fence, signal: AbortSignal): Promise<BarrierResult> {
    const server = this.#server;
    return this.#ask("barrier", signal, () =>
      server.holds(fence) ? { kind: "passed", revision: server.revision, candidates: server.candidates() } : { kind: "deposed" },
    );
  }

  async compact(revision: number, signal: AbortSignal): Promise<void> {
    await this.#read("compact", signal, () => this.#server.compact(revision));
  }

  async size(signal: AbortSignal): Promise<{ usedBytes: number; quotaBytes: number }> {
    return this.#read("size", signal, () => ({ usedBytes: this.#server.usedBytes, quotaBytes: this.#server.quotaBytes }));
  }

  async grantLease(_ttlSeconds: number, signal: AbortSignal): Promise<void> {
    this.#lease = await this.#ask("grant lease", signal, () => {
      if (this.#server.full) throw new StoreFull("grant lease", "memory", "database space exceeded");
      return this.#server.grantLease();
    });
  }

  async keepAlive(signal: AbortSignal): Promise<boolean> {
    return this.#read("keep-alive", signal, () => this.#lease !== undefined && this.#server.hasLease(this.#lease));
  }

  async enqueue(key: string, value: Uint8Array, signal: AbortSignal): Promise<{ createRevision: number; candidates: readonly Candidate[]; revision: number }> {
    const server = this.#server;
    return this.#ask("enqueue", signal, () => {
      if (server.full) throw new StoreFull("enqueue", "memory", "database space exceeded");
      if (server.get(key) === undefined) {
        if (this.#lease === undefined || !server.hasLease(this.#lease)) throw new LeaseLost("enqueue", "memory", "requested lease not found");
        server.apply([{ key, value }], this.#lease);
      }
      return { createRevision: server.get(key)!.createRevision, candidates: server.candidates(), revision: server.revision };
    });
  }

  async watchCandidates(onChange: (candidates: readonly Candidate[], revision: number) => void, signal: AbortSignal): Promise<void> {
    const server = this.#server;
    let shown: string | undefined;
    await this.#follow(signal, () => {
      const candidates = server.candidates();
      const text = candidates.map((each) => `${each.key}@${each.createRevision}`).join();
      if (text !== shown) onChange(candidates, server.revision);
      shown = text;
      return undefined;
    });
  }

  async promote(fence: Fence, head: HeadPosition, accused: readonly Candidate[], signal: AbortSignal): Promise<PromoteResult> {
    const server = this.#server;
    return this.#ask("promote", signal, (): PromoteResult => {
      if (!server.holds(fence)) return { kind: "gone" };
      if (!server.headIs(head)) return { kind: "behind", headModRevision: server.get("head")?.modRevision ?? 0 };
      server.apply(accused.map(({ key }) => ({ key })));
      const candidates = server.candidates();
      const first = candidates[0]?.createRevision === fence.createRevision;
      return first ? { kind: "leading", revision: server.revision } : { kind: "queued", candidates };
    });
  }

  async remove(key: string, createRevision: number, signal: AbortSignal): Promise<boolean> {
    return this.#ask("remove", signal, () => {
      const matches = this.#server.holds({ candidateKey: key, createRevision });
      if (matches) this.#server.apply([{ key }]);
      return matches;
    });
  }

  async candidates(signal: AbortSignal): Promise<readonly Candidate[]> {
    return this.#read("candidates", signal, () => this.#server.candidates());
  }

  async revokeLease(signal: AbortSignal): Promise<void> {
    await this.#ask("revoke lease", signal, () => this.expireLease());
    this.#lease = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new StoreUnavailable("dispose", "memory", "the store was closed", true));
  }

  #applyBatch({ fence, after, head, writes }: Batch): BatchResult {
    const server = this.#server;
    const all = [{ key: "head", value: head }, ...writes];
    const malformed = server.malformed(all);
    if (malformed !== undefined) return { kind: "invalid", detail: malformed };
    if (server.full) return { kind: "noSpace" };
    if (server.holds(fence) && server.headIs(after)) return { kind: "committed", revision: server.apply(all) };
    if (!server.holds(fence)) return { kind: "deposed" };
    const row = server.get("head");
    if (row !== undefined && Buffer.compare(row.value, head) === 0) return { kind: "committed", revision: row.modRevision };
    return { kind: "intruder", detail: `head ${row ? `was written at revision ${row.modRevision}` : "is gone"}, by somebody else` };
  }

  /** A request that is repeated until it was answered. `apply` runs at the store, at one moment. */
  async #ask<T>(operation: string, signal: AbortSignal, apply: () => T, onAttempt?: (error: StoreUnavailable) => void): Promise<T> {
    for (;;) {
      await this.#travel(this.#server.defer, signal, apply);
      if (this.#link === "cut") onAttempt?.(new StoreUnavailable(operation, "memory", "connection refused", false));
      if (this.#link === "cut" || this.#link === "hung") await this.#change(signal, () => this.#link === "up");
      const result = apply();
      await this.#travel(this.#arrive, signal);
      if (this.#link === "up") return result;
      onAttempt?.(new StoreUnavailable(operation, "memory", "connection lost", true));
      if (this.#link === "deaf") await this.#change(signal, () => this.#link !== "deaf");
    }
  }

  /** A request that fails while the store cannot be reached. */
  async #read<T>(operation: string, signal: AbortSignal, apply: () => T): Promise<T> {
    await this.#travel(this.#server.defer, signal);
    if (this.#link === "cut") throw new StoreUnavailable(operation, "memory", "connection refused", false);
    return this.#ask(operation, signal, apply);
  }

  /** `request`: what the store does when it arrives, though it was given up meanwhile. */
  #travel(by: Defer, signal: AbortSignal, request?: () => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      by(() => {
        const stop = [signal, this.#closed.signal].find(({ aborted }) => aborted);
        if (stop === undefined) return resolve();
        reject(stop.reason);
        if (request !== undefined && this.#link === "up" && this.abandonedLands()) void Promise.try(request).catch(() => {});
      });
    });
  }

  /** Until the link or the server changed to what is wanted. */
  async #change(signal: AbortSignal, wanted: () => boolean): Promise<void> {
    await this.#follow(signal, () => (wanted() ? true : undefined), false);
    await this.#travel(this.#server.defer, signal);
  }

  /** Looks now and after each change until `look` finds something; undefined when aborted. Blind while the link is not up. */
  #follow<T>(signal: AbortSignal, look: () => T | undefined, needsLink = true): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        if (done || (needsLink && this.#link !== "up")) return;
        try {
          const found = look();
          if (found !== undefined) finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(error));
        }
      };
      let done = false;
      const aborted = (): void => finish(() => resolve(undefined));
      const stopWatching = this.#server.onChange(wake);
      const finish = (settle: () => void): void => {
        done = true;
        stopWatching();
        this.#wakers.delete(wake);
        signal.removeEventListener("abort", aborted);
        this.#closed.signal.removeEventListener("abort", aborted);
        settle();
      };
      this.#wakers.add(wake);
      signal.addEventListener("abort", aborted, { once: true });
      this.#closed.signal.addEventListener("abort", aborted, { once: true });
      if (signal.aborted || this.#closed.signal.aborted) aborted();
      else this.#arrive(wake);
    });
  }
}
