import type { FileHandle } from "node:fs/promises";

/** Read at a time, so that many small pieces cost one call. */
const WINDOW_BYTES = 1024 * 1024;

/** The bytes of a file of any size, of which only a window is held. */
export class FileWindow {
  readonly size: number;
  readonly #file: FileHandle;
  #at = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** What was last searched. */
  #searchedAt = 0;
  #searched: Buffer = Buffer.alloc(0);
  #scratch: Buffer | undefined;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** The file stays the caller's, and must not change meanwhile. */
  static async over(file: FileHandle): Promise<FileWindow> {
    return new FileWindow(file, (await file.stat()).size);
  }

  /** The bytes from `at` on, fewer where the file ends. They stay as they are. Rejects with a system error. */
  async read(at: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.size - at));
    if (at < this.#at || at + wanted > this.#at + this.#bytes.length) {
      const ahead = Math.min(Math.max(wanted, WINDOW_BYTES), this.size - at);
      // Never into the bytes handed out before.
      this.#bytes = await this.#load(Buffer.allocUnsafeSlow(ahead), at, ahead);
      this.#at = at;
    }
    return this.#bytes.subarray(at - this.#at, at - this.#at + wanted);
  }

  /** Where `pattern` begins next, at or behind `from`; undefined if nowhere. Rejects with a system error. */
  async find(pattern: Buffer, from: number): Promise<number | undefined> {
    for (let at = from; at < this.size; at = this.#searchedAt + this.#searched.length - pattern.length + 1) {
      if (at < this.#searchedAt || at + pattern.length > this.#searchedAt + this.#searched.length) await this.#search(at);
      if (this.#searched.length < pattern.length) return undefined;
      const found = this.#searched.indexOf(pattern, at - this.#searchedAt);
      if (found >= 0) return this.#searchedAt + found;
    }
    return undefined;
  }

  /** Into the same bytes each time: a large file may be nearly all holes. */
  async #search(at: number): Promise<void> {
    this.#scratch ??= Buffer.allocUnsafeSlow(WINDOW_BYTES);
    this.#searched = await this.#load(this.#scratch, at, Math.min(WINDOW_BYTES, this.size - at));
    this.#searchedAt = at;
  }

  /** The part of `into` that was filled. */
  async #load(into: Buffer, at: number, length: number): Promise<Buffer> {
    for (let loaded = 0; loaded < length; ) {
      const { bytesRead } = await this.#file.read(into, loaded, Math.min(WINDOW_BYTES, length - loaded), at + loaded);
      if (bytesRead === 0) return into.subarray(0, loaded);
      loaded += bytesRead;
    }
    return into.subarray(0, length);
  }
}
