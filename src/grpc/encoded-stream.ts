/**
 * Streams that carry batches of already encoded items: each item is encoded once, its size is known exactly, and a batch
 * is put together by copying. A batch is a protobuf message whose repeated field holds the items.
 */
import { Outbox } from "../async/outbox.ts";
import { limits } from "../model/limits.ts";

/** `prefix`: the encoded remaining fields of the batch. */
export function encodeRepeated(field: number, items: readonly Uint8Array[], prefix?: Uint8Array): Buffer {
  let size = prefix?.length ?? 0;
  for (const item of items) size += 1 + varintLength(item.length) + item.length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  if (prefix !== undefined) {
    out.set(prefix, 0);
    at = prefix.length;
  }
  const tag = (field << 3) | 2;
  for (const item of items) {
    out[at++] = tag;
    let length = item.length;
    while (length > 0x7f) {
      out[at++] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    out[at++] = length;
    out.set(item, at);
    at += item.length;
  }
  return out;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length += 1;
  return length;
}

/** Serializer of messages that are bytes already. */
export const asIs = (bytes: Buffer): Buffer => bytes;

/** An outbox of encoded items in front of a stream; `pack` makes the messages of one batch of them. */
export function encodedOutbox<Item extends { readonly bytes: Uint8Array }>(
  stream: unknown,
  pack: (items: Item[]) => Buffer | Buffer[],
  onSlowPeer: (waitingBytes: number) => void,
): Outbox<Item> {
  const writable = stream as { write(message: Buffer): boolean; on(event: "drain", callback: () => void): unknown };
  return new Outbox<Item>({
    sink: {
      write: (items) => {
        const packed = pack(items);
        if (!Array.isArray(packed)) return writable.write(packed);
        let more = true;
        for (const message of packed) more = writable.write(message);
        return more;
      },
      onDrain: (callback) => void writable.on("drain", callback),
    },
    sizeOf: (item) => item.bytes.length,
    onSlowPeer,
    maxBytes: limits.streamQueueBytes,
    patienceMs: limits.streamPatienceMs,
    hardMaxBytes: limits.streamQueueMaxBytes,
  });
}
