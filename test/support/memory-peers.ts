/** Peer links without sockets: masters of one test find each other by address; any of them can die or be cut off. */
import type { PeerLinks, PeerListener } from "../../src/ports/peers.ts";
import type { PeerHeartbeat } from "../../src/wire/gen/mesarch/v1/peers.ts";

type Fate = "up" | "dead" | "frozen";

export class PeerHub {
  readonly #links = new Map<string, MemoryPeerLinks>();
  readonly #fates = new Map<string, Fate>();
  readonly #cuts = new Set<string>();

  join(address: string): MemoryPeerLinks {
    const links = new MemoryPeerLinks(this, address);
    this.#links.set(address, links);
    this.#fates.set(address, "up");
    return links;
  }

  at(address: string): MemoryPeerLinks | undefined {
    return this.#links.get(address);
  }

  /** The process is gone: sockets closed, nobody listens. */
  kill(address: string): void {
    this.#fates.set(address, "dead");
    for (const links of this.#links.values()) links.lost(address);
  }

  /** It closes its links: to that address, or all of them. Who is cut off from it does not hear of it. */
  close(address: string, to?: string): void {
    for (const [other, links] of this.#links) {
      if ((to ?? other) === other) setImmediate(() => void (this.passes(address, other) && links.lost(address)));
    }
  }

  /** Says and hears nothing, but its port still accepts. */
  freeze(address: string): void {
    this.#fates.set(address, "frozen");
  }

  thaw(address: string): void {
    this.#fates.set(address, "up");
  }

  /** Nothing passes between these two; no socket closes. */
  cut(a: string, b: string): void {
    this.#cuts.add(`${a}|${b}`).add(`${b}|${a}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  fate(address: string): Fate {
    return this.#fates.get(address) ?? "dead";
  }

  passes(from: string, to: string): boolean {
    return this.fate(from) === "up" && this.fate(to) === "up" && !this.#cuts.has(`${from}|${to}`);
  }
}

export class MemoryPeerLinks implements PeerLinks {
  readonly #hub: PeerHub;
  readonly #address: string;
  readonly #heard = new Map<string, PeerHeartbeat>();
  #listener: PeerListener | undefined;
  #targets: ReadonlySet<string> = new Set();

  constructor(hub: PeerHub, address: string) {
    this.#hub = hub;
    this.#address = address;
  }

  listen(listener: PeerListener): void {
    this.#listener = listener;
  }

  connect(addresses: ReadonlySet<string>): void {
    for (const address of this.#targets) if (!addresses.has(address)) this.#hub.close(this.#address, address);
    this.#targets = addresses;
  }

  broadcast(beat: PeerHeartbeat): void {
    for (const target of this.#targets) {
      setImmediate(() => {
        // Who was replaced at its address is a process of the past.
        const lives = this.#hub.at(this.#address) === this && this.#hub.passes(this.#address, target);
        if (lives) this.#hub.at(target)?.receive(this.#address, beat);
      });
    }
  }

  receive(from: string, beat: PeerHeartbeat): void {
    this.#heard.set(from, beat);
    this.#listener?.heard(beat);
  }

  /** That process closed its sockets. */
  lost(address: string): void {
    const beat = this.#heard.get(address);
    this.#heard.delete(address);
    if (beat !== undefined && this.#hub.fate(this.#address) === "up") this.#listener?.closed(beat.master, beat.incarnation);
  }

  async probe(address: string): Promise<"refused" | "accepted" | "silent"> {
    if (this.#hub.fate(address) === "dead") return "refused";
    return this.#hub.passes(this.#address, address) || this.#hub.fate(address) === "frozen" ? "accepted" : "silent";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#targets = new Set();
    this.#hub.close(this.#address);
  }
}
