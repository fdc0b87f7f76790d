/** etcd as the simulation has it: the in-memory twin with time, leases that expire, and a log of every revision. */
import { restoreRegistry } from "../../src/cli/restore-registry.ts";
import type { Candidate, RestorePort, RevisionChanges, RowWrite, WatchEnd } from "../../src/ports/registry.ts";
import { decodeRow } from "../../src/wire/registry-codec.ts";
import { epochText } from "../../src/base/epoch.ts";
import { MemoryStore, type Link } from "../twins/memory-store.ts";
import { CANDIDATES, MemoryStoreServer, type ServerSnapshot } from "../twins/memory-store-server.ts";
import type { Unrecorded } from "../history/event.ts";
import { rowChange } from "../history/rows.ts";
import type { Chance } from "./chance.ts";
import { RevisionScale } from "./revision-scale.ts";
import type { SimProcess, VirtualTime } from "./virtual-time.ts";

/** etcd notices an expired lease this much late at most, in milliseconds. */
const EXPIRY_LATE_MS = 600;
const BACKUP_EVERY_MS = 15_000;
const WALL_START_S = 1_700_000_000;

/** The cluster of etcd members as one: what it did is what a majority did. */
export class SimStoreServer extends MemoryStoreServer {
  readonly #write: (event: Unrecorded) => void;
  /** How every client reaches it now, new ones too. */
  #link: Link = "up";
  readonly #clients = new Set<SimStore>();
  readonly #time: VirtualTime;
  #backups: { readonly rows: ServerSnapshot; readonly at: number }[] = [];
  readonly revisions = new RevisionScale();
  /** Called as soon as a batch has been applied, before its leader knows. */
  onCommit: () => void = () => {};

  constructor(time: VirtualTime, chance: Chance, latencyMs: number, write: (event: Unrecorded) => void) {
    super((task) => void time.after(chance.tailed(latencyMs), task));
    this.#write = write;
    this.#time = time;
  }

  /** Takes backups until the run ends. */
  keepBackups(): void {
    if (this.get("meta") !== undefined) this.#backups.push({ rows: this.snapshot(), at: this.revisions.of(this.revision) });
    this.#time.after(BACKUP_EVERY_MS, () => this.keepBackups());
  }

