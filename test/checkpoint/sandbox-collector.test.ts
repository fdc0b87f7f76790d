import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { SandboxCollector, scarcest } from "../../src/checkpoint/sandbox-collector.ts";

const HOUR = 3600_000;
const launchId = (n: number): string => n.toString(16).padStart(32, "0");

async function world(freeNow: () => Promise<number>, { maxKept }: { maxKept?: number } = {}) {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-sandboxes-"));
  const clock = new ManualClock(0, 1_000_000_000);
  const held = new Set<string>();
  const newCollector = () =>
    new SandboxCollector({
      directory, clock, freeNow, isHeld: (id) => held.has(id), keepMs: HOUR, freeShare: 0.1, checkMs: HOUR * 1000,
      onProblem: () => {}, ...(maxKept !== undefined && { maxKept }),
    });
  let collector = newCollector();
  const collect = (): Promise<void> => collector.collect();
  /** Another process begins. */
  const restart = async (): Promise<void> => {
    await collector[Symbol.asyncDispose]();
    collector = newCollector();
  };
  const forgotten = async (n: number): Promise<void> => {
    await mkdir(join(directory, launchId(n)));
    await writeFile(join(directory, launchId(n), "stdout"), "x");
    await collector.forgotten(launchId(n));
  };
  const left = async (): Promise<number[]> => (await readdir(directory)).map((name) => parseInt(name, 16)).sort();
  const close = async (): Promise<void> => {
    await collector[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  return { directory, clock, held, collector, collect, restart, forgotten, left, [Symbol.asyncDispose]: close };
}

test("a sandbox goes when its time is over, counted from when its task was forgotten", async (t) => {
  await using w = await world(async () => 1);
  await w.forgotten(1);
  w.clock.advance(HOUR / 2);
  await w.forgotten(2);
  w.clock.advance(HOUR / 2);
  await w.collector.collect();
  t.deepEqual(await w.left(), [2]);
});

test("11.2 a wall clock that jumps neither ends a stay nor makes it longer", async (t) => {
  for (const jump of [10_000 * HOUR, -10_000 * HOUR]) {
    await using w = await world(async () => 1);
    await w.forgotten(1);
    w.clock.setWall(w.clock.wall() + jump);
    await w.forgotten(2);
    w.clock.advance(HOUR - 1);
    await w.collect();
    t.deepEqual(await w.left(), [1, 2]);
    w.clock.advance(1);
    await w.collect();
    t.deepEqual(await w.left(), []);
  }
});

test("11.2 what an earlier process left waits from the start of this one, whatever its directory's time", async (t) => {
  await using w = await world(async () => 1);
  for (const n of [1, 2, 3]) await w.forgotten(n);
  await utimes(join(w.directory, launchId(1)), 1, 1);
  await utimes(join(w.directory, launchId(2)), 1e11, 1e11);
  w.clock.advance(HOUR - 1);
  await w.restart();
  await w.collect();
  w.clock.advance(HOUR - 1);
  await w.collect();
  t.deepEqual(await w.left(), [1, 2, 3]);
  w.clock.advance(1);
  await w.collect();
  t.deepEqual(await w.left(), []);
});

test("8.10 where there are too many, what earlier processes left goes before what this one did, the older first", async (t) => {
  await using w = await world(async () => 1, { maxKept: 2 });
  await w.forgotten(1);
  w.clock.advance(1_000);
  await w.forgotten(2);
  await w.restart();
  w.clock.setWall(0);
  w.clock.advance(1);
  await w.forgotten(3);
  await w.collect();
  t.deepEqual(await w.left(), [2, 3]);
  await w.forgotten(4);
  await w.collect();
  t.deepEqual(await w.left(), [3, 4]);
});

test("8.10 a sandbox seen before its task is said to be forgotten stays its whole time", async (t) => {
  await using w = await world(async () => 1);
  w.held.add(launchId(1));
  await mkdir(join(w.directory, launchId(1)));
  await utimes(join(w.directory, launchId(1)), 1, 1);
  await w.collect();
  w.clock.advance(2 * HOUR);
  await w.collect();
  w.held.clear();
  await w.collect();
  t.deepEqual(await w.left(), [1]);
});

test("a sandbox goes with all that is in it, and nothing that it only leads to", async (t) => {
  await using w = await world(async () => 1);
  await using elsewhere = await world(async () => 1);
  const kept = join(elsewhere.directory, "kept");
  await writeFile(kept, "x");
  const deep = join(w.directory, launchId(1), "-a", "b");
  await mkdir(deep, { recursive: true });
  await symlink(elsewhere.directory, join(deep, "link"));
  await symlink(elsewhere.directory, join(w.directory, launchId(2)));
  w.clock.advance(Date.now() + 2 * HOUR);
  await w.collector.collect();
  t.deepEqual(await w.left(), []);
  t.is(await readFile(kept, "utf8"), "x");
});

test("8.10: that of a task still held stays, whatever else", async (t) => {
  await using w = await world(async () => 0);
  await w.forgotten(1);
  w.held.add(launchId(1));
  w.clock.advance(2 * HOUR);
  await w.collector.collect();
  t.deepEqual(await w.left(), [1]);
});

test("on a disk that fills up they go sooner, oldest first, until there is room", async (t) => {
  let count = 3;
  await using w = await world(async () => (count > 1 ? 0.05 : 0.5));
  for (const n of [1, 2, 3]) {
    await w.forgotten(n);
    w.clock.advance(1000);
  }
  const watch = w.left;
  count = (await watch()).length;
  const collected = w.collector.collect();
  const following = (async () => {
    while (count > 1) {
      count = (await watch()).length;
      await new Promise(setImmediate);
    }
  })();
  await Promise.all([collected, following]);
  const left = await w.left();
  t.true(left.length <= 1);
  t.false(left.includes(1));
});

test("8.10: so many are kept, the youngest, and those of tasks still held", async (t) => {
  await using w = await world(async () => 1, { maxKept: 2 });
  for (const n of [1, 2, 3, 4, 5]) {
    await w.forgotten(n);
    w.clock.advance(1000);
  }
  w.held.add(launchId(1));
  await w.collector.collect();
  t.deepEqual(await w.left(), [1, 4, 5]);
});

test("thousands are looked at few at a time, and a stop does not wait for the rest", async (t) => {
  await using w = await world(async () => 1);
  const names = Array.from({ length: 3000 }, (_, n) => launchId(n + 1));
  for (const name of names) await mkdir(join(w.directory, name));
  await Promise.all(names.map((name) => utimes(join(w.directory, name), 1, 1)));
  let most = 0;
  const collected = w.collector.collect();
  const watching = setInterval(() => {
    most = Math.max(most, process.getActiveResourcesInfo().filter((name) => name === "FSReqPromise").length);
  }, 0);
  while (most === 0) await new Promise(setImmediate);
  await w.collector[Symbol.asyncDispose]();
  await collected;
  clearInterval(watching);
  t.true(most <= 32, `${most} at a time`);
  t.true((await w.left()).length > 0);
});

test("a disk is as full as its room or its inodes, whichever is scarcer", async (t) => {
  const plenty = { bavail: 90, blocks: 100, ffree: 80, files: 100 };
  t.is(scarcest(plenty), 0.8);
  t.is(scarcest({ ...plenty, bavail: 5 }), 0.05);
  t.is(scarcest({ ...plenty, ffree: 3 }), 0.03);
  t.is(scarcest({ ...plenty, ffree: 0, files: 0 }), 0.9, "no fixed number");
  t.is(scarcest({ bavail: 0, blocks: 0, ffree: 0, files: 0 }), 1);
});
