/** One journal file of fixed size, appended to by one process (8.3). */
import { constants } from "node:fs";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import type { Random } from "../base/random.ts";
import type { JournalRecord } from "../wire/gen/mesarch/v1/checkpoint.ts";
import { JournalFull } from "./errors.ts";
import { encodeFrame, encodeHeader, readJournal } from "./frames.ts";

/** Least size of a journal file: room for thousands of tasks' records between two rewrites. */
const MIN_BYTES = 1024 * 1024;
/** A new file has this many times the room of what it starts with, so that rewriting costs a fixed share. */
const GROWTH = 4;
/** Beyond this share the journal asks to be rewritten, while appends still fit. */
const NEARLY_FULL = 0.75;

export class Journal implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #size: number;
  readonly #nonce: number;
  #at: number;
  #number: number;
  #failed = false;

  private constructor(path: string, file: FileHandle, size: number, nonce: number, at: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#nonce = nonce;
    this.#at = at;
    this.#number = 2;
  }

  /** The records at `path`, none if there is no such file. Throws `CheckpointDamaged`. */
  static async read(path: string): Promise<JournalRecord[]> {
    try {
      return readJournal(path, await readFile(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /**
   * Makes the file `temporary` hold `records`, durably, to take the place of the one at `path`. Rejects with a system
   * error, as when there is no space; then it is removed.
   */
  static async create(path: string, temporary: string, records: readonly JournalRecord[], random: Random): Promise<Journal> {
    const nonce = parseInt(random.hex(4), 16);
    const start = Buffer.concat([encodeHeader(nonce), encodeFrame(nonce, 1, records)]);
    const size = Math.max(MIN_BYTES, GROWTH * start.length);
    const { O_CREAT, O_TRUNC, O_RDWR, O_DSYNC } = constants;
    try {
      {
        await using file = await open(temporary, O_CREAT | O_TRUNC | O_RDWR, 0o600);
        await file.writeFile(Buffer.concat([start, Buffer.alloc(size - start.length)]));
        await file.sync();
      }
      // Each write is durable when it returns: one call instead of two.
      const file = await open(temporary, O_RDWR | O_DSYNC);
      return new Journal(path, file, size, nonce, start.length);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** A write failed, or found no room: what the file holds beyond it is unknown, so nothing is added to it. */
  get failed(): boolean {
    return this.#failed;
  }

  get nearlyFull(): boolean {
    return this.#at > this.#size * NEARLY_FULL;
  }

  /** One group, durable when this resolves. Rejects with `JournalFull` or a system error. */
  async append(records: readonly JournalRecord[]): Promise<void> {
    const frame = encodeFrame(this.#nonce, this.#number, records);
    try {
      if (this.#at + frame.length > this.#size) throw new JournalFull(this.#path);
      const { bytesWritten } = await this.#file.write(frame, 0, frame.length, this.#at);
      if (bytesWritten < frame.length) throw new JournalFull(this.#path);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    this.#at += frame.length;
    this.#number += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** Makes a rename in it durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

