/** What a master takes in one call: a larger one would only break the stream, again with each repetition. */
import { MesarchError } from "../base/errors.ts";
import { limits } from "../model/limits.ts";
import { CountingReader, TooManyWords } from "../wire/counting-reader.ts";
import { NumberedCall } from "../wire/gen/mesarch/v1/scheduler.ts";

/** Tag and length around a call in its message. */
const FRAME_BYTES = 8;

/** The error for a call that no master takes; undefined when it is within the bounds. `bytes`: the encoded NumberedCall. */
export function beyondBounds(kind: string, bytes: Uint8Array): MesarchError | undefined {
  if (bytes.length + FRAME_BYTES > limits.messageBytes) {
    return tooLarge(`${kind} has ${bytes.length} bytes; a master takes fewer than ${limits.messageBytes}`);
  }
  // An element takes a byte at least, so only large calls have to be counted.
  if (bytes.length <= limits.callWords || isReadable(bytes)) return undefined;
  return tooLarge(`${kind} has more than ${limits.callWords} elements (fields, resources, variables, and so on)`);
}

function isReadable(bytes: Uint8Array): boolean {
  try {
    NumberedCall.decode(new CountingReader(bytes, limits.callWords));
    return true;
  } catch (error) {
    if (error instanceof TooManyWords) return false;
    throw error;
  }
}

function tooLarge(message: string): MesarchError {
  return new MesarchError("invalid", message, {
    remedy: "Split it: launch some of the tasks now and the others on the next offer of the agent, or make them smaller.",
  });
}
