/** One scheduler stream to one leader, from SUBSCRIBE to whatever ends it. */
import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Outbox } from "../async/outbox.ts";
import { SchedulerEvents, SchedulerServiceClient, SchedulerServiceService } from "../wire/gen/mesarch/v1/scheduler.ts";
import type { Reply } from "../wire/gen/mesarch/v1/scheduler.ts";
import type { Event } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";

export interface SubscriptionHandlers {
  readonly onEvent: (event: Event) => void;
  readonly onReply: (reply: Reply) => void;
  /** The master does not lead; the address is empty when it knows no leader. The stream ends by itself. */
  readonly onNotLeading: (leaderAddress: string) => void;
}

export interface Ending {
  readonly reason: string;
  /** Neither side wanted it. */
  readonly broke: boolean;
}

type Batch = readonly Uint8Array[];

const FIELD_CALLS = 10; // field 1 of SchedulerCalls, length-delimited

/** Calls are encoded once, when made; a batch only frames them. */
function serializeBatch(batch: Batch): Buffer {
  const writer = new BinaryWriter();
  for (const call of batch) writer.uint32(FIELD_CALLS).bytes(call);
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class Subscription {
  /** Resolves, never rejects, once the stream has ended. Nothing is handed out after that. */
  readonly ended: Promise<Ending>;
  readonly #stream: ClientDuplexStream<Batch, SchedulerEvents>;
  readonly #outbox: Outbox<Uint8Array>;
  readonly #end: (reason: string, broke: boolean) => void;
  #open = true;

  /** Opens the stream and sends `subscribe`, an encoded NumberedCall. */
  constructor(client: SchedulerServiceClient, subscribe: Uint8Array, handlers: SubscriptionHandlers) {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#stream = client.makeBidiStreamRequest(
      SchedulerServiceService.session.path,
      serializeBatch,
      SchedulerEvents.decode,
    );
    this.#outbox = new Outbox<Uint8Array>({
      sink: {
        write: (batch) => this.#stream.write(batch),
        onDrain: (callback) => this.#stream.on("drain", callback),
      },
      sizeOf: (bytes) => bytes.length,
      // What waits here is bounded by the session's unanswered calls.
      maxBytes: Infinity,
      onSlowPeer: () => {},
    });
    this.#end = (reason, broke) => {
      if (!this.#open) return;
      this.#open = false;
      this.#outbox.close();
      resolve({ reason, broke });
    };
    this.#stream.on("data", (events: SchedulerEvents) => this.#take(events, handlers));
    this.#stream.on("error", (error: ServiceError) => this.#end(error.details || error.message, true));
    this.#stream.on("end", () => this.#end("the master closed the stream", false));
    this.#stream.write([subscribe]);
  }

  /** Queues an encoded NumberedCall; those of one event loop turn leave together. */
  send(call: Uint8Array): void {
    this.#outbox.push(call);
  }

  /** Ends the stream from our side. */
  cancel(reason: string): void {
    this.#end(reason, false);
    this.#stream.cancel();
  }

  #take(events: SchedulerEvents, handlers: SubscriptionHandlers): void {
    for (const { item } of events.items) {
      if (!this.#open) return;
      if (item?.$case === "event") handlers.onEvent(item.value);
      else if (item?.$case === "reply") handlers.onReply(item.value);
      else if (item?.$case === "notLeading") handlers.onNotLeading(item.value.leaderAddress);
    }
  }
}
