/** The operators' door of a master: calls with one answer each, and the stream of events, to whoever reads it how fast. */
import { Outbox } from "../../src/async/outbox.ts";
import { type ErrorCode, MesarchError, toMesarchError } from "../../src/base/errors.ts";
import type { Master } from "../../src/master/master.ts";
import { EventsRequest, OperatorEvent, OperatorEvents, OperatorRequest, OperatorResponse } from "../../src/wire/gen/mesarch/v1/operator.ts";
import type { Wire } from "./network.ts";
import type { SimProcess } from "./virtual-time.ts";

/** Why there is no answer; the stream ends with it. */
export interface Refused {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where the leader is, as far as known. */
  readonly leader: string;
}

/** Batches on their way to a reader, before it has read the first of them. */
const WINDOW = 4;
/** Bytes that may wait for a reader who takes none, and how long: little, as a simulated cluster has little to tell. */
const WAITING_BYTES = 1024;
const PATIENCE_MS = 2_000;
const [GOOD, BAD] = [0, 1];
/** What a reader sends for each batch that it has read. */
export const TAKEN = new Uint8Array();

/** What came from this door: bytes of a message, or why there are none. */
export function opened(bytes: Uint8Array): Uint8Array | Refused {
  const rest = bytes.subarray(1);
  return bytes[0] === GOOD ? rest : (JSON.parse(Buffer.from(rest).toString()) as Refused);
}

export function serveCalls(master: Master, wire: Wire): void {
  wire.onMessage = (bytes) => {
    master.operators.call(OperatorRequest.decode(bytes), "").then(
      (response) => wire.send(sealed(GOOD, OperatorResponse.encode(response).finish())),
      (error: unknown) => wire.send(refused(master, error)),
    );
  };
}

export function serveEvents(master: Master, process: SimProcess, wire: Wire): void {
  wire.onMessage = (request) => {
    const reader = new Reader(wire);
    wire.onMessage = () => reader.took();
    const outbox = new Outbox<OperatorEvent>({
      sink: reader,
      sizeOf: (event) => OperatorEvent.encode(event).finish().length,
      onSlowPeer: (waiting) => end(new MesarchError("exhausted", `the stream was not read: ${waiting} bytes waited`)),
      maxBytes: WAITING_BYTES,
      patienceMs: PATIENCE_MS,
      schedule: (flush) => process.clock.after(0, flush),
      clock: process.clock,
    });
    let unsubscribe = (): void => {};
    const end = (error?: unknown): void => {
      unsubscribe();
      outbox.flush();
      outbox.close();
      if (error !== undefined) wire.send(refused(master, error));
      wire.close();
    };
    wire.onClose = () => end();
    try {
      const sink = { send: (event: OperatorEvent) => void outbox.push(event), whenIdle: (callback: () => void) => outbox.whenIdle(callback), close: () => end() };
      unsubscribe = master.operators.subscribe(sink, EventsRequest.decode(request).snapshot);
    } catch (error) {
      end(error);
    }
  };
}

/** The peer, as far as it takes more. */
class Reader {
  readonly #wire: Wire;
  #unread = 0;
  #drained: () => void = () => {};

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  write(events: OperatorEvent[]): boolean {
    this.#wire.send(sealed(GOOD, OperatorEvents.encode({ events }).finish()));
    this.#unread += 1;
    return this.#unread < WINDOW;
  }

  onDrain(callback: () => void): void {
    this.#drained = callback;
  }

  took(): void {
    this.#unread -= 1;
    if (this.#unread === WINDOW - 1) this.#drained();
  }
}

function refused(master: Master, thrown: unknown): Uint8Array {
  const { code, message } = toMesarchError(thrown);
  return sealed(BAD, Buffer.from(JSON.stringify({ code, message, leader: master.operators.leaderAddress } satisfies Refused)));
}

function sealed(kind: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(kind), bytes]);
}
