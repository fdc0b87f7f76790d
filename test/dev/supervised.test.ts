import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { Supervised } from "../../src/dev/supervised.ts";
import { Arrivals } from "../support/arrivals.ts";

test("what dies is started again, later each time it does not live long, and not after a stop", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-supervised-"));
  const clock = new ManualClock();
  const starts = new Arrivals<number>();
  const ends = new Arrivals<{ how: string; restartMs: number }>();
  const child = new Supervised({
    name: "child",
    command: process.execPath,
    args: ["-e", "console.log('up'); setInterval(() => {}, 1e6)"],
    env: process.env,
    logFile: join(directory, "log"),
    clock,
    onStart: (pid) => starts.push(pid),
    onEnd: (how, restartMs) => ends.push({ how, restartMs }),
  });
  child.start();
  process.kill(await starts.next(), "SIGTERM");
  t.deepEqual(await ends.next(), { how: "was ended by SIGTERM", restartMs: 1_000 });
  t.is(child.pid, undefined);
  clock.advance(999);
  t.is(starts.all.length, 1);
  clock.advance(1);
  process.kill(await starts.next(), "SIGTERM");
  t.is((await ends.next()).restartMs, 2_000);
  clock.advance(2_000);
  // Somebody who kills it, for a drill or for fun, does not make it wait.
  process.kill(await starts.next(), "SIGKILL");
  t.deepEqual(await ends.next(), { how: "was ended by SIGKILL", restartMs: 1_000 });
  clock.advance(1_000);
  await starts.next();
  clock.advance(60_000);
  await child.stop(5_000);
  clock.advance(60_000);
  t.is(starts.all.length, 4);
  t.is(ends.all.length, 3);
  t.true((await readFile(join(directory, "log"), "utf8")).length >= 0);
  await rm(directory, { recursive: true });
});
