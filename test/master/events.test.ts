/** The operators' event stream as a leader tells it: fenced like everything else, and of a revision (3.1, I3, I24). */
import test from "ava";
import type { OperatorEvent } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { Masters, type Node, SchedulerClient } from "./masters.ts";

class Watcher {
  readonly events: OperatorEvent[] = [];
  closed = false;
  /** The peer has taken everything so far, and would take more. */
  idle: (() => void) | undefined;

  constructor({ master }: Node) {
    const whenIdle = (callback: () => void): void => {
      this.idle = callback;
    };
    master.operators.subscribe({ send: (event) => void this.events.push(event), whenIdle, close: () => (this.closed = true) }, true);
  }

  /** Reads on: true if there was more to ask for. */
  read(): boolean {
    const { idle } = this;
    this.idle = undefined;
    idle?.();
    return idle !== undefined;
  }

  get frameworks(): string[] {
    return this.events.flatMap(({ event }) => (event?.$case === "framework" ? [event.value.id] : []));
  }
}

test("3.1, I3 the snapshot waits for the store, and shows what is durable at the revision it quotes", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const leader = masters.leader();
  new SchedulerClient(leader, "durable");
  await masters.run(100);
  leader.store.link = "hung";
  new SchedulerClient(leader, "pending");
  await masters.calm();
  const watcher = new Watcher(leader);
  await masters.run(300);
  t.deepEqual(watcher.events, []);
  leader.store.link = "up";
  await masters.run(200);
  t.deepEqual(watcher.frameworks, ["durable", "pending"]);
  const { revision } = masters.server.get("f/pending") === undefined ? { revision: 0 } : masters.server;
  t.true(watcher.events.every((event) => event.revision > 1 && event.revision <= revision));
  t.true(watcher.events.every((event) => (event.epoch?.revision ?? 0) > 0));
});

test("3.1, I24 a leader that was deposed without knowing shows nobody a snapshot", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2", "m3"]);
  const leader = masters.leader();
  new SchedulerClient(leader, "f1");
  await masters.run(100);
  masters.freeze("m1");
  const watcher = new Watcher(leader);
  await masters.run(1_000);
  t.true(masters.leaders().includes("m2"));
  masters.thaw("m1");
  await masters.run(500);
  t.deepEqual(watcher.events, []);
  t.true(watcher.closed);
});

test("I25 a snapshot of many rows comes in pages, with the news in between, each row's newest last", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const leader = masters.leader();
  const names = Array.from({ length: 300 }, (_, i) => `f${i}`);
  const clients = names.map((name) => new SchedulerClient(leader, name));
  await masters.run(500);
  const watcher = new Watcher(leader);
  await masters.run(100);
  t.true(watcher.frameworks.length > 0 && watcher.frameworks.length < 300, `${watcher.frameworks.length} at first`);
  for (const client of clients) client.disconnect();
  await masters.run(500);
  while (watcher.read()) await masters.run(100);
  const last = new Map(watcher.events.flatMap(({ event }) => (event?.$case === "framework" ? [[event.value.id, event.value] as const] : [])));
  t.deepEqual([...last.keys()].sort(), names.sort());
  t.true([...last.values()].every(({ record }) => record?.standing?.$case === "disconnectedAt"));
});

test("I25 who goes on after the store was full begins with a new snapshot: the stream ends there", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const leader = masters.leader();
  await masters.run(1_000);
  const watcher = new Watcher(leader);
  await masters.run(100);
  t.false(watcher.closed);
  masters.server.full = true;
  new SchedulerClient(leader, "f1");
  await masters.run(500);
  t.true(watcher.closed);
  t.deepEqual(watcher.frameworks, []);
});
