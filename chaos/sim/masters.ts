/** Masters: the product's own, over the simulated store and network. */
import type { AgentStreamHandle } from "../../src/api/agent-sessions.ts";
import type { SchedulerStream } from "../../src/api/scheduler-sessions.ts";
import { defaultMasterOptions, type MasterOptions } from "../../src/master/options.ts";
import { Master } from "../../src/master/master.ts";
import type { PeerLinks, PeerListener } from "../../src/ports/peers.ts";
import { AgentMessage, MasterBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { PeerHeartbeat } from "../../src/wire/gen/mesarch/v1/peers.ts";
import { NumberedCall, SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import type { Unrecorded } from "../history/event.ts";
import type { Link } from "../twins/memory-store.ts";
import { Chance } from "./chance.ts";
import type { Network, Wire } from "./network.ts";
import { SimStore, type SimStoreServer } from "./store.ts";
import { silentTelemetry } from "./telemetry.ts";
import { SimProcess, type VirtualTime } from "./virtual-time.ts";

export interface MastersWorld {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly server: SimStoreServer;
  readonly write: (event: Unrecorded) => void;
  readonly options: Partial<MasterOptions>;
  readonly storeMs: number;
  readonly abandonedLands: number;
}

/** Doors of one master; the port says which. */
export const ports = { agents: 1, schedulers: 2, peers: 3 } as const;
export const doorOf = (address: string, door: keyof typeof ports): string => `${address.slice(0, address.indexOf(":"))}:${ports[door]}`;

/** A supervisor starts a master that ended by itself again after this. */
const RESTART_MS = 1_000;

export class MasterNode {
  readonly name: string;
  readonly #world: MastersWorld;
  #process: SimProcess | undefined;
  #store: SimStore | undefined;
  #master: Master | undefined;
  #starts = 0;
  #wanted = false;
  #retired = false;
  #storeLink: Link = "up";

  constructor(world: MastersWorld, name: string) {
    this.#world = world;
    this.name = name;
  }

  get address(): string {
    return `${this.name}:6050`;
  }

  get process(): SimProcess | undefined {
    return this.#process?.alive ? this.#process : undefined;
  }

  get store(): SimStore | undefined {
    return this.#store;
  }

  /** How it reaches the store, this process and those that follow it. */
  set storeLink(link: Link) {
    this.#storeLink = link;
    if (this.#store !== undefined) this.#store.link = link;
  }

  get master(): Master | undefined {
    return this.process === undefined ? undefined : this.#master;
  }

  get leading(): boolean {
    return this.master?.leading ?? false;
  }

  start(): void {
    if (this.#retired) return;
    this.#wanted = true;
    if (this.process !== undefined) return;
    const { seed, time, network, server, write, options, storeMs, abandonedLands } = this.#world;
    this.#starts += 1;
    const life = `master/${this.name}/${this.#starts}`;
    const process = new SimProcess(time, `master/${this.name}`, this.name);
    const store = new SimStore({ server, process, time, chance: new Chance(seed, `store/${life}`), latencyMs: storeMs, abandonedLands });
    if (this.#storeLink !== "up") store.link = this.#storeLink;
    const random = new Chance(seed, life).random;
    const peers = new SimPeers(network, process, this.address);
    const master = new Master(
      { ...defaultMasterOptions, rehearsals: 0, ...options, name: this.name, address: this.address },
      { store, peers, clock: process.clock, random, telemetry: silentTelemetry(`master/${this.name}`, write, (message) => this.#heard(message)) },
    );
    this.#process = process;
    this.#store = store;
    this.#master = master;
    network.listen(doorOf(this.address, "agents"), process, (wire) => serveAgent(master, wire));
    network.listen(doorOf(this.address, "schedulers"), process, (wire) => serveScheduler(master, wire));
    master.start();
    master.done.then(
      () => {},
      (error: unknown) => this.#failed(process, error),
    );
  }

  /** SIGKILL. */
  kill(): void {
    this.#wanted = false;
    this.#process?.kill();
  }

  /** Killed, and not started again by anybody until it is `hired`. */
  retire(): void {
    this.kill();
    this.#retired = true;
  }

  hire(): void {
    this.#retired = false;
  }

  /** SIGTERM: hands over if it leads, then ends. */
  stop(): void {
    this.#wanted = false;
    const process = this.process;
    if (process === undefined) return;
    void this.#master?.stop().then(
      () => process.kill(),
      () => process.kill(),
    );
  }

  #heard(message: string): void {
    const { write } = this.#world;
    if (message === "leading") write({ actor: `master/${this.name}`, kind: "observe", op: "leads", value: { master: this.name } });
    if (message === "leadership ended") {
      write({ actor: `master/${this.name}`, kind: "observe", op: "leadsNoMore", value: { master: this.name, why: "ended" } });
    }
  }

  #failed(process: SimProcess, error: unknown): void {
    if (!process.alive) return;
    const { write, time } = this.#world;
    write({ actor: `master/${this.name}`, kind: "observe", op: "complaint", value: { of: this.name, message: `ended: ${String(error)}` } });
    process.kill();
    time.after(RESTART_MS, () => this.#wanted && this.start());
  }
}

function serveAgent(master: Master, wire: Wire): void {
  const handle: AgentStreamHandle = master.agents.open({
    send: (message, fence) => wire.send(MasterBatch.encode({ ...fence, messages: [message] }).finish()),
    close: (reason) => wire.close(reason),
  });
  wire.onMessage = (bytes) => handle.messages([AgentMessage.decode(bytes)], bytes.length);
  wire.onClose = () => handle.closed();
}

function serveScheduler(master: Master, wire: Wire): void {
  let ours = false;
  const stream: SchedulerStream = master.schedulers.open(
    {
      send: (item) => wire.send(SchedulerItem.encode(item).finish()),
      close: () => {
        ours = true;
        wire.close("the master closed the stream");
      },
    },
    "",
  );
  wire.onMessage = (bytes) => stream.calls([NumberedCall.decode(bytes)]);
  wire.onClose = () => stream.closed(ours);
}

/** Peer links over the simulated network: each master dials the others and hears on whatever connection there is. */
class SimPeers implements PeerLinks {
  readonly #network: Network;
  readonly #process: SimProcess;
  readonly #links = new Map<string, Wire | undefined>();
  #listener: PeerListener | undefined;
  #targets: ReadonlySet<string> = new Set();
  #last: Uint8Array | undefined;

  constructor(network: Network, process: SimProcess, address: string) {
    this.#network = network;
    this.#process = process;
    network.listen(doorOf(address, "peers"), process, (wire) => this.#serve(wire));
  }

  listen(listener: PeerListener): void {
    this.#listener = listener;
  }

  connect(addresses: ReadonlySet<string>): void {
    this.#targets = addresses;
    for (const [address, wire] of this.#links) {
      if (addresses.has(address)) continue;
      this.#links.delete(address);
      wire?.close();
    }
    for (const address of addresses) if (!this.#links.has(address)) void this.#dial(address);
  }

  broadcast(beat: PeerHeartbeat): void {
    this.#last = PeerHeartbeat.encode(beat).finish();
    for (const wire of this.#links.values()) wire?.send(this.#last);
  }

  probe(address: string, timeoutMs: number): Promise<"refused" | "accepted" | "silent"> {
    return this.#network.probe(this.#process, doorOf(address, "peers"), timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connect(new Set());
  }

  async #dial(address: string): Promise<void> {
    this.#links.set(address, undefined);
    for (let pauseMs = 50; this.#targets.has(address); pauseMs = Math.min(pauseMs * 2, 500)) {
      const wire = await this.#network.connect(this.#process, doorOf(address, "peers"));
      if (!this.#targets.has(address)) return wire?.close();
      if (wire !== undefined) {
        this.#links.set(address, wire);
        await new Promise<void>((resolve) => this.#serve(wire, resolve));
        if (!this.#targets.has(address)) return;
        this.#links.set(address, undefined);
      }
      await new Promise<void>((resolve) => this.#process.clock.after(pauseMs, resolve));
    }
  }

  /** Both ends greet and hear; heartbeats flow from whoever dialled. */
  #serve(wire: Wire, closed: () => void = () => {}): void {
    let said: PeerHeartbeat | undefined;
    if (this.#last !== undefined) wire.send(this.#last);
    wire.onMessage = (bytes) => {
      said = PeerHeartbeat.decode(bytes);
      this.#listener?.heard(said);
    };
    wire.onClose = () => {
      if (said !== undefined) this.#listener?.closed(said.master, said.incarnation);
      closed();
    };
  }
}
