/**
 * An agent's disk. A write takes time, and until it is done a crash may keep it, lose it, or keep the first part of it.
 */
import { type Epoch, NO_EPOCH } from "../../src/base/epoch.ts";
import { MesarchError } from "../../src/base/errors.ts";
import type { Checkpoint } from "../../src/ports/checkpoint.ts";
import { JournalRecord } from "../../src/wire/gen/mesarch/v1/checkpoint.ts";
import type { Chance } from "./chance.ts";
import type { SimProcess, VirtualTime } from "./virtual-time.ts";

export class SimDisk {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly syncMs: number;
  journal: Uint8Array[] = [];
  epoch: Epoch = NO_EPOCH;
  starts = 0;
  /** Takes no more of a journal than it has; epochs have their room. */
  full = false;
  /** Extra time of every write, in milliseconds. */
  slowMs = 0;
  /** Called as soon as something is durable, before its writer knows. */
  onWritten: () => void = () => {};

  constructor(time: VirtualTime, chance: Chance, syncMs: number) {
    this.time = time;
    this.chance = chance;
    this.syncMs = syncMs;
  }

  /** Everything on it is deleted. */
  clear(): void {
    this.journal = [];
    this.epoch = NO_EPOCH;
    this.starts = 0;
  }

  open(process: SimProcess, onAppended: JournalReader): SimCheckpoint {
    this.starts += 1;
    return new SimCheckpoint(this, process, onAppended);
  }
}

/** Hears what the journal holds. */
type JournalReader = (records: readonly JournalRecord[]) => void;

class SimCheckpoint implements Checkpoint {
  readonly starts: number;
  readonly epoch: Epoch;
  readonly records: readonly JournalRecord[];
  readonly #disk: SimDisk;
  readonly #process: SimProcess;
  readonly #onAppended: JournalReader;
  #appendable = false;

  constructor(disk: SimDisk, process: SimProcess, onAppended: JournalReader) {
    this.#disk = disk;
    this.#process = process;
    this.#onAppended = onAppended;
    this.starts = disk.starts;
    this.epoch = disk.epoch;
    this.records = disk.journal.map((bytes) => JournalRecord.decode(bytes));
  }

  get appendable(): boolean {
    return this.#appendable;
  }

  get wantsRewrite(): boolean {
    return !this.#appendable;
  }

  async append(records: readonly JournalRecord[]): Promise<void> {
    const disk = this.#disk;
    const bytes = records.map((record) => JournalRecord.encode(record).finish());
    await this.#write(
      () => (disk.journal = [...disk.journal, ...bytes]),
      // Torn: a reader cuts off what is not whole.
      () => (disk.journal = [...disk.journal, ...bytes.slice(0, disk.chance.integer(0, bytes.length))]),
      () => {
        if (!this.#appendable) throw new MesarchError("exhausted", "the journal is not to be trusted");
        if (disk.full) {
          this.#appendable = false;
          throw new MesarchError("exhausted", "no space left on the device");
        }
      },
    );
    this.#onAppended(records);
  }

  async rewrite(records: readonly JournalRecord[]): Promise<void> {
    const disk = this.#disk;
    const bytes = records.map((record) => JournalRecord.encode(record).finish());
    const replace = (): void => void (disk.journal = bytes);
    await this.#write(
      replace,
      () => disk.chance.happens(0.5) && replace(),
      () => {
        if (disk.full) throw new MesarchError("exhausted", "no space left on the device");
      },
    );
    this.#appendable = true;
    this.#onAppended(records);
  }

  async storeEpoch(epoch: Epoch): Promise<void> {
    const value = { generation: epoch.generation, revision: epoch.revision };
    const store = (): void => void (this.#disk.epoch = value);
    await this.#write(store, () => this.#disk.chance.happens(0.5) && store(), () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** `done` when it is durable; `crashed` instead if the process dies before. A dead process hears nothing. */
  #write(done: () => unknown, crashed: () => unknown, check: () => void): Promise<void> {
    const { time, chance, syncMs, slowMs } = this.#disk;
    return new Promise((resolve, reject) => {
      let over = false;
      const forget = this.#process.onDeath(() => {
        if (!over) crashed();
        over = true;
      });
      time.after(chance.tailed(syncMs) + slowMs, () => {
        forget();
        if (over) return;
        over = true;
        try {
          check();
          done();
          this.#disk.onWritten();
          this.#process.deliver(resolve);
        } catch (error) {
          this.#process.deliver(() => reject(error as Error));
        }
      });
    });
  }
}
