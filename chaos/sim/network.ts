/**
 * The network between processes: connections with ordered messages, as TCP gives them. What is sent takes time; what a
 * cut path holds arrives when it heals, unless the connection was given up before. A process that dies says so to its
 * peers, a host that goes dark does not.
 */
import type { Chance } from "./chance.ts";
import type { Schedule, SimProcess } from "./virtual-time.ts";

export interface NetworkOptions {
  /** Typical way of a message, in milliseconds. */
  readonly latencyMs: number;
  /** A connection whose other end gives no sign of life for this long is reset, as keep-alives have it. */
  readonly keepaliveMs: number;
}

export type Probe = "refused" | "accepted" | "silent";

interface Listener {
  readonly process: SimProcess;
  readonly accept: (end: Wire) => void;
}

/** One process's end of a connection. */
export class Wire {
  readonly process: SimProcess;
  readonly remote: string;
  onMessage: (bytes: Uint8Array) => void = () => {};
  onClose: (reason: string) => void = () => {};
  /** @internal */
  peer!: Wire;
  /** @internal When the last message on its way to the peer arrives. */
  arrivesAt = 0;
  /** @internal Sent and not arrived yet, in order: whatever arrives next is the first of these. */
  readonly underWay: (() => void)[] = [];
  /** @internal How many of these are held up by a cut path. */
  stuck = 0;
  open = true;
  readonly #network: Network;
  readonly #forget: () => void;

  constructor(network: Network, process: SimProcess, remote: string) {
    this.#network = network;
    this.process = process;
    this.remote = remote;
    // The kernel closes the sockets of a dead process, as far as its host can still say so.
    this.#forget = process.onDeath(() => this.close("the peer died"));
  }

  send(bytes: Uint8Array): void {
    if (this.open && this.process.runs) this.#network.carry(this, () => void (this.peer.open && this.peer.onMessage(bytes)));
  }

  /** Ends it; the peer hears of that after what was sent. */
  close(reason = "closed by the peer"): void {
    if (!this.open) return;
    this.#end();
    this.#network.carry(this, () => this.peer.ended(reason));
  }

  /** @internal */
  ended(reason: string): void {
    if (!this.open) return;
    this.#end();
    this.onClose(reason);
  }

  #end(): void {
    this.open = false;
    this.#forget();
    if (!this.peer.open) this.#network.forget(this);
  }
}

export class Network {
  readonly #time: Schedule;
  readonly #chance: Chance;
  readonly #options: NetworkOptions;
  readonly #listeners = new Map<string, Listener>();
  readonly #wires = new Set<Wire>();
  /** "from>to" by host; nothing passes. */
  readonly #cuts = new Set<string>();
  readonly #dark = new Set<string>();
  /** Extra latency by host, in milliseconds. */
  readonly #slow = new Map<string, number>();

  constructor(time: Schedule, chance: Chance, options: NetworkOptions) {
    this.#time = time;
    this.#chance = chance;
    this.#options = options;
  }

