import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open as openFile, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { seededRandom } from "../../src/base/random.ts";
import { DirectoryCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { CheckpointDamaged, WorkDirectoryLocked } from "../../src/checkpoint/errors.ts";
import { workPaths } from "../../src/checkpoint/paths.ts";
import type { JournalRecord } from "../../src/wire/gen/mesarch/v1/checkpoint.ts";
import { checkpointContract, launchIds, record } from "./contract.ts";

async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "mesarch-checkpoint-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const open = (path: string): Promise<DirectoryCheckpoint> => DirectoryCheckpoint.open(path, seededRandom(1));

checkpointContract(test, "in a directory", async () => {
  const directory = await temporaryDirectory();
  const paths = workPaths(directory.path);
  return {
    open: () => open(directory.path),
    // A group larger than the file: it fits only after a rewrite.
    failAppend: (checkpoint) => checkpoint.append([record("x".repeat(2 * 1024 * 1024))]).catch(() => {}),
    // The new file cannot be made where a directory is.
    rewritesFail: (fail) => (fail ? mkdir(join(paths.newJournal, "x"), { recursive: true }).then(() => {}) : rm(paths.newJournal, { recursive: true })),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});

const MAGIC = "MJF1";

/** A journal of three groups, the last of them `last`; returns its bytes and where that begins and ends. */
async function threeGroups(path: string, last: string, seed = 1): Promise<{ bytes: Buffer; begin: number; end: number }> {
  await using checkpoint = await DirectoryCheckpoint.open(path, seededRandom(seed));
  await checkpoint.rewrite([record("a")]);
  await checkpoint.append([record("b")]);
  const before = await readFile(workPaths(path).journal);
  await checkpoint.append([record(last)]);
  const bytes = await readFile(workPaths(path).journal);
  const begin = bytes.indexOf(MAGIC, before.lastIndexOf(MAGIC) + 1);
  return { bytes, begin, end: bytes.findLastIndex((byte) => byte !== 0) + 1 };
}

async function reread(t: ExecutionContext, path: string, bytes: Buffer): Promise<string[]> {
  await writeFile(workPaths(path).journal, bytes);
  await using checkpoint = await open(path);
  t.true(checkpoint.wantsRewrite);
  return launchIds(checkpoint);
}

test("8.3: a torn last group is cut off, wherever it tears", async (t) => {
  await using directory = await temporaryDirectory();
  const { bytes, begin, end } = await threeGroups(directory.path, "c".repeat(100));
  for (let cut = begin; cut < end; cut += 7) {
    const torn = Buffer.from(bytes);
    torn.fill(0, cut);
    t.deepEqual(await reread(t, directory.path, torn), ["a", "b"], `cut at ${cut}`);
  }
  const hole = Buffer.from(bytes);
  hole.fill(0, begin, begin + 40);
  t.deepEqual(await reread(t, directory.path, hole), ["a", "b"], "only its later blocks reached the disk");
  t.deepEqual(await reread(t, directory.path, bytes), ["a", "b", "c".repeat(100)]);
});

test("8.3: damage elsewhere is told, with a remedy, and changes nothing", async (t) => {
  await using directory = await temporaryDirectory();
  const { bytes } = await threeGroups(directory.path, "c");
  const paths = workPaths(directory.path);
  // The header's title and nonce; a group's number and its record.
  for (const at of [5, 22, 42, 54]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ 0xff;
    await writeFile(paths.journal, damaged);
    const error = await t.throwsAsync(open(directory.path), { instanceOf: CheckpointDamaged });
    t.regex(error!.message, /journal is damaged/);
    t.regex(error!.remedy!, /go on running/);
    t.deepEqual(await readFile(paths.journal), damaged);
  }
});

test("a record that looks like a group, and an older file's blocks, are not taken for groups", async (t) => {
  await using older = await temporaryDirectory();
  await using directory = await temporaryDirectory();
  const old = await threeGroups(older.path, "c", 2);
  const { bytes, begin, end } = await threeGroups(directory.path, old.bytes.toString("latin1", 32, old.end), 3);
  t.is((await reread(t, directory.path, bytes)).length, 3);
  old.bytes.copy(bytes, Math.ceil(end / 16) * 16, 32, old.end);
  t.is((await reread(t, directory.path, bytes)).length, 3);
  bytes.fill(0, begin, begin + 16);
  t.deepEqual(await reread(t, directory.path, bytes), ["a", "b"], "torn, in front of old blocks");
});

test("8.1: a torn epoch slot leaves the one before", async (t) => {
  await using directory = await temporaryDirectory();
  const paths = workPaths(directory.path);
  {
    await using checkpoint = await open(directory.path);
    await checkpoint.storeEpoch({ generation: 1, revision: 7 });
    await checkpoint.storeEpoch({ generation: 1, revision: 9 });
  }
  const whole = await readFile(paths.epoch);
  t.is(whole.length, 8192, "written before it is needed");
  const torn = Buffer.from(whole);
  // Serials: 1 start, 2 and 3 the epochs; the third is in the second slot.
  torn.fill(0, 4096 + 10, 8192);
  await writeFile(paths.epoch, torn);
  {
    await using checkpoint = await open(directory.path);
    t.like(checkpoint.epoch, { revision: 7 });
  }
  await writeFile(paths.epoch, Buffer.alloc(8192));
  await t.throwsAsync(open(directory.path), { instanceOf: CheckpointDamaged });
});

test("the journal asks to be rewritten before it is full, and then is small again", async (t) => {
  await using directory = await temporaryDirectory();
  await using checkpoint = await open(directory.path);
  await checkpoint.rewrite([]);
  const group = Array.from({ length: 64 }, (_, i) => record(`${i}`.padStart(1000, "0")));
  let groups = 0;
  for (; !checkpoint.wantsRewrite; groups += 1) await checkpoint.append(group);
  t.true(groups > 8);
  await checkpoint.append(group);
  await checkpoint.rewrite([record("a")]);
  t.false(checkpoint.wantsRewrite);
  t.is((await readFile(workPaths(directory.path).journal)).length, 1024 * 1024);
});

test("8.3: a large journal leaves the disk to the tasks, and is not written anew all the time", async (t) => {
  await using directory = await temporaryDirectory();
  const { journal } = workPaths(directory.path);
  const mebibyte = (name: string): JournalRecord => record(name.padEnd(1024 * 1024, "-"));
  const names = Array.from({ length: 40 }, (_, i) => `${i}`);
  {
    await using checkpoint = await open(directory.path);
    await checkpoint.rewrite(names.map(mebibyte));
    t.false(checkpoint.wantsRewrite);
    const { size } = await stat(journal);
    t.true(size >= 104 * 1024 * 1024 && size < 105 * 1024 * 1024, `${size} bytes`);
    for (let appended = 0; appended < 48; appended += 4) {
      t.false(checkpoint.wantsRewrite, `after ${appended} MiB more`);
      await checkpoint.append(Array.from({ length: 4 }, (_, i) => mebibyte(`${40 + appended + i}`)));
    }
    t.true(checkpoint.wantsRewrite);
    t.is((await stat(journal)).size, size);
  }
  await using again = await open(directory.path);
  t.deepEqual(launchIds(again).map((id) => id.replace(/-+$/, "")), Array.from({ length: 88 }, (_, i) => `${i}`));
});

test("8.3: a journal of more than 2 GiB is read to its end", async (t) => {
  await using directory = await temporaryDirectory();
  const { journal } = workPaths(directory.path);
  const { bytes, begin, end } = await threeGroups(directory.path, "c");
  {
    // A hole takes no disk. What lies behind it is damage, which tells how far was read.
    await using file = await openFile(journal, "r+");
    await file.write(bytes, begin, end - begin, 2 ** 31 + 16);
  }
  const message = `${journal} is damaged: what lies between byte ${Math.ceil(end / 16) * 16} and the sound group at byte 2147483664 is unreadable`;
  await t.throwsAsync(open(directory.path), { instanceOf: CheckpointDamaged, message });
});

test("what a rewrite that never ended left behind is in nobody's way", async (t) => {
  await using directory = await temporaryDirectory();
  const paths = workPaths(directory.path);
  await writeFile(paths.newJournal, "half");
  await using checkpoint = await open(directory.path);
  await checkpoint.rewrite([record("a")]);
  t.true(checkpoint.appendable);
  await t.throwsAsync(rmdir(paths.newJournal));
});

test("8.1: an agent of another network namespace keeps others out as well", async (t) => {
  await using directory = await temporaryDirectory();
  const holder = spawn("flock", [join(directory.path, "lock"), "sh", "-c", "echo held; read -r _"], { stdio: ["pipe", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  await t.throwsAsync(open(directory.path), { instanceOf: WorkDirectoryLocked });
  holder.stdin.end();
  await once(holder, "exit");
  await using checkpoint = await open(directory.path);
  t.is(checkpoint.starts, 1);
});
