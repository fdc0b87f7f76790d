/** Several masters in one process, over the in-memory store and network, on a clock that the test moves. */
import { setImmediate as turn } from "node:timers/promises";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { defaultMasterOptions, type MasterOptions } from "../../src/master/options.ts";
import { Master } from "../../src/master/master.ts";
import type { PeerLinks } from "../../src/ports/peers.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import type { AgentMessage, MasterMessage } from "../../src/wire/gen/mesarch/v1/agents.ts";
import type { SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Call, Call_Type, Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Chance } from "../../chaos/sim/chance.ts";
import { Network } from "../../chaos/sim/network.ts";
import { SimPeerLinks } from "../../chaos/sim/peer-links.ts";
import { SimProcess } from "../../chaos/sim/virtual-time.ts";
import { MemoryStore } from "../../chaos/twins/memory-store.ts";
import { MemoryStoreServer } from "../../chaos/twins/memory-store-server.ts";
import { scheduleOf } from "../support/clock-schedule.ts";

export interface Node {
  readonly name: string;
  readonly address: string;
  readonly master: Master;
  readonly store: MemoryStore;
  readonly telemetry: TelemetryRecorder;
  /** As others see it: the master itself is not stopped with it. */
  readonly process: SimProcess;
}

/** Nobody is given up for silence alone. */
const KEEPALIVE_MS = 1_000_000_000;

export class Masters implements AsyncDisposable {
  readonly server = new MemoryStoreServer();
  readonly clock = new ManualClock(1_000_000, 1_700_000_000_000);
  readonly #schedule = scheduleOf(this.clock);
  readonly #network = new Network(this.#schedule, new Chance(1, "network"), { latencyMs: 0, keepaliveMs: KEEPALIVE_MS });
  readonly nodes = new Map<string, Node>();
  #seed = 1;

  /** Starts masters by name, in this order in the queue. */
  async start(names: readonly string[], options: Partial<MasterOptions> = {}): Promise<void> {
    for (const name of names) {
      this.add(name, options);
      await this.run(50);
    }
    await this.run(300);
  }

  add(name: string, options: Partial<MasterOptions> = {}, address = `${name}:6050`): Node {
    const store = new MemoryStore(this.server);
    const telemetry = new TelemetryRecorder();
    const process = new SimProcess(this.#schedule, `master/${name}`, name);
    const master = new Master(
      { ...defaultMasterOptions, name, address, ...options },
      { store, peers: this.linksOf(process, address), clock: this.clock, random: seededRandom(this.#seed++), telemetry },
    );
    const node = { name, address, master, store, telemetry, process };
    this.nodes.set(name, node);
    master.start();
    return node;
  }

  /** To be overridden by who wants to overhear them. */
  protected linksOf(process: SimProcess, address: string): PeerLinks {
    return new SimPeerLinks(this.#network, process, address, (peer) => peer);
  }

  node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no master ${name}`);
    return node;
  }

  /** Names of masters that believe they lead. */
  leaders(): string[] {
    return [...this.nodes.values()].filter(({ master }) => master.leading).map(({ name }) => name);
  }

  leader(): Node {
    const [name, ...more] = this.leaders();
    if (name === undefined || more.length > 0) throw new Error(`leaders: ${this.leaders().join(", ") || "none"}`);
    return this.node(name);
  }

  /** SIGKILL: sockets close, nothing it still does reaches anybody. */
  kill(name: string): void {
    const { store, process } = this.node(name);
    store.link = "hung";
    process.kill();
  }

  /** SIGSTOP, as far as others can tell. */
  freeze(name: string): void {
    const { store, process } = this.node(name);
    store.link = "hung";
    process.freeze();
  }

  thaw(name: string): void {
    const { store, process } = this.node(name);
    process.thaw();
    store.link = "up";
  }

  /** Nothing passes between these two masters; no connection breaks. */
  cut(a: string, b: string): void {
    this.#network.cut(a, b);
    this.#network.cut(b, a);
  }

  /** Lets time pass, and everything that happens meanwhile happen. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      await this.calm();
      this.clock.advance(10);
    }
    await this.calm();
  }

  /** Lets messages under way arrive without time passing. */
  async calm(): Promise<void> {
    for (let turns = 0; turns < 12; turns += 1) {
      this.clock.advance(0);
      await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = Promise.all(
      [...this.nodes.values()].map(async (node) => {
        node.store.link = "cut";
        await node.master.stop().catch(() => {});
      }),
    );
    let over = false;
    void ended.then(() => (over = true));
    while (!over) {
      this.clock.advance(100);
      await turn();
    }
  }
}

/** A scheduler's stream as its client sees it. */
export class SchedulerClient {
  readonly items: SchedulerItem[] = [];
  closed = false;
  readonly #stream;
  #number = 0;
  readonly frameworkId: string;

  constructor(node: Node, frameworkId: string) {
    this.frameworkId = frameworkId;
    this.#stream = node.master.schedulers.open({ send: (item) => void this.items.push(item), close: () => (this.closed = true) }, "");
    const id = { value: frameworkId };
    this.call({
      type: Call_Type.SUBSCRIBE,
      frameworkId: id,
      subscribe: { frameworkInfo: { id, user: "root", name: frameworkId, roles: ["*"], failoverTimeout: 60, capabilities: [{ type: 6 }] } },
    } as Partial<Call>);
  }

  /** Returns the number by which the reply is known. */
  call(call: Partial<Call>): number {
    this.#number += 1;
    this.#stream.calls([{ number: this.#number, call: Call.fromPartial({ frameworkId: { value: this.frameworkId }, ...call } as object), traceparent: "" }]);
    return this.#number;
  }

  disconnect(): void {
    this.#stream.closed(false);
  }

  get subscribed(): boolean {
    return this.items.some(({ item }) => item?.$case === "event" && item.value.type === Event_Type.SUBSCRIBED);
  }

  reply(number: number): number | undefined {
    for (const { item } of this.items) if (item?.$case === "reply" && item.value.number === number) return item.value.code;
    return undefined;
  }
}

/** An agent's stream that answers nothing by itself. */
export class AgentClient {
  readonly messages: MasterMessage[] = [];
  /** The newest the master named. */
  session = 0;
  closed = false;
  readonly #stream;

  constructor(node: Node) {
    this.#stream = node.master.agents.open({
      send: (message, { session }) => {
        this.messages.push(message);
        this.session = session;
      },
      close: () => (this.closed = true),
    });
  }

  say(message: AgentMessage): void {
    this.#stream.messages([message], 0);
  }

  hangUp(): void {
    this.#stream.closed();
  }

  said(kind: NonNullable<MasterMessage["body"]>["$case"]): boolean {
    return this.messages.some(({ body }) => body?.$case === kind);
  }
}
