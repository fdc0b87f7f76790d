import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { Durability } from "../../src/agent/durability.ts";
import type { Output } from "../../src/core/agent/output.ts";
import type { StepResult, Write } from "../../src/core/agent/step.ts";
import type { JournalRecord } from "../../src/wire/gen/mesarch/v1/checkpoint.ts";
import { MemoryDisk } from "../support/memory-checkpoint.ts";

/** Durability over a disk, with steps made by hand. Words are links to close, named by their reason. */
class World {
  readonly disk = new MemoryDisk();
  readonly clock = new ManualClock();
  readonly said: string[] = [];
  readonly storage: string[] = [];
  readonly #records: JournalRecord[] = [];
  durability!: Durability;

  static async open(): Promise<World> {
    const world = new World();
    world.durability = new Durability({
      checkpoint: await world.disk.open(),
      snapshot: () => [...world.#records],
      release: (outputs) => world.said.push(...outputs.map((output) => (output.kind === "start" ? output.task.launchId : output.kind))),
      onStorage: (storage) => world.storage.push(storage),
      clock: world.clock,
      retryMs: 2000,
    });
    void world.durability.run();
    return world;
  }

  /** A step that journals `name` and then starts it. */
  start(name: string): void {
    const record: JournalRecord = { record: { $case: "forgotten", value: { launchId: name } } };
    this.#records.push(record);
    this.#push([{ kind: "record", record }], [{ kind: "start", task: { launchId: name } as never }]);
  }

  /** A step that stores an epoch and then reports. */
  lead(revision: number, agentId = "agent-1"): void {
    const report: Output = { kind: "say", link: 1, message: { session: 1, body: { $case: "report", value: { agentId } as never } } };
    this.#push([{ kind: "epoch", epoch: { generation: 1, revision } }], [report]);
  }

  pong(): void {
    this.#push([], [{ kind: "say", link: 1, message: { session: 1, body: { $case: "pong", value: { sequence: 1 } } } }]);
  }

  /** What is journaled, by name. */
  get journal(): string[] {
    return this.disk.journal.map((bytes) => Buffer.from(bytes).toString("latin1").replace(/[^a-z]/g, ""));
  }

  #push(writes: Write[], outputs: Output[]): void {
    const step: StepResult = { writes, outputs };
    this.durability.push(step);
  }
}

/** Lets everything that can go on without time do so. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

test("8.3: nothing is spawned before its record is durable; a pong waits for nothing", async (t) => {
  const world = await World.open();
  world.disk.frozen = true;
  world.start("a");
  world.pong();
  await settled();
  t.deepEqual(world.said, ["say"]);
  world.disk.release();
  await settled();
  t.deepEqual(world.said, ["say", "a"]);
  t.deepEqual(world.journal, ["a"]);
});

test("what comes while a group is written makes one group, in order", async (t) => {
  const world = await World.open();
  world.start("a");
  await settled();
  world.disk.frozen = true;
  world.start("b");
  await settled();
  for (const name of ["c", "d", "e"]) world.start(name);
  world.disk.release();
  await settled();
  t.deepEqual(world.said, ["a", "b", "c", "d", "e"]);
  t.deepEqual(world.journal, ["a", "b", "c", "d", "e"]);
});

test("8.2: the report waits for its epoch", async (t) => {
  const world = await World.open();
  // The first group makes a new journal, and would be waited for as well.
  world.start("a");
  await settled();
  world.disk.frozen = true;
  world.lead(7);
  await settled();
  t.deepEqual(world.said, ["a"]);
  world.disk.release();
  await settled();
  t.deepEqual(world.said, ["a", "say"]);
  t.is(world.disk.epoch.revision, 7);
});

test("8.3: after a failed append the journal is written anew at once, and nobody notices", async (t) => {
  const world = await World.open();
  world.start("a");
  await settled();
  world.disk.appendsFail = true;
  world.start("b");
  await settled();
  t.deepEqual(world.said, ["a", "b"]);
  t.deepEqual(world.journal, ["a", "b"]);
  t.deepEqual(world.storage, ["stalled", "good"]);
});

test("stalled: what rests on the journal waits, in order, until it could be written; the agent still obeys a new leader", async (t) => {
  const world = await World.open();
  world.start("a");
  await settled();
  world.disk.appendsFail = world.disk.rewritesFail = true;
  world.start("b");
  await settled();
  world.start("c");
  world.lead(9);
  await settled();
  t.deepEqual(world.said, ["a", "say"]);
  t.is(world.disk.epoch.revision, 9);
  t.is(world.durability.storage, "stalled");
  world.disk.appendsFail = world.disk.rewritesFail = false;
  world.clock.advance(1999);
  await settled();
  t.deepEqual(world.said, ["a", "say"]);
  world.clock.advance(1);
  await settled();
  t.deepEqual(world.said, ["a", "say", "b", "c"]);
  t.deepEqual(world.journal, ["a", "b", "c"]);
});

test("8.7: without a journal an agent that has no id does not report: its nonce could be lost", async (t) => {
  const world = await World.open();
  world.disk.rewritesFail = true;
  world.start("nonce");
  world.lead(9, "");
  await settled();
  t.is(world.durability.storage, "stalled");
  t.is(world.disk.epoch.revision, 9);
  t.deepEqual(world.said, []);
  world.disk.rewritesFail = false;
  world.clock.advance(2000);
  await settled();
  t.deepEqual(world.said, ["nonce", "say"]);
  t.deepEqual(world.journal, ["nonce"]);
});

test("low: no room to grow, so what is left of the file is used until there is", async (t) => {
  const world = await World.open();
  world.disk.nearlyFullAt = 1;
  world.start("a");
  world.start("b");
  await settled();
  world.disk.rewritesFail = true;
  world.start("c");
  await settled();
  world.start("d");
  await settled();
  t.deepEqual(world.said, ["a", "b", "c", "d"]);
  t.deepEqual(world.journal, ["a", "b", "c", "d"]);
  t.deepEqual(world.storage, ["low"]);
  world.disk.rewritesFail = false;
  world.clock.advance(2000);
  await settled();
  t.deepEqual(world.storage, ["low", "good"], "also when nothing happens meanwhile");
});

test("low, and then full: stalled", async (t) => {
  const world = await World.open();
  world.disk.nearlyFullAt = 1;
  world.disk.fullAt = 3;
  for (const name of ["a", "b"]) world.start(name);
  await settled();
  world.disk.rewritesFail = true;
  for (const name of ["c", "d"]) {
    world.start(name);
    await settled();
  }
  t.deepEqual(world.said, ["a", "b", "c"]);
  t.deepEqual(world.storage, ["low", "stalled"]);
});
