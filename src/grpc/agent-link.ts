/** An agent's streams to masters over gRPC. */
import { type ChannelCredentials, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { onAbort } from "../async/abort.ts";
import type { MasterDialer, MasterLink } from "../ports/master-links.ts";
import { AgentMessage, AgentServiceClient, AgentServiceService, type MasterBatch } from "../wire/gen/mesarch/v1/agents.ts";
import { asIs, encodeRepeated, encodedOutbox } from "./encoded-stream.ts";
import { clientOptions } from "./limits.ts";

const { session } = AgentServiceService;
/** Number of `AgentBatch.messages`. */
const MESSAGES_FIELD = 1;

export interface DialerOptions {
  /** Default: no TLS. */
  readonly credentials?: ChannelCredentials;
  /** One connection to each master for all links; otherwise each link has its own, and takes it down with it. */
  readonly shared?: boolean;
}

/** Dials masters; owns the connections until disposed. */
export class GrpcMasterDialer implements MasterDialer, Disposable {
  readonly #credentials: ChannelCredentials;
  readonly #shared: Map<string, AgentServiceClient> | undefined;
  readonly #open = new Set<AgentServiceClient>();

  constructor(options: DialerOptions = {}) {
    this.#credentials = options.credentials ?? credentials.createInsecure();
    this.#shared = options.shared === true ? new Map() : undefined;
  }

  async dial(address: string, onBatch: (batch: MasterBatch) => void, signal: AbortSignal): Promise<MasterLink> {
    signal.throwIfAborted();
    const client = this.#clientOf(address);
    const release = (): void => {
      if (this.#shared === undefined && this.#open.delete(client)) client.close();
    };
    try {
      await connected(client, signal);
      return openLink(client.makeBidiStreamRequest(session.path, asIs, session.responseDeserialize), onBatch, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const client of this.#open) client.close();
    this.#open.clear();
  }

  #clientOf(address: string): AgentServiceClient {
    const known = this.#shared?.get(address);
    if (known !== undefined) return known;
    const client = new AgentServiceClient(address, this.#credentials, clientOptions);
    this.#open.add(client);
    this.#shared?.set(address, client);
    return client;
  }
}

function connected(client: AgentServiceClient, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stopListening = onAbort(signal, () => reject(signal.reason));
  client.waitForReady(Infinity, (error) => {
    stopListening();
    if (error === undefined || error === null) resolve();
    else reject(error);
  });
  return promise;
}

function openLink(
  stream: ClientDuplexStream<Buffer, MasterBatch>,
  onBatch: (batch: MasterBatch) => void,
  release: () => void,
): MasterLink {
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  let open = true;
  const end = (reason: string): void => {
    if (!open) return;
    open = false;
    outbox.close();
    stream.cancel();
    release();
    resolve(reason);
  };
  const outbox = encodedOutbox<{ bytes: Uint8Array }>(
    stream,
    (items) => encodeRepeated(MESSAGES_FIELD, items.map(({ bytes }) => bytes)),
    (bytes) => end(`the master does not read: ${bytes} bytes wait`),
  );
  stream.on("data", (batch: MasterBatch) => void (open && onBatch(batch)));
  stream.on("error", (error) => end(error.message));
  stream.on("end", () => end("the master ended the stream"));
  return { closed, close: end, send: (message) => void outbox.push({ bytes: AgentMessage.encode(message).finish() }) };
}
