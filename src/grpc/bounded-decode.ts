/** Decoding of what strangers send, within bounds (13.4). */
import type { BinaryReader } from "@bufbuild/protobuf/wire";
import { limits } from "../model/limits.ts";
import { CountingReader } from "../wire/counting-reader.ts";

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
