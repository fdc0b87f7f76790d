import { NO_EPOCH, type Epoch } from "../../src/base/epoch.ts";
import { MesarchError } from "../../src/base/errors.ts";
import type { Checkpoint } from "../../src/ports/checkpoint.ts";
import { JournalRecord } from "../../src/wire/gen/mesarch/v1/checkpoint.ts";

/** A disk in memory that outlives the checkpoints opened on it, with the faults of real ones. */
export class MemoryDisk {
  /** Durable, encoded as on a real disk, so that nobody shares objects through it. */
  journal: Uint8Array[] = [];
  epoch: Epoch = NO_EPOCH;
  starts = 0;
  opened: MemoryCheckpoint | undefined;

  /** Appends reject. */
  appendsFail = false;
  /** Rewrites reject, as on a full disk. */
  rewritesFail = false;
  /** Records after which the journal is nearly full, and full. */
  nearlyFullAt = Infinity;
  fullAt = Infinity;
  /** Writes neither become durable nor answer until `release`. */
  frozen = false;
  #waiting: (() => void)[] = [];

  /** Rejects with `conflict` while one is open. */
  async open(): Promise<MemoryCheckpoint> {
    if (this.opened !== undefined) throw new MesarchError("conflict", "the disk is in use");
    this.starts += 1;
    this.opened = new MemoryCheckpoint(this);
    return this.opened;
  }

  /** The host fails: what was frozen is lost and never answers. */
  crash(): void {
    this.#waiting = [];
    this.frozen = false;
    this.opened = undefined;
  }

  release(): void {
    this.frozen = false;
    for (const proceed of this.#waiting.splice(0)) proceed();
  }

  async thawed(): Promise<void> {
    if (this.frozen) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

export class MemoryCheckpoint implements Checkpoint {
  readonly starts: number;
  readonly epoch: Epoch;
  readonly records: readonly JournalRecord[];
  readonly #disk: MemoryDisk;
  #appendable = false;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
    this.starts = disk.starts;
    this.epoch = disk.epoch;
    this.records = disk.journal.map((bytes) => JournalRecord.decode(bytes));
  }

  get appendable(): boolean {
    return this.#appendable;
  }

  get wantsRewrite(): boolean {
    return !this.#appendable || this.#disk.journal.length > this.#disk.nearlyFullAt;
  }

  async append(records: readonly JournalRecord[]): Promise<void> {
    await this.#disk.thawed();
    const bytes = records.map((record) => JournalRecord.encode(record).finish());
    if (!this.#appendable || this.#disk.appendsFail || this.#disk.journal.length + bytes.length > this.#disk.fullAt) {
      this.#appendable = false;
      throw new MesarchError("exhausted", "the append failed");
    }
    this.#disk.journal = [...this.#disk.journal, ...bytes];
  }

  async rewrite(records: readonly JournalRecord[]): Promise<void> {
    const bytes = records.map((record) => JournalRecord.encode(record).finish());
    await this.#disk.thawed();
    if (this.#disk.rewritesFail) throw new MesarchError("exhausted", "no space left");
    this.#disk.journal = bytes;
    this.#appendable = true;
  }

  async storeEpoch(epoch: Epoch): Promise<void> {
    await this.#disk.thawed();
    this.#disk.epoch = { generation: epoch.generation, revision: epoch.revision };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disk.opened === this) this.#disk.opened = undefined;
  }
}
