/**
 * Writes log lines to a file descriptor without ever blocking or failing its caller: a leader does not stop because a
 * disk is full or the reader of its pipe is stuck. Lines that cannot be kept are dropped, counted, and reported in the
 * log itself once it works again.
 */

import { openSync, write, writeSync } from "node:fs";

export interface LogFileOptions {
  /** Path to append to, or an open file descriptor. */
  readonly target: string | number;
  /** Characters that may wait before lines are dropped. Default 8 Mi: some seconds of a very busy log. */
  readonly maxWaiting?: number;
  /** Called after a write has succeeded again, with how many lines were dropped since the last call. */
  readonly onDropped: (lines: number) => void;
}

export class LogFile {
  readonly #fd: number;
  readonly #maxWaiting: number;
  readonly #onDropped: (lines: number) => void;
  #lines: string[] = [];
  #waiting = 0;
  #writing = false;
  #scheduled = false;
  #dropped = 0;

  /** Throws if the file cannot be opened: the one failure an operator must see at once. */
  constructor(options: LogFileOptions) {
    this.#fd = typeof options.target === "number" ? options.target : openSync(options.target, "a");
    this.#maxWaiting = options.maxWaiting ?? 8 * 1024 * 1024;
    this.#onDropped = options.onDropped;
    process.on("exit", () => this.#writeRest());
  }

  /** One line, its line feed included. */
  write(line: string): void {
    if (this.#waiting + line.length > this.#maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    this.#schedule();
  }

  /**
   * Lines of one turn are written together. Waiting for its end also means that a line followed by an exit has not been
   * handed to a thread yet, and is written by `#writeRest`.
   */
  #schedule(): void {
    if (this.#scheduled || this.#writing || this.#lines.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const lines = this.#lines.length;
      this.#writing = true;
      this.#writeAll(this.#takeAll(), (failed) => {
        this.#writing = false;
        if (failed) this.#dropped += lines;
        else this.#reportDropped();
        this.#schedule();
      });
    });
  }

  #writeAll(bytes: Buffer, done: (failed: boolean) => void): void {
    write(this.#fd, bytes, (error, written) => {
      // A pipe someone made non-blocking is full. Nothing tells when it can be written to, so look again.
      if (error?.code === "EAGAIN") setTimeout(() => this.#writeAll(bytes, done), 50).unref();
      else if (error !== null) done(true);
      else if (written < bytes.length) this.#writeAll(bytes.subarray(written), done);
      else done(false);
    });
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#onDropped(lines);
  }

  #writeRest(): void {
    try {
      if (this.#lines.length > 0) writeSync(this.#fd, this.#takeAll());
    } catch {
      // The process ends, and there is no other place to say so.
    }
  }

  #takeAll(): Buffer {
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    this.#waiting = 0;
    return bytes;
  }
}
