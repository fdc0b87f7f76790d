/** The SDK's transport over the simulated network: one connection per master, to what it serves behind its gRPC doors. */
import { epochText } from "../../src/base/epoch.ts";
import type { SchedulerStream, StreamHandlers, Transport } from "../../src/sdk/transport.ts";
import { LeaderView } from "../../src/wire/gen/mesarch/v1/cluster.ts";
import { SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { OpenCall, Standpoint } from "../history/recorder.ts";
import { CLOSED, doorOf } from "./masters.ts";
import { Multiplex, type StreamEnd } from "./multiplex.ts";
import type { Network } from "./network.ts";
import type { SimProcess } from "./virtual-time.ts";

export interface SdkTransportOptions {
  readonly network: Network;
  readonly process: SimProcess;
  /** See `SchedulerListener`. */
  readonly asks: () => OpenCall;
}

interface Handlers {
  readonly onOpen: (stream: StreamEnd) => void;
  readonly onMessage: (bytes: Uint8Array) => void;
  readonly onEnd: (reason: string, broke: boolean) => void;
}

export class SdkTransport implements Transport {
  readonly #options: SdkTransportOptions;
  /** By address. */
  readonly #connections = new Map<string, Multiplex>();
  readonly #connecting = new Map<string, Promise<Multiplex | undefined>>();
  #disposed = false;
  /** Where the reply that is being dealt with was true; undefined while none is. */
  answeredAt: Standpoint | undefined;

  constructor(options: SdkTransportOptions) {
    this.#options = options;
  }

  subscribe(address: string, subscribe: Uint8Array, { onItem, onEnd }: StreamHandlers<SchedulerItem>): SchedulerStream {
    let asked: OpenCall | undefined;
    let stream: StreamEnd | undefined;
    const end = (reason: string): void => {
      asked?.unknown(reason);
      this.answeredAt = undefined;
    };
    const cancel = this.#open(address, "schedulers", {
      onOpen: (opened) => {
        stream = opened;
        asked = this.#options.asks();
        stream.send(subscribe);
      },
      onMessage: (bytes) => {
        const item = SchedulerItem.decode(bytes);
        this.#note(item, asked!);
        onItem(item);
      },
      onEnd: (reason, broke) => {
        end(reason);
        onEnd({ reason, broke });
      },
    });
    return {
      get isConnected() {
        return stream !== undefined;
      },
      send: (call) => stream?.send(call),
      cancel: () => {
        end("left");
        cancel();
      },
    };
  }

  watch(address: string, { onItem, onEnd }: StreamHandlers<LeaderView>): () => void {
    return this.#open(address, "views", {
      onOpen: () => {},
      onMessage: (bytes) => onItem(LeaderView.decode(bytes)),
      onEnd: (reason, broke) => onEnd({ reason, broke }),
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const connection of this.#connections.values()) connection.close();
  }

  #note({ item }: SchedulerItem, asked: OpenCall): void {
    this.answeredAt = undefined;
    if (item?.$case === "reply") {
      const { epoch, revision } = item.value;
      this.answeredAt = { ...(epoch !== undefined && { epoch: epochText(epoch) }), revision };
    } else if (item?.$case === "notLeading") asked.fail("the master does not lead");
    else if (item?.value.type === Event_Type.SUBSCRIBED) asked.ok();
    else if (item?.value.type === Event_Type.ERROR) asked.fail(item.value.error?.message ?? "");
  }

  /** Returns what cancels it. */
  #open(address: string, service: string, handlers: Handlers): () => void {
    let wanted = true;
    let stream: StreamEnd | undefined;
    void this.#connected(address).then((connection) => {
      if (!wanted) return;
      if (connection === undefined) return handlers.onEnd("cannot be reached", true);
      stream = connection.open(service);
      stream.onMessage = handlers.onMessage;
      stream.onClose = (reason) => handlers.onEnd(reason, reason !== CLOSED);
      handlers.onOpen(stream);
    });
    return () => {
      wanted = false;
      stream?.close();
    };
  }

  /** Undefined: it cannot be reached. */
  async #connected(address: string): Promise<Multiplex | undefined> {
    const open = this.#connections.get(address);
    if (open?.isOpen) return open;
    const connecting = this.#connecting.get(address) ?? this.#connect(address);
    this.#connecting.set(address, connecting);
    return connecting;
  }

  async #connect(address: string): Promise<Multiplex | undefined> {
    const { network, process } = this.#options;
    const wire = await network.connect(process, doorOf(address, "streams"));
    this.#connecting.delete(address);
    if (wire === undefined || this.#disposed) return void wire?.close();
    const connection = new Multiplex(wire);
    this.#connections.set(address, connection);
    return connection;
  }
}
