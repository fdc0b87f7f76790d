import { setImmediate as turn } from "node:timers/promises";
import type { TestFn } from "ava";
import type { Ending, SchedulerStream, Transport } from "../../src/sdk/transport.ts";
import type { LeaderView } from "../../src/wire/gen/mesarch/v1/cluster.ts";
import { NumberedCall, type SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Arrivals } from "../support/arrivals.ts";
import { Collector } from "../support/collector.ts";

/** A scheduler's stream as the master has it. */
export interface SchedulerEnd {
  readonly heard: Arrivals<NumberedCall>;
  /** Resolves when the other side has ended it, or it broke. */
  readonly ended: Promise<void>;
  /** Replies 202 to that number. */
  reply(number: number): void;
  close(): void;
}

/** What a master serves, as a script has it: the api behind every door. */
export class ScriptedApi {
  readonly streams = new Arrivals<SchedulerEnd>();
  readonly #watchers = new Set<(view: LeaderView) => void>();
  #view: LeaderView = { clusterId: "c", master: "m1", leading: true, leader: "m1", leaderAddress: "m1:1", epoch: { generation: 1, revision: 1 } };

  get watchers(): number {
    return this.#watchers.size;
  }

  tell(revision: number): void {
    this.#view = { ...this.#view, epoch: { generation: 1, revision } };
    for (const send of this.#watchers) send(this.#view);
  }

  readonly schedulers = {
    open: (sink: { send(item: SchedulerItem): void; close(): void }) => {
      const heard = new Arrivals<NumberedCall>();
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const reply = (number: number): void => sink.send({ item: { $case: "reply", value: { number, code: 202, message: "", epoch: undefined, revision: 1 } } });
      this.streams.push({ heard, ended, reply, close: () => sink.close() });
      return { calls: (calls: readonly unknown[]) => calls.forEach((call) => heard.push(call as NumberedCall)), closed: () => resolve() };
    },
  };

  readonly views = {
    watch: ({ send }: { send(view: LeaderView): void }) => {
      this.#watchers.add(send);
      send(this.#view);
      return () => void this.#watchers.delete(send);
    },
  };
}

export interface ServingMaster {
  readonly address: string;
  readonly api: ScriptedApi;
  /** As SIGKILL: its streams break, and nobody listens. */
  kill(): void;
}

export interface TransportWorld extends AsyncDisposable {
  readonly transport: Transport;
  /** A master at that address, or at a free one. */
  serve(address?: string): Promise<ServingMaster>;
}

const call = (number: number): Uint8Array => NumberedCall.encode({ number, call: undefined, traceparent: "" }).finish();

/** What every `Transport` must do; `name` tells runs in one file apart. */
export function transportContract(test: TestFn, name: string, open: () => TransportWorld): void {
  function subscribe(transport: Transport, address: string, number = 0) {
    const replies = new Collector<number>();
    const { promise: ended, resolve } = Promise.withResolvers<Ending>();
    const onItem = ({ item }: SchedulerItem): void => void (item?.$case === "reply" && replies.add(item.value.number));
    const stream: SchedulerStream = transport.subscribe(address, call(number), { onItem, onEnd: resolve });
    return { stream, replies, ended };
  }

  function watch(transport: Transport, address: string) {
    const revisions = new Collector<number>();
    const { promise: ended, resolve } = Promise.withResolvers<Ending>();
    const stop = transport.watch(address, { onItem: ({ epoch }) => revisions.add(epoch?.revision ?? 0), onEnd: resolve });
    return { revisions, ended, stop };
  }

  test(`${name}: what is said on a scheduler's stream arrives in order, both ways, SUBSCRIBE first`, async (t) => {
    await using world = open();
    const { api, address } = await world.serve();
    const { stream, replies } = subscribe(world.transport, address);
    const far = await api.streams.next();
    const numbers = Array.from({ length: 300 }, (_, i) => i + 1);
    await far.heard.next();
    t.true(stream.isConnected);
    for (const number of numbers) stream.send(call(number)), far.reply(number);
    await far.heard.next(({ number }) => number === 300);
    await replies.until("all replies", ({ length }) => length === 300);
    t.deepEqual(far.heard.all.map(({ number }) => number), [0, ...numbers]);
    t.deepEqual(replies.items, numbers);
  });

  test(`${name}: a stream that the master ends is not broken, and ends after what was said on it`, async (t) => {
    await using world = open();
    const { api, address } = await world.serve();
    const { replies, ended, stream } = subscribe(world.transport, address);
    const far = await api.streams.next();
    far.reply(1);
    far.close();
    t.false((await ended).broke);
    t.deepEqual(replies.items, [1]);
    t.notThrows(() => stream.send(call(1)));
  });

  test(`${name}: a stream that is cancelled ends at the master; others of its connection go on`, async (t) => {
    await using world = open();
    const { api, address } = await world.serve();
    const left = subscribe(world.transport, address, 1);
    const far = await api.streams.next();
    const other = subscribe(world.transport, address, 2);
    const otherFar = await api.streams.next();
    left.stream.cancel();
    await far.ended;
    otherFar.reply(3);
    await other.replies.until("a reply on the other", ({ length }) => length === 1);
    t.deepEqual(left.replies.items, []);
  });

  test(`${name}: of streams that are opened one after the other none overtakes`, async (t) => {
    await using world = open();
    const { api, address } = await world.serve();
    const numbers = Array.from({ length: 30 }, (_, i) => i);
    for (const number of numbers) subscribe(world.transport, address, number);
    const arrived: number[] = [];
    for (const _ of numbers) arrived.push((await (await api.streams.next()).heard.next()).number);
    t.deepEqual(arrived, numbers);
  });

  test(`${name}: a master that dies breaks streams and watches; one that follows at its address is reached`, async (t) => {
    await using world = open();
    const { api, address, kill } = await world.serve();
    const { ended } = subscribe(world.transport, address);
    const watched = watch(world.transport, address);
    await api.streams.next();
    await watched.revisions.until("a view", ({ length }) => length === 1);
    kill();
    t.true((await ended).broke);
    t.true((await watched.ended).broke);
    const next = await world.serve(address);
    let again = watch(world.transport, address);
    // A connection that was lost is tried again a moment later.
    while (await Promise.race([again.ended.then(() => true), again.revisions.until("a view", ({ length }) => length === 1).then(() => false)])) {
      again = watch(world.transport, address);
    }
    t.is(next.api.watchers, 1);
  });

  test(`${name}: where nobody listens a stream breaks, later than the call that opens it`, async (t) => {
    await using world = open();
    const { address, kill } = await world.serve();
    kill();
    const { stream, ended } = subscribe(world.transport, address);
    t.false(stream.isConnected);
    t.true((await ended).broke);
  });

  test(`${name}: a watch is told at once, and of each change until it is stopped`, async (t) => {
    await using world = open();
    const { api, address } = await world.serve();
    const { revisions, stop } = watch(world.transport, address);
    await revisions.until("the first view", ({ length }) => length === 1);
    api.tell(5);
    await revisions.until("the change", ({ length }) => length === 2);
    stop();
    while (api.watchers > 0) await turn();
    t.deepEqual(revisions.items, [1, 5]);
  });
}
