import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { SandboxCollector } from "../../src/checkpoint/sandbox-collector.ts";

const HOUR = 3600_000;
const launchId = (n: number): string => n.toString(16).padStart(32, "0");

async function world(freeNow: () => Promise<number>) {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-sandboxes-"));
  const clock = new ManualClock(0, 1_000_000_000);
  const held = new Set<string>();
  const collector = new SandboxCollector({
    directory, clock, freeNow, isHeld: (id) => held.has(id), keepMs: HOUR, freeShare: 0.1, checkMs: HOUR * 1000,
    onProblem: () => {},
  });
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
  return { directory, clock, held, collector, forgotten, left, [Symbol.asyncDispose]: close };
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
