/**
 * Several streams over one connection, as HTTP/2 has them: what is sent on one does not overtake what was sent on another,
 * and all end with the connection.
 */
import type { Wire } from "./network.ts";

/** One end of a stream: what there is of a wire, too. */
export type StreamEnd = Pick<Wire, "send" | "close" | "onMessage" | "onClose">;

const OPEN = 0;
const DATA = 1;
const CLOSE = 2;
/** One byte says what it is, four say of which stream. */
const HEAD_BYTES = 5;

export class Multiplex {
  readonly #wire: Wire;
  readonly #accept: (service: string, stream: StreamEnd) => void;
  readonly #streams = new Map<number, StreamEnd>();
  #opened = 0;

  /** Takes the wire over. Streams are opened by one side; the other accepts them. */
  constructor(wire: Wire, accept: (service: string, stream: StreamEnd) => void = () => {}) {
    this.#wire = wire;
    this.#accept = accept;
    wire.onMessage = (frame) => this.#heard(frame);
    wire.onClose = (reason) => {
      const streams = [...this.#streams.values()];
      this.#streams.clear();
      for (const stream of streams) stream.onClose(reason);
    };
  }

  get isOpen(): boolean {
    return this.#wire.open;
  }

  open(service: string): StreamEnd {
    const id = (this.#opened += 1);
    this.#say(OPEN, id, Buffer.from(service));
    return this.#stream(id);
  }

  close(): void {
    this.#streams.clear();
    this.#wire.close();
  }

  #stream(id: number): StreamEnd {
    const stream: StreamEnd = {
      send: (bytes) => this.#streams.has(id) && this.#say(DATA, id, bytes),
      close: (reason = "cancelled") => this.#streams.delete(id) && this.#say(CLOSE, id, Buffer.from(reason)),
      onMessage: () => {},
      onClose: () => {},
    };
    this.#streams.set(id, stream);
    return stream;
  }

  #heard(frame: Uint8Array): void {
    const id = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).readUInt32BE(1);
    const body = frame.subarray(HEAD_BYTES);
    if (frame[0] === OPEN) return this.#accept(Buffer.from(body).toString(), this.#stream(id));
    const stream = this.#streams.get(id);
    if (frame[0] === DATA) return stream?.onMessage(body);
    if (this.#streams.delete(id)) stream!.onClose(Buffer.from(body).toString());
  }

  #say(what: number, id: number, body: Uint8Array): void {
    const frame = Buffer.alloc(HEAD_BYTES + body.length);
    frame[0] = what;
    frame.writeUInt32BE(id, 1);
    frame.set(body, HEAD_BYTES);
    this.#wire.send(frame);
  }
}
