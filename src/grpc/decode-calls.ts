/** Decoding of a batch of scheduler calls: one that is too much to read is refused by itself, and the stream goes on. */
import type { ReceivedCall } from "../api/scheduler-sessions.ts";
import { limits } from "../model/limits.ts";
import { CountingReader, TooManyWords } from "../wire/counting-reader.ts";
import { NumberedCall } from "../wire/gen/mesarch/v1/scheduler.ts";

/** `SchedulerCalls.calls` and `NumberedCall.number`: field number and wire type. */
const CALLS_TAG = (1 << 3) | 2;
const NUMBER_TAG = 1 << 3;
/** Tag and length of each call, and some that a newer client may add. */
const FRAMING_WORDS = 2 * limits.messageItems + 64;
/** A call begins with its number. */
const NUMBER_WORDS = 16;

/** Throws, which gRPC tells the sender and ends its stream with, for what is no such message or has too many calls. */
export function decodeCalls(input: Buffer): { readonly calls: readonly ReceivedCall[] } {
  const calls: ReceivedCall[] = [];
  const reader = new CountingReader(input, limits.messageWords);
  let framing = FRAMING_WORDS;
  let words: number = limits.messageWords;
  while (reader.pos < input.length) {
    reader.left = framing;
    const tag = reader.uint32();
    if (tag !== CALLS_TAG) {
      reader.skip(tag & 7);
      framing = reader.left;
      continue;
    }
    const length = reader.uint32();
    framing = reader.left;
    if (calls.length === limits.messageItems) throw new Error(`more than ${limits.messageItems} items in a message`);
    const end = reader.pos + length;
    if (end > input.length) throw new RangeError("a call goes beyond the end of its message");
    const bytes = input.subarray(reader.pos, end);
    const budget = Math.min(words, limits.callWords);
    reader.left = budget;
    calls.push(decodeCall(reader, length) ?? refusal(bytes, budget));
    words -= budget - Math.max(0, reader.left);
    reader.pos = end;
  }
  return { calls };
}

/** Undefined when it has more elements than the reader has left. */
function decodeCall(reader: CountingReader, length: number): NumberedCall | undefined {
  try {
    return NumberedCall.decode(reader, length);
  } catch (error) {
    if (error instanceof TooManyWords) return undefined;
    throw error;
  }
}

/** One that calls before it in the same message left no room for may come again in another. */
function refusal(call: Uint8Array, budget: number): ReceivedCall {
  const number = numberOf(call);
  if (budget < limits.callWords) return { number, code: 503, message: "too much in one message; try again" };
  return { number, code: 400, message: `more than ${limits.callWords} elements in one call: split it` };
}

function numberOf(call: Uint8Array): number {
  const reader = new CountingReader(call, NUMBER_WORDS);
  for (let tag = reader.uint32(); tag !== NUMBER_TAG; tag = reader.uint32()) reader.skip(tag & 7);
  return Number(reader.uint64());
}
