/** Output of several tasks on one terminal: whole lines, each with the name of its task. */
import type { Sink } from "../io.ts";

/** A line longer than this is broken, so that a task without line breaks cannot fill memory. */
const MAX_LINE_BYTES = 64 * 1024;

const NEWLINE = 0x0a;

/** Puts `prefix` before each line. What has no line break yet is written by `end`. */
export class PrefixedOutput {
  readonly #sink: Sink;
  readonly #prefix: Buffer;
  #rest = Buffer.alloc(0);

  constructor(sink: Sink, prefix: string) {
    this.#sink = sink;
    this.#prefix = Buffer.from(prefix);
  }

  write(data: Uint8Array): void {
    let bytes = Buffer.concat([this.#rest, data]);
    const lines: Buffer[] = [];
    for (;;) {
      const newline = bytes.indexOf(NEWLINE);
      const end = newline >= 0 && newline < MAX_LINE_BYTES ? newline : bytes.length >= MAX_LINE_BYTES ? MAX_LINE_BYTES : -1;
      if (end < 0) break;
      lines.push(this.#prefix, bytes.subarray(0, end), Buffer.from("\n"));
      bytes = bytes.subarray(end + (end === newline ? 1 : 0));
    }
    this.#rest = bytes;
    if (lines.length > 0) this.#sink.write(Buffer.concat(lines));
  }

  end(): void {
    if (this.#rest.length > 0) this.write(Buffer.from("\n"));
  }
}