  listen(address: string, process: SimProcess, accept: (end: Wire) => void): void {
    this.#listeners.set(address, { process, accept });
    process.onDeath(() => {
      if (this.#listeners.get(address)?.process === process) this.#listeners.delete(address);
    });
  }

  /** Resolves with an open connection, or undefined when it was refused or there was no answer in time. */
  connect(from: SimProcess, address: string, timeoutMs = 1_000): Promise<Wire | undefined> {
    return new Promise((resolve) => {
      const fail = (ms: number): unknown => this.#time.after(ms, () => from.deliver(() => resolve(undefined)));
      const host = hostOf(address);
      if (!this.#reaches(from.host, host) || !this.#reaches(host, from.host)) return fail(timeoutMs);
      this.#time.after(this.#latency(from.host, host), () => {
        const listener = this.#listeners.get(address);
        if (listener === undefined) return fail(this.#latency(host, from.host));
        const [here, there] = this.#pair(from, listener.process, address);
        const backMs = this.#latency(host, from.host);
        // What is sent at once does not overtake the answer.
        there.arrivesAt = this.#time.now + backMs;
        this.#time.afterInOrder(backMs, () => from.deliver(() => resolve(here.open ? here : undefined)));
        listener.process.deliver(() => void (there.open && listener.accept(there)));
      });
    });
  }

  probe(from: SimProcess, address: string, timeoutMs: number): Promise<Probe> {
    return new Promise((resolve) => {
      const host = hostOf(address);
      const passes = this.#reaches(from.host, host) && this.#reaches(host, from.host);
      const way = this.#latency(from.host, host) + this.#latency(host, from.host);
      const answer = (): Probe => (this.#listeners.has(address) ? "accepted" : "refused");
      if (passes) this.#time.after(way, () => from.deliver(() => resolve(answer())));
      else this.#time.after(timeoutMs, () => from.deliver(() => resolve("silent")));
    });
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(`${from}>${to}`);
    this.#release();
  }

  /** Nothing from or to this host passes, and nobody is told. */
  darken(host: string): void {
    this.#dark.add(host);
  }

  light(host: string): void {
    this.#dark.delete(host);
    this.#release();
  }

  slow(host: string, ms: number): void {
    if (ms > 0) this.#slow.set(host, ms);
    else this.#slow.delete(host);
  }

  healAll(): void {
    this.#cuts.clear();
    this.#dark.clear();
    this.#slow.clear();
    this.#release();
  }

  /** Breaks the connections between two hosts, as a reset does. */
  reset(a: string, b: string): void {
    for (const wire of [...this.#wires]) {
      if (wire.process.host === a && wire.peer.process.host === b) this.#break(wire, "connection reset");
    }
  }

  passes(from: string, to: string): boolean {
    return this.#reaches(from, to);
  }

  /** @internal */
  forget(wire: Wire): void {
    this.#wires.delete(wire);
    this.#wires.delete(wire.peer);
  }

  /** @internal */
  carry(wire: Wire, arrive: () => void): void {
    const { peer } = wire;
    wire.underWay.push(arrive);
    const due = Math.max(wire.arrivesAt, this.#time.now + this.#latency(wire.process.host, peer.process.host));
    wire.arrivesAt = due;
    this.#time.afterInOrder(due - this.#time.now, () => this.#arrive(wire));
  }

  #arrive(wire: Wire): void {
    const { process } = wire.peer;
    if (!this.#reaches(wire.process.host, process.host)) wire.stuck += 1;
    else process.deliver(wire.underWay.shift()!);
  }

  /** Looks twice in that time: who is frozen, dead on a dark host, or out of reach both times is given up. */
  #keepAlive(wire: Wire, wasSilent = false): void {
    this.#time.after(this.#options.keepaliveMs / 2, () => {
      const { process, peer } = wire;
      if (!wire.open && !peer.open) return;
      const answers = process.runs && peer.process.runs && this.#reaches(process.host, peer.process.host) && this.#reaches(peer.process.host, process.host);
      if (!answers && wasSilent) this.#break(wire, "keep-alive timed out");
      else this.#keepAlive(wire, !answers);
    });
  }

  /** What paths that are open again held up goes on, in order. */
  #release(): void {
    for (const wire of this.#wires) {
      if (wire.stuck === 0 || !this.#reaches(wire.process.host, wire.peer.process.host)) continue;
      for (; wire.stuck > 0; wire.stuck -= 1) this.#time.afterInOrder(this.#options.latencyMs, () => this.#arrive(wire));
      wire.arrivesAt = Math.max(wire.arrivesAt, this.#time.now + this.#options.latencyMs);
    }
  }

  #break(wire: Wire, reason: string): void {
    wire.stuck = 0;
    wire.peer.stuck = 0;
    for (const end of [wire, wire.peer]) end.process.deliver(() => end.ended(reason));
  }

  #pair(from: SimProcess, to: SimProcess, address: string): [Wire, Wire] {
    const here = new Wire(this, from, address);
    const there = new Wire(this, to, from.name);
    here.peer = there;
    there.peer = here;
    this.#wires.add(here).add(there);
    this.#keepAlive(here);
    return [here, there];
  }

  #reaches(from: string, to: string): boolean {
    return !this.#dark.has(from) && !this.#dark.has(to) && !this.#cuts.has(`${from}>${to}`);
  }

  #latency(from: string, to: string): number {
    return this.#chance.tailed(this.#options.latencyMs) + (this.#slow.get(from) ?? 0) + (this.#slow.get(to) ?? 0);
  }
}

/** Addresses are `host:port`. */
export function hostOf(address: string): string {
  return address.slice(0, address.indexOf(":"));
}
