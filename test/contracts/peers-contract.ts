import type { TestFn } from "ava";
import type { PeerLinks } from "../../src/ports/peers.ts";
import { PeerHeartbeat } from "../../src/wire/gen/mesarch/v1/peers.ts";
import { Collector } from "../support/collector.ts";
import { eventually } from "../support/eventually.ts";

/** One process of a master. */
export interface PeerProcess {
  readonly address: string;
  readonly links: PeerLinks;
}

export interface PeerWorld extends AsyncDisposable {
  /** A process at that address, or at a free one. */
  join(address?: string): Promise<PeerProcess>;
  /** As SIGKILL: its sockets close, nobody listens any more. */
  kill(process: PeerProcess): Promise<void>;
  /** An address at which no host answers. */
  unreachable(): string;
}

/** A process with what it was told. */
class Peer {
  readonly heard = new Collector<PeerHeartbeat>();
  readonly closed = new Collector<string>();
  readonly process: PeerProcess;
  readonly #name: string;
  readonly #incarnation: string;
  #said = 0;

  private constructor(process: PeerProcess, name: string, incarnation: string) {
    this.process = process;
    this.#name = name;
    this.#incarnation = incarnation;
    process.links.listen({ heard: this.heard.add, closed: (master, of) => this.closed.add(`${master}.${of}`) });
  }

  static async join(world: PeerWorld, name: string, incarnation = "1", address?: string): Promise<Peer> {
    return new Peer(await world.join(address), name, incarnation);
  }

  connect(...others: readonly Peer[]): void {
    this.process.links.connect(new Set(others.map(({ process }) => process.address)));
  }

  /** Numbered by `foldedRevision`. */
  beat(): PeerHeartbeat {
    const beat = PeerHeartbeat.fromPartial({
      master: this.#name,
      incarnation: this.#incarnation,
      address: this.process.address,
      foldedRevision: ++this.#said,
      leading: { generation: 1, revision: 7 },
      verdicts: [{ candidateKey: "cand/x.1.1", kind: 2 }],
    });
    this.process.links.broadcast(beat);
    return beat;
  }

  /** Links open in time, and what is said before may be lost: says heartbeats until one of them was heard. */
  async reaches(...others: readonly Peer[]): Promise<void> {
    const { foldedRevision: first } = this.beat();
    const isOurs = (beat: PeerHeartbeat): boolean => beat.master === this.#name && beat.incarnation === this.#incarnation;
    const isHeardBy = ({ heard }: Peer): boolean => heard.items.some((beat) => isOurs(beat) && beat.foldedRevision >= first);
    await eventually(`${this.#name} heard`, () => (this.beat(), others.every(isHeardBy)));
  }
}

async function meshed(...peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) peer.connect(...peers.filter((other) => other !== peer));
  for (const peer of peers) await peer.reaches(...peers.filter((other) => other !== peer));
}

/** What every `PeerLinks` must do; `name` tells runs in one file apart. */
export function peersContract(test: TestFn, name: string, open: () => PeerWorld): void {
  test(`2.9 ${name}: heartbeats arrive as they were said, in order, at those connected to`, async (t) => {
    await using world = open();
    const [a, b] = [await Peer.join(world, "a"), await Peer.join(world, "b")];
    a.connect(b);
    await a.reaches(b);
    const said = Array.from({ length: 50 }, () => a.beat());
    await b.heard.until("the last", () => b.heard.last?.foldedRevision === said.at(-1)!.foldedRevision);
    t.deepEqual(b.heard.items.slice(-said.length), said);
    t.deepEqual([a.closed.items, b.closed.items], [[], []]);
  });

  test(`2.9 ${name}: a process that dies is told of by what it called itself, and its port refuses`, async (t) => {
    await using world = open();
    const [a, b, c] = [await Peer.join(world, "a"), await Peer.join(world, "b", "first"), await Peer.join(world, "c")];
    await meshed(a, b, c);
    t.is(await a.process.links.probe(b.process.address, 10_000), "accepted");
    await world.kill(b.process);
    await a.closed.until("the end of b", (ends) => ends.includes("b.first"));
    await c.closed.until("the end of b", (ends) => ends.includes("b.first"));
    t.deepEqual([...new Set([...a.closed.items, ...c.closed.items])], ["b.first"]);
    t.is(await a.process.links.probe(b.process.address, 10_000), "refused");
    const beat = a.beat();
    await c.heard.until("the next heartbeat", () => c.heard.last?.foldedRevision === beat.foldedRevision);
  });

  test(`2.9 ${name}: a process that comes back at its address is linked again, and told of by its new name`, async (t) => {
    await using world = open();
    const [a, b] = [await Peer.join(world, "a"), await Peer.join(world, "b", "first")];
    await meshed(a, b);
    await world.kill(b.process);
    await a.closed.until("the end of the first", (ends) => ends.includes("b.first"));
    const again = await Peer.join(world, "b", "second", b.process.address);
    again.connect(a);
    await again.reaches(a);
    await a.reaches(again);
    await world.kill(again.process);
    await a.closed.until("the end of the second", (ends) => ends.includes("b.second"));
    t.pass();
  });

  test(`2.9 ${name}: links to those not named any more end, and carry nothing`, async (t) => {
    await using world = open();
    const [a, b, c] = [await Peer.join(world, "a"), await Peer.join(world, "b"), await Peer.join(world, "c")];
    a.connect(b, c);
    await a.reaches(b, c);
    a.connect(c);
    await b.closed.until("the end of the link", (ends) => ends.includes("a.1"));
    const last = a.beat();
    await c.heard.until("the next heartbeat", () => c.heard.last?.foldedRevision === last.foldedRevision);
    t.true(b.heard.items.every(({ foldedRevision }) => foldedRevision < last.foldedRevision));
    t.deepEqual(c.closed.items, []);
  });

  test(`2.9 ${name}: whoever leaves in order closes its links, too`, async (t) => {
    await using world = open();
    const [a, b] = [await Peer.join(world, "a"), await Peer.join(world, "b")];
    await meshed(a, b);
    await b.process.links[Symbol.asyncDispose]();
    await a.closed.until("the end of b", (ends) => ends.includes("b.1"));
    t.deepEqual(b.closed.items, []);
  });

  test(`2.9 ${name}: a host that does not answer is silence, not death`, async (t) => {
    await using world = open();
    const a = await Peer.join(world, "a");
    t.is(await a.process.links.probe(world.unreachable(), 50), "silent");
  });
}
