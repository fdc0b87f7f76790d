/** The SDK's transport over the simulated network, to what masters serve behind their gRPC doors. */
import { epochText } from "../../src/base/epoch.ts";
import type { SchedulerStream, StreamHandlers, Transport } from "../../src/sdk/transport.ts";
import { LeaderView } from "../../src/wire/gen/mesarch/v1/cluster.ts";
import { SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { OpenCall, Standpoint } from "../history/recorder.ts";
import { CLOSED, doorOf } from "./masters.ts";
import type { Network, Wire } from "./network.ts";
import type { SimProcess } from "./virtual-time.ts";

export interface SdkTransportOptions {
  readonly network: Network;
  readonly process: SimProcess;
  /** See `SchedulerListener`. */
  readonly asks: () => OpenCall;
}

export class SdkTransport implements Transport {
  readonly #options: SdkTransportOptions;
  /** Where the reply that is being dealt with was true; undefined while none is. */
  answeredAt: Standpoint | undefined;

  constructor(options: SdkTransportOptions) {
    this.#options = options;
  }

  subscribe(address: string, subscribe: Uint8Array, { onItem, onEnd }: StreamHandlers<SchedulerItem>): SchedulerStream {
    let asked: OpenCall | undefined;
    const stream = this.#open(doorOf(address, "schedulers"), {
      onOpen: (wire) => {
        asked = this.#options.asks();
        wire.send(subscribe);
      },
      onMessage: (bytes) => {
        const item = SchedulerItem.decode(bytes);
        this.#note(item, asked!);
        onItem(item);
      },
      onEnd: (reason, broke) => {
        asked?.unknown(reason);
        this.answeredAt = undefined;
        onEnd({ reason, broke });
      },
    });
    return {
      send: (call) => stream.wire?.send(call),
      cancel: () => {
        asked?.unknown("left");
        this.answeredAt = undefined;
        stream.cancel();
      },
    };
  }

  watch(address: string, { onItem, onEnd }: StreamHandlers<LeaderView>): () => void {
    const stream = this.#open(doorOf(address, "views"), {
      onOpen: () => {},
      onMessage: (bytes) => onItem(LeaderView.decode(bytes)),
      onEnd: (reason, broke) => onEnd({ reason, broke }),
    });
    return () => stream.cancel();
  }

  /** Streams are ended by those who opened them. */
  [Symbol.dispose](): void {}

  #note({ item }: SchedulerItem, asked: OpenCall): void {
    this.answeredAt = undefined;
    if (item?.$case === "reply") {
      const { epoch, revision } = item.value;
      this.answeredAt = { ...(epoch !== undefined && { epoch: epochText(epoch) }), revision };
    } else if (item?.$case === "notLeading") asked.fail("the master does not lead");
    else if (item?.value.type === Event_Type.SUBSCRIBED) asked.ok();
    else if (item?.value.type === Event_Type.ERROR) asked.fail(item.value.error?.message ?? "");
  }

  #open(door: string, handlers: WireHandlers): OpenStream {
    const { network, process } = this.#options;
    let wanted = true;
    const stream: OpenStream = {
      wire: undefined,
      cancel: () => {
        wanted = false;
        stream.wire?.close();
      },
    };
    void network.connect(process, door).then((wire) => {
      if (!wanted) return wire?.close();
      if (wire === undefined) return handlers.onEnd("cannot be reached", true);
      stream.wire = wire;
      wire.onMessage = handlers.onMessage;
      wire.onClose = (reason) => handlers.onEnd(reason, reason !== CLOSED);
      handlers.onOpen(wire);
    });
    return stream;
  }
}

interface WireHandlers {
  readonly onOpen: (wire: Wire) => void;
  readonly onMessage: (bytes: Uint8Array) => void;
  readonly onEnd: (reason: string, broke: boolean) => void;
}

interface OpenStream {
  /** Once it is connected. */
  wire: Wire | undefined;
  readonly cancel: () => void;
}