  /** What an operator does whose masters are stopped: sets the members back, and tells the registry so (13.2). */
  restoreBackup(newerPassedOver: number): void {
    const index = Math.max(0, this.#backups.length - 1 - newerPassedOver);
    const backup = this.#backups[index];
    if (backup === undefined) return;
    this.#backups.length = index + 1;
    const keys = this.candidates().map(({ key }) => key);
    const from = this.revision;
    this.restore(backup.rows);
    this.revisions.setBack(from, this.revision);
    const at = { actor: "registry", kind: "observe", revision: this.revision } as const;
    this.#write({ ...at, op: "candidates", value: { added: [], removed: keys } });
    this.#write({ ...at, op: "restored", value: { to: backup.at } });
    const nowSeconds = WALL_START_S + Math.floor(this.#time.now / 1_000);
    void restoreRegistry(this.#restorePort(), { nowSeconds }, new AbortController().signal).then((generation) => this.revisions.begins(generation));
  }

  #restorePort(): RestorePort {
    return {
      read: async () => ({ meta: this.get("meta")!.value, head: this.get("head")!.value }),
      replaceMeta: async (_before, meta) => {
        this.apply([{ key: "meta", value: meta }]);
        return "replaced";
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** All members at once: no quorum, as clients see it. */
  set link(link: Link) {
    this.#link = link;
    for (const client of this.#clients) client.link = link;
  }

  /** A client that comes and, with its process, goes. */
  admit(client: SimStore, process: SimProcess): void {
    this.#clients.add(client);
    client.link = this.#link;
    process.onDeath(() => {
      this.#clients.delete(client);
      client.link = "hung";
    });
  }

  override apply(writes: readonly RowWrite[], lease?: number): number {
    const before = this.revision;
    const revision = super.apply(writes, lease);
    if (revision > before) this.#record(writes, revision);
    return revision;
  }

  #record(writes: readonly RowWrite[], revision: number): void {
    const added = writes.filter(({ key, value }) => key.startsWith(CANDIDATES) && value !== undefined).map(({ key }) => key);
    const removed = writes.filter(({ key, value }) => key.startsWith(CANDIDATES) && value === undefined).map(({ key }) => key);
    if (added.length + removed.length > 0) {
      this.#write({ actor: "registry", kind: "observe", op: "candidates", revision, value: { added, removed } });
    }
    const rows = writes.filter(({ key }) => !key.startsWith(CANDIDATES)).map(decodeRow);
    const head = rows.find((row) => row.kind === "head")?.head;
    const changes = rows.flatMap((row) => (row.kind === "change" ? [rowChange(row.change)] : []));
    if (head?.epoch !== undefined && head.n > 0) {
      const value = { master: head.master, n: head.n, ops: head.ops, rows: changes };
      this.#write({ actor: "registry", kind: "observe", op: "commit", epoch: epochText(head.epoch), revision, value });
      this.onCommit();
    }
  }
}

export interface SimStoreOptions {
  readonly server: SimStoreServer;
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly latencyMs: number;
  /** How often a request that was given up reaches the store all the same. */
  readonly abandonedLands: number;
}

/** One master's client. Its lease runs out by the time of the store, whatever becomes of the master. */
export class SimStore extends MemoryStore {
  /** Extra time of every answer, in milliseconds. */
  slowMs = 0;
  /** Extra time of what its registry watch brings, in milliseconds. */
  watchLagMs = 0;
  readonly #options: SimStoreOptions;
  #ttlMs = 0;
  #cancelExpiry: () => void = () => {};

  constructor(options: SimStoreOptions) {
    const { server, process, time, chance, latencyMs } = options;
    super(server, (task) => void time.after(chance.tailed(latencyMs) + this.slowMs, () => process.deliver(task)));
    this.#options = options;
    this.abandonedLands = () => chance.happens(options.abandonedLands);
    server.admit(this, process);
  }

  override get link(): Link {
    return super.link;
  }

  /** A dead process has none, whatever is healed. */
  override set link(link: Link) {
    super.link = this.#options.process.alive ? link : "hung";
  }

  override watch(from: number, onChanges: (changes: readonly RevisionChanges[]) => void, signal: AbortSignal): Promise<WatchEnd> {
    const { time } = this.#options;
    let until = 0;
    return this.#heard(signal, onChanges, (hear) => {
      const later = (changes: readonly RevisionChanges[]): void => {
        until = Math.max(time.now + this.watchLagMs, until);
        if (until <= time.now) hear(changes);
        else time.afterInOrder(until - time.now, () => hear(changes));
      };
      return super.watch(from, later, signal);
    });
  }

  override watchCandidates(onChange: (candidates: readonly Candidate[], revision: number) => void, signal: AbortSignal): Promise<void> {
    return this.#heard(signal, onChange, (hear) => super.watchCandidates(hear, signal));
  }

  /** What a watch brings reaches its process as everything does, and only while the watch lasts. */
  #heard<A extends readonly unknown[], T>(signal: AbortSignal, on: (...what: A) => void, watch: (hear: (...what: A) => void) => Promise<T>): Promise<T> {
    let over = false;
    const hear = (...what: A): void => this.#options.process.deliver(() => void (over || signal.aborted || on(...what)));
    return watch(hear).finally(() => (over = true));
  }

  override async grantLease(ttlSeconds: number, signal: AbortSignal): Promise<void> {
    await super.grantLease(ttlSeconds, signal);
    this.#ttlMs = ttlSeconds * 1_000;
    this.#refresh();
  }

  override async keepAlive(signal: AbortSignal): Promise<boolean> {
    const held = await super.keepAlive(signal);
    if (held) this.#refresh();
    return held;
  }

  override async revokeLease(signal: AbortSignal): Promise<void> {
    await super.revokeLease(signal);
    this.#cancelExpiry();
  }

  /** A new leader of etcd starts every lease anew. */
  restartLease(): void {
    if (this.#ttlMs > 0) this.#refresh();
  }

  #refresh(): void {
    const { time, chance } = this.#options;
    this.#cancelExpiry();
    this.#cancelExpiry = time.after(this.#ttlMs + chance.between(0, EXPIRY_LATE_MS), () => this.expireLease());
  }
}
