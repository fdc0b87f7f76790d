import type { TestFn } from "ava";
import type { MasterDialer } from "../../src/ports/master-links.ts";
import { AgentMessage, type MasterBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import type { Arrivals } from "../support/arrivals.ts";
import { Collector } from "../support/collector.ts";

/** A link as the master has it. */
export interface MasterEnd {
  readonly heard: Arrivals<AgentMessage>;
  /** Resolves when the link has ended. */
  readonly ended: Promise<void>;
  /** In a batch of its own. */
  ping(sequence: number): void;
  end(): void;
}

export interface ListeningMaster {
  readonly address: string;
  readonly links: Arrivals<MasterEnd>;
  /** As SIGKILL: its links break, and nobody listens. */
  kill(): void;
}

export interface DialerWorld extends AsyncDisposable {
  readonly dialer: MasterDialer;
  /** A master at that address, or at a free one. */
  listen(address?: string): Promise<ListeningMaster>;
}

const pong = (sequence: number): AgentMessage => ({ session: 1, body: { $case: "pong", value: { sequence } } });

/** What every `MasterDialer` must do; `name` tells runs in one file apart. */
export function masterDialerContract(test: TestFn, name: string, open: () => DialerWorld): void {
  const forever = new AbortController().signal;

  /** A link to that master, both its ends, and the pings that arrived. */
  async function linked({ dialer }: DialerWorld, master: ListeningMaster) {
    const pings = new Collector<number>();
    const onBatch = ({ messages }: MasterBatch): void => {
      for (const { body } of messages) if (body?.$case === "ping") pings.add(body.value.sequence);
    };
    const link = await dialer.dial(master.address, onBatch, forever);
    return { link, pings, far: await master.links.next() };
  }

  const sequences = ({ all }: Arrivals<AgentMessage>): number[] => all.flatMap(({ body }) => (body?.$case === "pong" ? [body.value.sequence] : []));

  test(`${name}: what is said arrives in order, both ways`, async (t) => {
    await using world = open();
    const { link, pings, far } = await linked(world, await world.listen());
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    for (const number of numbers) link.send(pong(number)), far.ping(number);
    await far.heard.next(({ body }) => body?.$case === "pong" && body.value.sequence === 499);
    await pings.until("all pings", ({ length }) => length === numbers.length);
    t.deepEqual(sequences(far.heard), numbers);
    t.deepEqual(pings.items, numbers);
  });

  test(`${name}: a link that was closed tells why, at both ends, and carries nothing more`, async (t) => {
    await using world = open();
    const master = await world.listen();
    const { link, pings, far } = await linked(world, master);
    const other = await linked(world, master);
    link.close("enough");
    link.close("again");
    link.send(pong(1));
    far.ping(1);
    t.is(await link.closed, "enough");
    await far.ended;
    far.ping(2);
    other.far.ping(3);
    await other.pings.until("a ping on another link", ({ length }) => length === 1);
    t.deepEqual(pings.items, []);
    t.deepEqual(sequences(far.heard), []);
  });

  test(`${name}: who closes a link on a message gets none that arrived with it`, async (t) => {
    await using world = open();
    const master = await world.listen();
    const arrived: MasterBatch[] = [];
    const link = await world.dialer.dial(master.address, (batch) => void (arrived.push(batch), link.close("enough")), forever);
    const far = await master.links.next();
    for (let number = 0; number < 100; number += 1) far.ping(number);
    await link.closed;
    await far.ended;
    t.is(arrived.length, 1);
  });

  test(`${name}: a link that the master ends is closed after what it said`, async (t) => {
    await using world = open();
    const { link, pings, far } = await linked(world, await world.listen());
    far.ping(1);
    far.end();
    t.is(typeof (await link.closed), "string");
    t.deepEqual(pings.items, [1]);
    t.notThrows(() => link.send(pong(1)));
    await far.ended;
  });

  test(`${name}: a master that dies closes its links; a new one at the address is reached by dialling again`, async (t) => {
    await using world = open();
    const master = await world.listen();
    const { link } = await linked(world, master);
    master.kill();
    t.is(typeof (await link.closed), "string");
    const again = await linked(world, await world.listen(master.address));
    again.far.ping(7);
    await again.pings.until("a ping", ([first]) => first === 7);
  });

  test(`${name}: dialling goes on until somebody listens`, async (t) => {
    await using world = open();
    const { address, kill } = await world.listen();
    kill();
    const dialling = world.dialer.dial(address, () => {}, forever);
    const master = await world.listen(address);
    const link = await dialling;
    link.send(pong(1));
    const far = await master.links.next();
    await far.heard.next();
    t.deepEqual(sequences(far.heard), [1]);
  });

  test(`${name}: dialling can be given up, before and meanwhile, for the reason that is given`, async (t) => {
    await using world = open();
    const { address, kill } = await world.listen();
    kill();
    const stop = new AbortController();
    const dialling = world.dialer.dial(address, () => {}, stop.signal);
    stop.abort(new Error("stopping"));
    await t.throwsAsync(dialling, { message: "stopping" });
    await t.throwsAsync(world.dialer.dial(address, () => {}, stop.signal), { message: "stopping" });
  });
}
