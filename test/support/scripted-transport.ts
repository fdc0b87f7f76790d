/** A transport in a test's hands: the leader by one or two addresses, whose streams say and end what the test wants, and no sooner. */
import type { SchedulerStream, StreamHandlers, Transport } from "../../src/sdk/transport.ts";
import type { LeaderView } from "../../src/wire/gen/mesarch/v1/cluster.ts";
import { NumberedCall, type SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";

export class ScriptedTransport implements Transport {
  /** In the order in which they were opened. */
  readonly streams: ScriptedStream[] = [];
  /** Of streams to come. */
  connects = true;
  readonly #watches = new Set<StreamHandlers<LeaderView>>();
  #view: LeaderView = { clusterId: "c", master: "m1", leading: true, leader: "m1", leaderAddress: "m1:6050", epoch: { generation: 1, revision: 1 } };

  /** What all masters say from now on. */
  say(view: Partial<LeaderView>): void {
    this.#view = { ...this.#view, ...view };
    for (const { onItem } of this.#watches) onItem(this.#view);
  }

  subscribe(address: string, subscribe: Uint8Array, handlers: StreamHandlers<SchedulerItem>): SchedulerStream {
    const stream = new ScriptedStream(address, this.connects, subscribe, handlers);
    this.streams.push(stream);
    return stream;
  }

  watch(_: string, handlers: StreamHandlers<LeaderView>): () => void {
    this.#watches.add(handlers);
    queueMicrotask(() => handlers.onItem(this.#view));
    return () => void this.#watches.delete(handlers);
  }

  [Symbol.dispose](): void {}
}

export class ScriptedStream implements SchedulerStream {
  readonly address: string;
  readonly isConnected: boolean;
  readonly sent: NumberedCall[];
  cancelled = false;
  readonly #handlers: StreamHandlers<SchedulerItem>;

  constructor(address: string, isConnected: boolean, subscribe: Uint8Array, handlers: StreamHandlers<SchedulerItem>) {
    this.address = address;
    this.isConnected = isConnected;
    this.sent = [NumberedCall.decode(subscribe)];
    this.#handlers = handlers;
  }

  send(call: Uint8Array): void {
    this.sent.push(NumberedCall.decode(call));
  }

  cancel(): void {
    this.cancelled = true;
  }

  subscribed(): void {
    this.events({ type: Event_Type.SUBSCRIBED, subscribed: { frameworkId: { value: "f" } } });
  }

  /** All in one message. */
  events(...events: readonly object[]): void {
    for (const value of events) this.#handlers.onItem({ item: { $case: "event", value: value as never } });
  }

  end(reason: string, broke: boolean): void {
    this.#handlers.onEnd({ reason, broke });
  }
}
