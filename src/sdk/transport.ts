/** How streams reach masters. What is above it knows neither gRPC nor sockets, so that it runs over simulated ones, too. */
import type { Random } from "../base/random.ts";
import type { LeaderView } from "../wire/gen/mesarch/v1/cluster.ts";
import type { SchedulerItem } from "../wire/gen/mesarch/v1/scheduler.ts";

export interface Ending {
  readonly reason: string;
  /** Neither side wanted it. */
  readonly broke: boolean;
}

/** Called later than the call that opens the stream. What still comes after we ended it means nothing. */
export interface StreamHandlers<Item> {
  readonly onItem: (item: Item) => void;
  /** Once, and last. */
  readonly onEnd: (ending: Ending) => void;
}

/** The scheduler's end of its stream. */
export interface SchedulerStream {
  /** There is a connection, so SUBSCRIBE is on its way: the master may hear it even if this is cancelled now. */
  readonly isConnected: boolean;
  /** `call`: an encoded NumberedCall. */
  send(call: Uint8Array): void;
  cancel(): void;
}

export interface Transport extends Disposable {
  /** Opens a scheduler's stream to the master at `host:port`, beginning with `subscribe`, an encoded NumberedCall. */
  subscribe(address: string, subscribe: Uint8Array, handlers: StreamHandlers<SchedulerItem>): SchedulerStream;
  /** Has the master at `host:port` tell whom it takes for the leader, now and on each change. Returns what ends that. */
  watch(address: string, handlers: StreamHandlers<LeaderView>): () => void;
}

/** What a client takes from the world around it, besides time. */
export interface Outside {
  readonly transport: Transport;
  readonly random: Random;
}
