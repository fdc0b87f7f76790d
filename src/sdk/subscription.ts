/** One scheduler stream to one leader, from SUBSCRIBE to whatever ends it. */
import type { Reply, SchedulerItem } from "../wire/gen/mesarch/v1/scheduler.ts";
import type { Event } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { Ending, SchedulerStream, Transport } from "./transport.ts";

export interface SubscriptionHandlers {
  readonly onEvent: (event: Event) => void;
  readonly onReply: (reply: Reply) => void;
  /** The master does not lead; the address is empty when it knows no leader. The stream ends by itself. */
  readonly onNotLeading: (leaderAddress: string) => void;
}

export class Subscription {
  /** Resolves, never rejects, once the stream has ended. Nothing is handed out after that. */
  readonly ended: Promise<Ending>;
  readonly #stream: SchedulerStream;
  readonly #end: (ending: Ending) => void;
  #open = true;

  /** Opens the stream to the master at `address` and sends `subscribe`, an encoded NumberedCall. */
  constructor(transport: Transport, address: string, subscribe: Uint8Array, handlers: SubscriptionHandlers) {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#end = (ending) => {
      this.#open = false;
      resolve(ending);
    };
    this.#stream = transport.subscribe(address, subscribe, {
      onItem: (item) => this.#open && take(item, handlers),
      onEnd: this.#end,
    });
  }

  /** SUBSCRIBE is on its way, for good. */
  get isConnected(): boolean {
    return this.#stream.isConnected;
  }

  /** Queues an encoded NumberedCall. */
  send(call: Uint8Array): void {
    if (this.#open) this.#stream.send(call);
  }

  /** Ends the stream from our side. */
  cancel(reason: string): void {
    this.#end({ reason, broke: false });
    this.#stream.cancel();
  }
}

function take({ item }: SchedulerItem, handlers: SubscriptionHandlers): void {
  if (item?.$case === "event") handlers.onEvent(item.value);
  else if (item?.$case === "reply") handlers.onReply(item.value);
  else if (item?.$case === "notLeading") handlers.onNotLeading(item.value.leaderAddress);
}
