/** Peer links over the simulated network: each master dials the others, and hears on whatever connection there is. */
import type { PeerLinks, PeerListener } from "../../src/ports/peers.ts";
import { PeerHeartbeat } from "../../src/wire/gen/mesarch/v1/peers.ts";
import type { Network, Wire } from "./network.ts";
import type { SimProcess } from "./virtual-time.ts";

/** Between two attempts to reach a peer: the first pause, doubled up to the longest. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 500] as const;

interface Link {
  wire: Wire | undefined;
  ended: boolean;
}

export class SimPeerLinks implements PeerLinks {
  readonly #network: Network;
  readonly #process: SimProcess;
  readonly #doorOf: (address: string) => string;
  readonly #links = new Map<string, Link>();
  readonly #served = new Set<Wire>();
  #listener: PeerListener | undefined;
  #last: Uint8Array | undefined;

  /** @param doorOf where in the network the master of an address hears its peers. */
  constructor(network: Network, process: SimProcess, address: string, doorOf: (address: string) => string) {
    this.#network = network;
    this.#process = process;
    this.#doorOf = doorOf;
    network.listen(doorOf(address), process, (wire) => {
      this.#served.add(wire);
      this.#greet(wire, () => this.#served.delete(wire));
    });
  }

  listen(listener: PeerListener): void {
    this.#listener = listener;
  }

  connect(addresses: ReadonlySet<string>): void {
    for (const [address, link] of this.#links) {
      if (addresses.has(address)) continue;
      this.#links.delete(address);
      link.ended = true;
      link.wire?.close();
    }
    for (const address of addresses) {
      if (this.#links.has(address)) continue;
      const link: Link = { wire: undefined, ended: false };
      this.#links.set(address, link);
      void this.#dial(address, link, FIRST_PAUSE_MS);
    }
  }

  broadcast(beat: PeerHeartbeat): void {
    this.#last = PeerHeartbeat.encode(beat).finish();
    for (const { wire } of this.#links.values()) wire?.send(this.#last);
  }

  probe(address: string, timeoutMs: number): Promise<"refused" | "accepted" | "silent"> {
    return this.#network.probe(this.#process, this.#doorOf(address), timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connect(new Set());
    for (const wire of this.#served) wire.close();
    this.#served.clear();
  }

  async #dial(address: string, link: Link, pauseMs: number): Promise<void> {
    const wire = await this.#network.connect(this.#process, this.#doorOf(address));
    if (link.ended) return wire?.close();
    const again = (afterMs: number, nextMs: number): void => {
      this.#process.clock.after(afterMs, () => void (link.ended || this.#dial(address, link, nextMs)));
    };
    if (wire === undefined) return again(pauseMs, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
    link.wire = wire;
    this.#greet(wire, () => {
      link.wire = undefined;
      again(FIRST_PAUSE_MS, FIRST_PAUSE_MS);
    });
  }

  /** Both ends say at once who they are; later heartbeats flow from whoever dialled. */
  #greet(wire: Wire, ended: () => void): void {
    let said: PeerHeartbeat | undefined;
    if (this.#last !== undefined) wire.send(this.#last);
    wire.onMessage = (bytes) => {
      said = PeerHeartbeat.decode(bytes);
      this.#listener?.heard(said);
    };
    wire.onClose = () => {
      if (said !== undefined) this.#listener?.closed(said.master, said.incarnation);
      ended();
    };
  }
}
