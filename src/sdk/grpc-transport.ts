/** The transport that users have: gRPC, over one channel per master. */
import { connectivityState, status, type ServiceError } from "@grpc/grpc-js";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Outbox } from "../async/outbox.ts";
import { ClusterServiceClient, type LeaderView } from "../wire/gen/mesarch/v1/cluster.ts";
import { SchedulerEvents, SchedulerServiceClient, SchedulerServiceService, type SchedulerItem } from "../wire/gen/mesarch/v1/scheduler.ts";
import type { Channels } from "./channels.ts";
import type { SchedulerStream, StreamHandlers, Transport } from "./transport.ts";

type Batch = readonly Uint8Array[];

const FIELD_CALLS = 10; // field 1 of SchedulerCalls, length-delimited

/** Calls are encoded once, when made; a batch only frames them. */
function serializeBatch(batch: Batch): Buffer {
  const writer = new BinaryWriter();
  for (const call of batch) writer.uint32(FIELD_CALLS).bytes(call);
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class GrpcTransport implements Transport {
  readonly #channels: Channels;

  /** Takes the channels over: they are closed with it. */
  constructor(channels: Channels) {
    this.#channels = channels;
  }

  subscribe(address: string, subscribe: Uint8Array, { onItem, onEnd }: StreamHandlers<SchedulerItem>): SchedulerStream {
    const channel = this.#channels.to(address);
    const client = this.#channels.client(SchedulerServiceClient, address);
    const stream = client.makeBidiStreamRequest(SchedulerServiceService.session.path, serializeBatch, SchedulerEvents.decode);
    // Calls of one event loop turn leave together.
    const outbox = new Outbox<Uint8Array>({
      sink: {
        write: (batch) => stream.write(batch),
        onDrain: (callback) => stream.on("drain", callback),
      },
      sizeOf: (bytes) => bytes.length,
      // What waits here is bounded by the session's unanswered calls.
      maxBytes: Infinity,
      onSlowPeer: () => {},
    });
    const end = once((reason: string, broke: boolean) => {
      outbox.close();
      onEnd({ reason, broke });
    });
    stream.on("data", ({ items }: SchedulerEvents) => items.forEach(onItem));
    stream.on("error", (error: ServiceError) => end(error.details || error.message, true));
    stream.on("end", () => end("the master closed the stream", false));
    stream.write([subscribe]);
    return {
      get isConnected() {
        return channel.getConnectivityState(false) === connectivityState.READY;
      },
      send: (call) => void outbox.push(call),
      cancel: () => {
        outbox.close();
        stream.cancel();
      },
    };
  }

  watch(address: string, { onItem, onEnd }: StreamHandlers<LeaderView>): () => void {
    const stream = this.#channels.client(ClusterServiceClient, address).watch({});
    const end = once((reason: string, broke: boolean) => onEnd({ reason, broke }));
    stream.on("data", onItem);
    stream.on("error", (error: ServiceError) => end(describe(error), true));
    stream.on("end", () => end("the master closed the stream", false));
    return () => stream.cancel();
  }

  [Symbol.dispose](): void {
    this.#channels[Symbol.dispose]();
  }
}

/** A stream that fails may tell of it twice. */
function once(end: (reason: string, broke: boolean) => void): (reason: string, broke: boolean) => void {
  let ended = false;
  return (reason, broke) => {
    if (ended) return;
    ended = true;
    end(reason, broke);
  };
}

function describe(error: ServiceError): string {
  if (error.code !== status.UNAVAILABLE) return `answers with an error (${error.details})`;
  return /ECONNREFUSED/.test(error.details) ? "refuses connections" : `cannot be reached (${error.details})`;
}
