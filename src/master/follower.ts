/**
 * Keeps a warm copy of the registry: loads it once, then folds the watch. The same tables serve the leadership when
 * it comes, and the fold goes on from them when it ends (3.7, D8).
 */
import { anySignal, onAbort } from "../async/abort.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { MesarchError } from "../base/errors.ts";
import { type FoldPosition, fold } from "../core/registry/fold.ts";
import { Tables } from "../core/registry/tables.ts";
import type { Change } from "../core/registry/change.ts";
import type { RegistryPort, RevisionChanges, RowWrite } from "../ports/registry.ts";
import { decodeRow, REGISTRY_FORMAT } from "../wire/registry-codec.ts";

export class Follower {
  readonly #registry: RegistryPort;
  readonly #log: Logger;
  #tables = new Tables();
  #position: FoldPosition = { revision: 0, headModRevision: 0 };
  /** Folding on would be a guess. */
  #broken = false;
  #waiters: { revision: number; resolve: () => void }[] = [];
  #foreign = new Set<string>();

  constructor(registry: RegistryPort, telemetry: Telemetry) {
    this.#registry = registry;
    this.#log = telemetry.log;
  }

  get tables(): Tables {
    return this.#tables;
  }

  /** Store revision up to which the tables are complete and will be kept so; 0 while they have to be loaded. */
  get revision(): number {
    return this.#broken ? 0 : this.#position.revision;
  }

  /** Store revision of what the tables show, though they may be about to be loaded again; 0 before the first load. */
  get shownRevision(): number {
    return this.#position.revision;
  }

  get headModRevision(): number {
    return this.#position.headModRevision;
  }

  /** Keys changed by a foreign hand, not folded. */
  get foreignKeys(): ReadonlySet<string> {
    return this.#foreign;
  }

  /** Loads everything at one revision. Throws when the store cannot be read or is of a newer format. */
  async load(signal: AbortSignal): Promise<void> {
    const tables = new Tables();
    const loaded = await this.#registry.load((rows) => {
      for (const row of rows) this.#loadRow(tables, row);
    }, signal);
    // A leadership may have been won meanwhile: its tables are not to be replaced.
    signal.throwIfAborted();
    const format = tables.meta?.format ?? 0;
    if (format > REGISTRY_FORMAT) {
      throw new MesarchError("refused", `the registry is of format ${format}; this version reads up to ${REGISTRY_FORMAT}`, {
        remedy: "run the newer version of mesarch that wrote it",
      });
    }
    this.#tables = tables;
    this.#position = { revision: loaded.revision, headModRevision: loaded.headModRevision };
    this.#broken = false;
    this.#wake();
  }

  /**
   * Folds the watch until aborted. Loads first if it never did, and again whenever folding on would be a guess. Throws
   * when the store went back in time (3.11): an operator must say so by `registry restore`.
   */
  async follow(signal: AbortSignal, onFolded: () => void): Promise<void> {
    while (!signal.aborted) {
      if (this.revision === 0) {
        await this.load(signal);
        onFolded();
      }
      const broken = new AbortController();
      using either = anySignal([signal, broken.signal]);
      const end = await this.#registry.watch(
        this.#position.revision + 1,
        (changes) => {
          if (broken.signal.aborted || signal.aborted) return;
          if (this.#fold(changes)) onFolded();
          else broken.abort();
        },
        either.signal,
      );
      if (end.kind === "wentBack") {
        throw new MesarchError("refused", `the store went back in time: ${end.detail}`, {
          remedy: "if it was restored from a backup, stop all masters and run `mesarch registry restore`",
        });
      }
      if (signal.aborted) return;
      this.#log.warn("the registry watch broke; loading again", { end: end.kind, revision: this.#position.revision });
      this.#broken = true;
    }
  }

  /** Takes over where a leadership left the tables: complete up to `revision`, the head written there. */
  resume(revision: number, headModRevision: number): void {
    this.#position = { revision, headModRevision };
    this.#broken = false;
    this.#wake();
  }

  /** Resolves when everything up to `revision` is folded. */
  reached(revision: number, signal: AbortSignal): Promise<void> {
    if (this.revision >= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = {
        revision,
        resolve: () => {
          stopListening();
          resolve();
        },
      };
      this.#waiters.push(waiter);
      const stopListening = onAbort(signal, () => {
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        reject(signal.reason as Error);
      });
    });
  }

  /** False when folding on would be a guess. */
  #fold(batches: readonly RevisionChanges[]): boolean {
    for (const batch of batches) {
      const decoded = this.#decode(batch.writes);
      const result = fold(this.#tables, this.#position, { revision: batch.revision, ...decoded });
      if (result.kind === "gap") {
        this.#log.warn("the registry watch has a gap", { detail: result.detail });
        return false;
      }
      if (result.kind === "foreign") this.#alarm(result.detail);
      this.#wake();
    }
    return true;
  }

  #decode(writes: readonly RowWrite[]) {
    const changes: Change[] = [];
    let head;
    for (const write of writes) {
      const row = decodeRow(write);
      if (row.kind === "change") changes.push(row.change);
      else if (row.kind === "head") head = row.head;
      else this.#alarm(`${row.key}: ${row.reason}`);
    }
    return { changes, head };
  }

  #loadRow(tables: Tables, row: RowWrite): void {
    const decoded = decodeRow(row);
    if (decoded.kind === "change") {
      try {
        tables.apply(decoded.change);
      } catch (error) {
        this.#alarm(`${row.key}: ${String(error)}`);
      }
    } else if (decoded.kind === "head") tables.head = decoded.head;
    else this.#alarm(`${decoded.key}: ${decoded.reason}`);
  }

  /** Someone else writes under our prefix: said once per key, never folded (3.10). */
  #alarm(detail: string): void {
    if (this.#foreign.size >= 100 || this.#foreign.has(detail)) return;
    this.#foreign.add(detail);
    this.#log.error("rows under the registry's prefix were written by somebody else; they are ignored", { detail });
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.revision <= this.#position.revision);
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#position.revision);
    for (const waiter of due) waiter.resolve();
  }
}
