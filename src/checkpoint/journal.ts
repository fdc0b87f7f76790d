/** One journal file of fixed size, appended to by one process (8.3). */
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { Random } from "../base/random.ts";
import type { JournalRecord } from "../wire/gen/mesarch/v1/checkpoint.ts";
import { JournalFull } from "./errors.ts";
import { FileWindow } from "./file-window.ts";
import { encodeFrame, encodeHeader, encodeRecord, readJournal } from "./frames.ts";

/** Least size of a journal file: room for thousands of tasks' records between two rewrites. */
const MIN_BYTES = 1024 * 1024;
/** A new file has this many times the room of what it starts with left, so that rewriting costs a fixed share. */
const SLACK = 3;
/** Beyond that, a large journal would keep more disk from the tasks than it saves in rewriting. */
const MAX_SLACK_BYTES = 64 * 1024 * 1024;
/** When this share of that room is used the journal asks to be rewritten, while appends still fit. */
const NEARLY_FULL = 0.75;
/** A snapshot is written, and read back, in groups of about this size. */
const GROUP_BYTES = 16 * 1024 * 1024;
const ZEROS = Buffer.alloc(1024 * 1024);

/** How large a file is, and where its next group goes. */
interface Extent {
  readonly size: number;
  readonly at: number;
  readonly number: number;
}

export class Journal implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #nonce: number;
  readonly #size: number;
  readonly #nearlyFullAt: number;
  #at: number;
  #number: number;
  #failed = false;

  private constructor(path: string, file: FileHandle, nonce: number, { size, at, number }: Extent) {
    this.#path = path;
    this.#file = file;
    this.#nonce = nonce;
    this.#size = size;
    this.#nearlyFullAt = at + (size - at) * NEARLY_FULL;
    this.#at = at;
    this.#number = number;
  }

  /** The records at `path`, none if there is no such file. Throws `CheckpointDamaged`. */
  static async read(path: string): Promise<JournalRecord[]> {
    try {
      await using file = await open(path);
      return await readJournal(path, await FileWindow.over(file));
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
    // Before anything is awaited: the records are the state's own.
    const bodies = records.map(encodeRecord);
    const { O_CREAT, O_TRUNC, O_RDWR, O_DSYNC } = constants;
    try {
      let extent: Extent;
      {
        await using file = await open(temporary, O_CREAT | O_TRUNC | O_RDWR, 0o600);
        extent = await fill(file, nonce, bodies);
        await file.sync();
      }
      // Each write is durable when it returns: one call instead of two.
      const file = await open(temporary, O_RDWR | O_DSYNC);
      return new Journal(path, file, nonce, extent);
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
    return this.#at > this.#nearlyFullAt;
  }

  /** One group, durable when this resolves. Rejects with `JournalFull` or a system error. */
  async append(records: readonly JournalRecord[]): Promise<void> {
    const frame = encodeFrame(this.#nonce, this.#number, records.map(encodeRecord));
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

/** Writes a whole journal, and the room for more, to an empty file. */
async function fill(file: FileHandle, nonce: number, bodies: readonly Uint8Array[]): Promise<Extent> {
  const header = encodeHeader(nonce);
  await file.writeFile(header);
  let at = header.length;
  let number = 1;
  for (const group of groupsOf(bodies)) {
    const frame = encodeFrame(nonce, number, group);
    await file.writeFile(frame);
    at += frame.length;
    number += 1;
  }
  const size = Math.max(MIN_BYTES, at + Math.min(SLACK * at, MAX_SLACK_BYTES));
  for (let left = size - at; left > 0; left -= ZEROS.length) await file.writeFile(ZEROS.subarray(0, left));
  return { size, at, number };
}

function* groupsOf(bodies: readonly Uint8Array[]): Iterable<Uint8Array[]> {
  let group: Uint8Array[] = [];
  let bytes = 0;
  for (const body of bodies) {
    if (bytes >= GROUP_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(body);
    bytes += body.length;
  }
  if (group.length > 0) yield group;
}

/** Makes a rename in it durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

