/** Links between masters as the election sees them; carried by `src/grpc`. */
import type { PeerHeartbeat } from "../wire/gen/mesarch/v1/peers.ts";

export interface PeerListener {
  /** Something was heard from a master, on either direction of a link. */
  heard(beat: PeerHeartbeat): void;
  /** A link to this process of that master closed, by what it said of itself. */
  closed(master: string, incarnation: string): void;
}

export interface PeerLinks extends AsyncDisposable {
  /** Keeps a link to each of these addresses; links to others are ended. */
  connect(addresses: ReadonlySet<string>): void;
  /** Sends on every open link. */
  broadcast(beat: PeerHeartbeat): void;
  listen(listener: PeerListener): void;
  /**
   * Tries a bare TCP connection. "refused": the host answers and nothing listens there. "accepted": something does.
   * "silent": no answer within `timeoutMs`.
   */
  probe(address: string, timeoutMs: number): Promise<"refused" | "accepted" | "silent">;
}
