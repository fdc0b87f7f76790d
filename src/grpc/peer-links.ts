/** Master-to-master links: each master dials each other; heartbeats flow along the stream it opened. */
import { connect as tcpConnect } from "node:net";
import { type ClientDuplexStream, credentials, type Server, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Clock } from "../async/clock.ts";
import type { PeerLinks, PeerListener } from "../ports/peers.ts";
import { PeerHeartbeat, PeerServiceClient, PeerServiceService } from "../wire/gen/mesarch/v1/peers.ts";
import { boundedDecode } from "./bounded-decode.ts";
import { clientOptions } from "./limits.ts";

/** Pause before dialling a peer again. */
const REDIAL_MS = 100;
/** A peer's socket that takes no more than this is not written to: heartbeats are worth nothing when late. */
const MAX_WAITING_BYTES = 64 * 1024;

interface Link {
  readonly client: PeerServiceClient;
  stream: ClientDuplexStream<PeerHeartbeat, PeerHeartbeat> | undefined;
  blocked: boolean;
  ended: boolean;
  cancelRedial: () => void;
  /** Who answered last. */
  greeted: { master: string; incarnation: string } | undefined;
}

export class GrpcPeerLinks implements PeerLinks {
  readonly #clock: Clock;
  readonly #links = new Map<string, Link>();
  readonly #served = new Set<ServerDuplexStream<PeerHeartbeat, PeerHeartbeat>>();
  #listener: PeerListener | undefined;
  #lastBeat: PeerHeartbeat | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  listen(listener: PeerListener): void {
    this.#listener = listener;
  }

  /** Adds the service that others dial. */
  serve(server: Server): void {
    const session = { ...PeerServiceService.session, requestDeserialize: boundedDecode(PeerHeartbeat, { bytes: MAX_WAITING_BYTES }) };
    server.addService({ session }, {
      session: (stream: ServerDuplexStream<PeerHeartbeat, PeerHeartbeat>) => {
        let peer: PeerHeartbeat | undefined;
        this.#served.add(stream);
        if (this.#lastBeat !== undefined) stream.write(this.#lastBeat);
        stream.on("data", (beat: PeerHeartbeat) => {
          peer = beat;
          this.#listener?.heard(beat);
        });
        const end = (): void => {
          if (!this.#served.delete(stream)) return;
          if (peer !== undefined) this.#listener?.closed(peer.master, peer.incarnation);
          stream.end();
        };
        stream.on("cancelled", end);
        stream.on("error", end);
        stream.on("end", end);
      },
    });
  }

  connect(addresses: ReadonlySet<string>): void {
    for (const [address, link] of this.#links) if (!addresses.has(address)) this.#drop(address, link);
    for (const address of addresses) if (!this.#links.has(address) && parseAddress(address) !== undefined) this.#dial(address);
  }

  broadcast(beat: PeerHeartbeat): void {
    this.#lastBeat = beat;
    for (const link of this.#links.values()) {
      if (link.stream === undefined || link.blocked) continue;
      if (!link.stream.write(beat) && link.stream.writableLength > MAX_WAITING_BYTES) link.blocked = true;
    }
  }

  probe(address: string, timeoutMs: number): Promise<"refused" | "accepted" | "silent"> {
    return new Promise((resolve) => {
      const target = parseAddress(address);
      if (target === undefined) return resolve("silent");
      const socket = tcpConnect(target);
      const cancel = this.#clock.after(timeoutMs, () => finish("silent"));
      const finish = (outcome: "refused" | "accepted" | "silent"): void => {
        cancel();
        socket.destroy();
        resolve(outcome);
      };
      socket.once("connect", () => finish("accepted"));
      // Unreachable or timed out is silence: only a host that answers "nobody listens" proves anything.
      socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code === "ECONNREFUSED" ? "refused" : "silent"));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [address, link] of this.#links) this.#drop(address, link);
    for (const stream of this.#served) stream.end();
    this.#served.clear();
  }

  #dial(address: string): void {
    const link: Link = {
      client: new PeerServiceClient(address, credentials.createInsecure(), clientOptions),
      stream: undefined,
      blocked: false,
      ended: false,
      cancelRedial: () => {},
      greeted: undefined,
    };
    this.#links.set(address, link);
    this.#open(address, link);
  }

  #open(address: string, link: Link): void {
    if (link.ended) return;
    const stream = link.client.session();
    link.stream = stream;
    link.blocked = false;
    stream.on("drain", () => (link.blocked = false));
    stream.on("data", (beat: PeerHeartbeat) => {
      link.greeted = { master: beat.master, incarnation: beat.incarnation };
      this.#listener?.heard(beat);
    });
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      stream.cancel();
      if (link.stream === stream) link.stream = undefined;
      if (link.ended) return;
      if (link.greeted !== undefined) this.#listener?.closed(link.greeted.master, link.greeted.incarnation);
      link.greeted = undefined;
      link.cancelRedial = this.#clock.after(REDIAL_MS, () => this.#open(address, link));
    };
    stream.on("error", end);
    stream.on("end", end);
    if (this.#lastBeat !== undefined) stream.write(this.#lastBeat);
  }

  #drop(address: string, link: Link): void {
    this.#links.delete(address);
    link.ended = true;
    link.cancelRedial();
    link.stream?.cancel();
    link.client.close();
  }
}

/** host:port; undefined for what nobody can be connected to. A peer may say anything of itself. */
function parseAddress(address: string): { host: string; port: number } | undefined {
  const parts = /^\[?([^[\]\0]+?)\]?:(\d{1,5})$/.exec(address);
  const port = Number(parts?.[2]);
  return parts === null || port < 1 || port > 65_535 ? undefined : { host: parts[1]!, port };
}
