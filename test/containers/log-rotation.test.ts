import test from "ava";
import { mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { LogRotation, rotateLog } from "../../src/containers/log-rotation.ts";
import { eventually } from "./observed-runs.ts";

const BOUNDS = { bytes: 10, kept: 2, checkMs: 1_000 };

async function sandbox(t: { teardown(end: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-logs-"));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

test("a log that is too large moves aside, and its writer goes on", async (t) => {
  const directory = await sandbox(t);
  const path = join(directory, "stdout");
  await using writer = await open(path, "a");
  for (const content of ["first round", "second round", "third round"]) {
    await writer.write(content);
    t.true(await rotateLog(directory, "stdout", BOUNDS));
  }
  await writer.write("short");
  t.false(await rotateLog(directory, "stdout", BOUNDS));
  t.is(await readFile(path, "utf8"), "short");
  t.is(await readFile(`${path}.1`, "utf8"), "third round");
  t.is(await readFile(`${path}.2`, "utf8"), "second round");
  t.deepEqual((await readdir(directory)).sort(), ["stdout", "stdout.1", "stdout.2"]);
});

test("links of a task lead nowhere", async (t) => {
  const directory = await sandbox(t);
  const outside = join(directory, "outside");
  await writeFile(outside, "much too large");
  await symlink(outside, join(directory, "stdout"));
  t.false(await rotateLog(directory, "stdout", BOUNDS));
  t.false(await rotateLog(directory, "missing", BOUNDS));
  await writeFile(join(directory, "stderr"), "much too large");
  await symlink(outside, join(directory, "stderr.1"));
  t.true(await rotateLog(directory, "stderr", { ...BOUNDS, kept: 1 }));
  t.is(await readFile(outside, "utf8"), "much too large");
});

test("logs are checked again and again, and trouble with one stops nothing", async (t) => {
  const directory = await sandbox(t);
  const clock = new ManualClock();
  const problems: string[] = [];
  await writeFile(join(directory, "file"), "");
  const sandboxes = [join(directory, "file"), directory];
  await using rotation = new LogRotation(clock, BOUNDS, () => sandboxes, (about) => problems.push(about));
  for (const content of ["much too large", "again too large"]) {
    await writeFile(join(directory, "stderr"), content);
    await eventually(() => clock.nextDue() !== undefined, "the next check");
    clock.advance(BOUNDS.checkMs);
    await eventually(async () => (await readFile(join(directory, "stderr.1"), "utf8").catch(() => "")) === content, "rotation");
  }
  t.true(problems.length >= 2);
  t.truthy(rotation);
});
