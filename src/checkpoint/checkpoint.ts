import { mkdir, rename, rm } from "node:fs/promises";
import type { Epoch } from "../base/epoch.ts";
import type { Random } from "../base/random.ts";
import type { Checkpoint } from "../ports/checkpoint.ts";
import type { JournalRecord } from "../wire/gen/mesarch/v1/checkpoint.ts";
import { EpochSlots } from "./epoch-slots.ts";
import { JournalFull } from "./errors.ts";
import { Journal, syncDirectory } from "./journal.ts";
import { lockDirectory } from "./lock.ts";
import { type WorkPaths, workPaths } from "./paths.ts";

/** The checkpoint of one agent in its work directory; see paths.ts for what lies where. */
export class DirectoryCheckpoint implements Checkpoint {
  readonly records: readonly JournalRecord[];
  readonly starts: number;
  readonly epoch: Epoch;
  readonly #paths: WorkPaths;
  readonly #random: Random;
  readonly #slots: EpochSlots;
  readonly #lock: AsyncDisposable;
  /** This process's own file; none until the first rewrite. */
  #journal: Journal | undefined;

  private constructor(paths: WorkPaths, random: Random, lock: AsyncDisposable, slots: EpochSlots, records: JournalRecord[]) {
    this.#paths = paths;
    this.#random = random;
    this.#lock = lock;
    this.#slots = slots;
    this.starts = slots.starts;
    this.epoch = slots.epoch;
    this.records = records;
  }

  /**
   * Locks `directory`, made if missing, reads it and counts this start. Rejects with `WorkDirectoryLocked`,
   * `CheckpointDamaged` or a system error; nothing that matters has changed then.
   */
  static async open(directory: string, random: Random): Promise<DirectoryCheckpoint> {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const paths = workPaths(directory);
    const lock = await lockDirectory(directory);
    try {
      const records = await Journal.read(paths.journal);
      return new DirectoryCheckpoint(paths, random, lock, await EpochSlots.open(paths.epoch), records);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  get wantsRewrite(): boolean {
    return !this.appendable || this.#journal!.nearlyFull;
  }

  get appendable(): boolean {
    return this.#journal !== undefined && !this.#journal.failed;
  }

  async append(records: readonly JournalRecord[]): Promise<void> {
    if (this.#journal === undefined || this.#journal.failed) throw new JournalFull(this.#paths.journal);
    await this.#journal.append(records);
  }

  async rewrite(records: readonly JournalRecord[]): Promise<void> {
    const { journal, newJournal, root } = this.#paths;
    const next = await Journal.create(journal, newJournal, records, this.#random);
    try {
      await rename(newJournal, journal);
    } catch (error) {
      await next[Symbol.asyncDispose]();
      await rm(newJournal, { force: true }).catch(() => {});
      throw error;
    }
    // The old file has no name any more: whatever happens now, nothing is added to it. Until the directory is durable
    // nobody knows which of them a crash would leave.
    const old = this.#journal;
    this.#journal = undefined;
    await old?.[Symbol.asyncDispose]().catch(() => {});
    try {
      await syncDirectory(root);
    } catch (error) {
      await next[Symbol.asyncDispose]();
      throw error;
    }
    this.#journal = next;
  }

  async storeEpoch(epoch: Epoch): Promise<void> {
    await this.#slots.store(epoch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal?.[Symbol.asyncDispose]();
    await this.#slots[Symbol.asyncDispose]();
    await this.#lock[Symbol.asyncDispose]();
  }
}
