/**
 * Decoding of what strangers send. A message of few bytes may hold millions of elements, each of which costs memory and
 * time a hundred times its size, so they are counted while they are read (13.4).
 */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { limits } from "../model/limits.ts";

interface Codec<T> {
  decode(input: BinaryReader): T;
}

export interface Bounds<T> {
  readonly bytes?: number;
  /** What a message is a batch of. */
  readonly items?: (message: T) => readonly unknown[];
}

/** A deserializer that throws, which gRPC tells the sender and ends its stream with, for messages beyond the bounds. */
export function boundedDecode<T>(codec: Codec<T>, { bytes = limits.messageBytes, items }: Bounds<T> = {}): (input: Buffer) => T {
  return (input) => {
    if (input.length > bytes) throw new Error(`a message of ${input.length} bytes; at most ${bytes} are taken`);
    const message = codec.decode(new CountingReader(input, limits.messageWords));
    const count = items?.(message).length ?? 0;
    if (count > limits.messageItems) throw new Error(`${count} items in a message; at most ${limits.messageItems} are taken`);
    return message;
  };
}

/** Every tag, and every length, begins with a read of `uint32`. */
class CountingReader extends BinaryReader {
  constructor(input: Uint8Array, words: number) {
    super(input);
    const read = this.uint32;
    let left = words;
    this.uint32 = () => {
      left -= 1;
      if (left < 0) throw new Error(`more than ${words} elements in a message`);
      return read.call(this);
    };
  }
}
