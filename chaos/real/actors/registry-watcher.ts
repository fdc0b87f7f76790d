/** Reads all that was ever written to the registry, from the store's first revision on: the only truth of a run. */
import type { IEvent } from "etcd3";
import { epochText } from "../../../src/base/epoch.ts";
import { EtcdClient } from "../../../src/etcd/client.ts";
import { CANDIDATES, DEFAULT_PREFIX, HEAD, KeySpace, META, NEVER } from "../../../src/etcd/keys.ts";
import { compileEtcdOptions } from "../../../src/etcd/options.ts";
import { watchOnce } from "../../../src/etcd/stream.ts";
import { revision } from "../../../src/etcd/transactions.ts";
import type { RowWrite } from "../../../src/ports/registry.ts";
import { decodeCandidate, decodeRow } from "../../../src/wire/registry-codec.ts";
import type { RowChange } from "../../history/event.ts";
import type { Recorder } from "../../history/recorder.ts";
import { rowChange } from "../../history/rows.ts";

const ACTOR = "registry";
const PREFIX = Buffer.from(DEFAULT_PREFIX);
/** Every key of the store: whatever else it is made to hold, no revision of it is passed over. */
const EVERYTHING = { start: Buffer.from([0]), end: Buffer.from([0]) };

export class RegistryWatcher {
  readonly #client: EtcdClient;
  readonly #keys = new KeySpace();
  readonly #recorder: Recorder;
  #stop = new AbortController();
  readonly #candidates = new Map<string, { readonly master: string; readonly createRevision: number }>();
  #next = 1;
  /** A store that was set back gives out revisions anew; the history has one scale for them. */
  #offset = 0;
  #running: Promise<void> | undefined;

  constructor(endpoints: readonly string[], recorder: Recorder) {
    this.#client = new EtcdClient(compileEtcdOptions({ endpoints }));
    this.#recorder = recorder;
  }

  start(): void {
    this.#stop = new AbortController();
    this.#running = this.#run();
  }

  async pause(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async stop(): Promise<void> {
    await this.pause();
    this.#client.close();
  }

  /** While it pauses, the store was restored as it was at this revision: what comes from now on takes the place of the rest. */
  setBack(to: number): void {
    const restored = this.inHistory(this.#next);
    this.#recorder.record({ actor: ACTOR, kind: "observe", op: "restored", revision: restored, value: { to: this.inHistory(to) } });
    // Whoever had a key is gone.
    this.#recorder.record({ actor: ACTOR, kind: "observe", op: "candidates", revision: restored, value: { added: [], removed: [...this.#candidates.keys()] } });
    this.#candidates.clear();
    this.#offset = restored - to;
    this.#next = to + 1;
  }

  /** What the history calls the store's present revision. */
  inHistory(at: number): number {
    return at + this.#offset;
  }

  /** The last revision seen. */
  get revision(): number {
    return this.#next - 1;
  }

  /** The master whose candidate key is the oldest: whoever else believes to lead can write nothing. */
  get leader(): string | undefined {
    const [first] = [...this.#candidates.values()].sort((a, b) => a.createRevision - b.createRevision);
    return first?.master;
  }

  /** Masters with a key. */
  get candidates(): readonly string[] {
    return [...this.#candidates.values()].map(({ master }) => master);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const [from, startedAt] = [this.#next, performance.now()];
      const end = await watchOnce(this.#client, EVERYTHING, from, (events) => this.#take(events), signal);
      if (end.kind === "aborted") return;
      if (end.kind === "compacted") return this.#complain(`revisions ${from} to ${end.compactRevision} were compacted before they were seen`);
      if (this.#next > from) failures = 0;
      await this.#client.pause(failures, startedAt, signal).catch(() => {});
    }
  }

  #take(events: readonly IEvent[]): void {
    for (const [at, all] of Map.groupBy(events, ({ kv }) => revision(kv.mod_revision))) {
      // A member that was left behind may send again what another had sent.
      if (at < this.#next) continue;
      this.#next = at + 1;
      const those = all.filter(({ kv }) => kv.key.subarray(0, PREFIX.length).equals(PREFIX));
      this.#elect(at, those);
      this.#written(at, those.flatMap((event) => this.#rowOf(event)));
    }
  }

  #rowOf({ type, kv }: IEvent): RowWrite[] {
    const key = this.#keys.relative(kv.key);
    if (key.startsWith(CANDIDATES) || key === NEVER) return [];
    return [type === "Delete" ? { key } : { key, value: kv.value }];
  }

  #elect(at: number, events: readonly IEvent[]): void {
    const [added, removed]: [string[], string[]] = [[], []];
    for (const { type, kv } of events) {
      const key = this.#keys.relative(kv.key);
      if (!key.startsWith(CANDIDATES)) continue;
      if (type === "Delete") {
        removed.push(key);
        this.#candidates.delete(key);
      } else {
        if (!this.#candidates.has(key)) added.push(key);
        const master = decodeCandidate(key, kv.value)?.master ?? key;
        this.#candidates.set(key, { master, createRevision: revision(kv.create_revision) });
      }
    }
    if (added.length + removed.length > 0) this.#recorder.record({ actor: ACTOR, kind: "observe", op: "candidates", revision: this.inHistory(at), value: { added, removed } });
  }

  #written(at: number, writes: readonly RowWrite[]): void {
    if (writes.length === 0) return;
    const rows = writes.map(decodeRow);
    const foreign = rows.flatMap((row) => (row.kind === "foreign" ? [row.key] : []));
    const head = rows.find((row) => row.kind === "head")?.head;
    const changes: RowChange[] = rows.flatMap((row) => (row.kind === "change" ? [rowChange(row.change)] : []));
    // The first of all makes the empty head, by nobody yet; an operator's restore raises the generation (13.2).
    const isBootstrap = head !== undefined && head.n === 0 && writes.every(({ key }) => key === HEAD || key === META);
    const isRestore = this.#offset > 0 && writes.every(({ key }) => key === META);
    if (isBootstrap || isRestore) return;
    if (head?.epoch === undefined) foreign.push(...writes.map(({ key }) => key));
    else {
      const value = { master: head.master, n: head.n, ops: head.ops, rows: changes };
      this.#recorder.record({ actor: ACTOR, kind: "observe", op: "commit", epoch: epochText(head.epoch), revision: this.inHistory(at), value });
    }
    if (foreign.length > 0) this.#recorder.record({ actor: ACTOR, kind: "observe", op: "foreign", revision: this.inHistory(at), value: { keys: foreign } });
  }

  #complain(message: string): void {
    this.#recorder.record({ actor: ACTOR, kind: "observe", op: "complaint", value: { of: ACTOR, message } });
  }
}
