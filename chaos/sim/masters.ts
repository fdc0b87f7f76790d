/** Masters: the product's own, over the simulated store and network. */
import type { AgentStreamHandle } from "../../src/api/agent-sessions.ts";
import type { SchedulerStream } from "../../src/api/scheduler-sessions.ts";
import { defaultMasterOptions, type MasterOptions } from "../../src/master/options.ts";
import { Master } from "../../src/master/master.ts";
import { AgentMessage, MasterBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { LeaderView } from "../../src/wire/gen/mesarch/v1/cluster.ts";
import { NumberedCall, SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import type { Unrecorded } from "../history/event.ts";
import type { Link } from "../twins/memory-store.ts";
import { Chance } from "./chance.ts";
import { Multiplex, type StreamEnd } from "./multiplex.ts";
import type { Network, Wire } from "./network.ts";
import { serveCalls, serveEvents } from "./operator-door.ts";
import { SimPeerLinks } from "./peer-links.ts";
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
export const ports = { agents: 1, schedulers: 2, peers: 3, streams: 4, calls: 5, events: 6 } as const;
export const doorOf = (address: string, door: keyof typeof ports): string => `${address.slice(0, address.indexOf(":"))}:${ports[door]}`;

/** Why a scheduler's stream ends that its master has ended. */
export const CLOSED = "the master closed the stream";

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
    const peers = new SimPeerLinks(network, process, this.address, (peer) => doorOf(peer, "peers"));
    const master = new Master(
      { ...defaultMasterOptions, rehearsals: 0, ...options, name: this.name, address: this.address },
      { store, peers, clock: process.clock, random, telemetry: silentTelemetry(`master/${this.name}`, write, (message) => this.#heard(message)) },
    );
    this.#process = process;
    this.#store = store;
    this.#master = master;
    network.listen(doorOf(this.address, "agents"), process, (wire) => serveAgent(master, wire));
    network.listen(doorOf(this.address, "schedulers"), process, (wire) => serveScheduler(master, wire));
    network.listen(doorOf(this.address, "streams"), process, (wire) => serveStreams(master, wire));
    network.listen(doorOf(this.address, "calls"), process, (wire) => serveCalls(master, wire));
    network.listen(doorOf(this.address, "events"), process, (wire) => serveEvents(master, process, wire));
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

function serveScheduler(master: Master, wire: StreamEnd): void {
  let ours = false;
  const stream: SchedulerStream = master.schedulers.open(
    {
      send: (item) => wire.send(SchedulerItem.encode(item).finish()),
      close: () => {
        ours = true;
        wire.close(CLOSED);
      },
    },
    "",
  );
  wire.onMessage = (bytes) => stream.calls([NumberedCall.decode(bytes)]);
  wire.onClose = () => stream.closed(ours);
}

/** All that the SDK has of a master. */
export function serveStreams(master: Master, wire: Wire): void {
  const serve = { schedulers: serveScheduler, views: serveViews };
  new Multiplex(wire, (service, stream) => serve[service as keyof typeof serve](master, stream));
}

function serveViews(master: Master, wire: StreamEnd): void {
  wire.onClose = master.views.watch({ send: (view) => wire.send(LeaderView.encode(view).finish()) });
}
