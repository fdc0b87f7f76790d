/**
 * Decoding with a bound on the elements of a message. A message of few bytes may hold millions of them, each of which costs
 * memory and time a hundred times its size, so they are counted while they are read (13.4).
 */
import { BinaryReader } from "@bufbuild/protobuf/wire";

export class TooManyWords extends Error {
  constructor(words: number) {
    super(`more than ${words} elements in a message`);
    this.name = "TooManyWords";
  }
}

/** Throws `TooManyWords` in the middle of decoding. Every tag, and every length, begins with a read of `uint32`. */
export class CountingReader extends BinaryReader {
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
