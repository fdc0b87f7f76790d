/** One gRPC channel per address, shared by all that a client says to it. */
import { Client, credentials, Metadata, type ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { limits } from "../model/limits.ts";

type Channel = ReturnType<Client["getChannel"]>;

/** A lost master is tried again within 100 ms: the wait for a new leader must not hide in a client's back-off. */
const channelOptions: ChannelOptions = {
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 100,
  "grpc.dns_min_time_between_resolutions_ms": 1_000,
  // A lost host closes no socket; the ping finds out.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.max_receive_message_length": limits.messageBytes,
  "grpc.max_send_message_length": limits.messageBytes,
  // Retries are ours, where it is known what may be repeated.
  "grpc.enable_retries": 0,
};

export class Channels implements Disposable {
  readonly #credentials: ChannelCredentials;
  readonly #clients = new Map<string, Client>();
  /** How many borrow each channel. */
  readonly #borrowers = new Map<string, number>();

  /** `given`: default is plain TCP. */
  constructor(given?: ChannelCredentials) {
    this.#credentials = given ?? credentials.createInsecure();
  }

  /** The channel to `host:port`; it connects when first used. */
  to(address: string): Channel {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = new Client(address, this.#credentials, channelOptions);
      this.#clients.set(address, client);
    }
    return client.getChannel();
  }

  /**
   * A generated client over the shared channel.
   *
   *     channels.client(OperatorServiceClient, "127.0.0.1:6050")
   */
  client<C>(
    constructor: new (address: string, given: ChannelCredentials, options: { channelOverride: Channel }) => C,
    address: string,
  ): C {
    return new constructor(address, this.#credentials, { channelOverride: this.to(address) });
  }

  /**
   * The same for a peer that is needed for a while: its channel is closed when the last borrower is done.
   *
   *     using agent = channels.borrow(AgentOperatorServiceClient, address);
   */
  borrow<C>(
    constructor: new (address: string, given: ChannelCredentials, options: { channelOverride: Channel }) => C,
    address: string,
  ): Disposable & { readonly client: C } {
    const client = this.client(constructor, address);
    this.#borrowers.set(address, (this.#borrowers.get(address) ?? 0) + 1);
    let returned = false;
    const giveBack = (): void => {
      if (returned) return;
      returned = true;
      const others = (this.#borrowers.get(address) ?? 1) - 1;
      if (others > 0) return void this.#borrowers.set(address, others);
      this.#borrowers.delete(address);
      this.#close(address);
    };
    return { client, [Symbol.dispose]: giveBack };
  }

  [Symbol.dispose](): void {
    for (const address of [...this.#clients.keys()]) this.#close(address);
  }

  #close(address: string): void {
    this.#clients.get(address)?.close();
    this.#clients.delete(address);
  }
}

/** Metadata of a call that carries the caller's trace, a W3C traceparent. */
export function traceMetadata(traceparent: string | undefined): Metadata {
  const metadata = new Metadata();
  if (traceparent !== undefined && traceparent !== "") metadata.set("traceparent", traceparent);
  return metadata;
}
