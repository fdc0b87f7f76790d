/**
 * Decoding of what outlives its message, and with a bound on the elements of a message. A message of few bytes may hold
 * millions of them, each of which costs memory and time a hundred times its size, so they are counted while they are read
 * (13.4).
 */
import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";

/** Bytes it reads are copies: a view of a few would keep the whole message in memory as long as a row that has them. */
export class CopyingReader extends BinaryReader {
  override bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(super.bytes());
  }

  /** What is kept of a field that is not known. */
  override skip(wireType: WireType, fieldNo?: number, recursionLimit?: number): Uint8Array<ArrayBuffer> {
    const raw = super.skip(wireType, fieldNo, recursionLimit);
    // Of nested groups the outermost is a copy: with one for each, few bytes would cost much.
    return recursionLimit === undefined ? new Uint8Array(raw) : (raw as Uint8Array<ArrayBuffer>);
  }
}

export class TooManyWords extends Error {
  constructor(words: number) {
    super(`more than ${words} elements in a message`);
    this.name = "TooManyWords";
  }
}

/** Throws `TooManyWords` in the middle of decoding. Every tag, and every length, begins with a read of `uint32`. */
export class CountingReader extends CopyingReader {
  /** Words that may still be read. */
  left: number;

  constructor(input: Uint8Array, words: number) {
    super(input);
    this.left = words;
    const read = this.uint32;
    this.uint32 = () => {
      this.left -= 1;
      if (this.left < 0) throw new TooManyWords(words);
      return read.call(this);
    };
  }
}
