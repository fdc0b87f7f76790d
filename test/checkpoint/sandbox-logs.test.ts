import { execFile } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readlink, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { SandboxLogs } from "../../src/checkpoint/sandbox-logs.ts";

const LAUNCH = "a".repeat(32);

/** One sandbox with its logs; the task ends when `ended` is set. */
async function world() {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-task-logs-"));
  const task = { ended: false };
  const clock = new ManualClock();
  const logs = new SandboxLogs({ sandbox: () => directory, mayStillWrite: () => !task.ended, clock, pollMs: 100 });
  const read = (request: { follow?: boolean; offset?: number } = {}) =>
    logs.read({ launchId: LAUNCH, stream: "stdout", offset: 0, follow: false, ...request }, new AbortController().signal);
  const text = async (request?: { offset?: number }): Promise<string> => {
    let all = "";
    for await (const { data } of read(request)) all += Buffer.from(data).toString();
    return all;
  };
  const close = (): Promise<void> => rm(directory, { recursive: true, force: true });
  return { stdout: join(directory, "stdout"), directory, task, clock, read, text, [Symbol.asyncDispose]: close };
}

test("a log is read from an offset, or from its end; one that is not there yet is empty until the task has ended", async (t) => {
  await using w = await world();
  t.is(await w.text(), "");
  await writeFile(w.stdout, "0123456789");
  t.is(await w.text({ offset: 4 }), "456789");
  t.is(await w.text({ offset: -3 }), "789");
  t.is(await w.text({ offset: 99 }), "");
  w.task.ended = true;
  await rm(w.stdout);
  await t.throwsAsync(w.text(), { code: "not_found" });
});

test("a followed log is read until the task has ended, also after it was emptied, and no file stays open meanwhile", async (t) => {
  await using w = await world();
  await writeFile(w.stdout, "first");
  const chunks = w.read({ follow: true })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await chunks.next();
    return done === true ? "end" : { text: Buffer.from(value.data).toString(), offset: value.offset, rotated: value.rotated };
  };
  const afterPoll = async (): Promise<unknown> => {
    const answer = next();
    while (w.clock.nextDue() === undefined) await new Promise(setImmediate);
    t.false((await openFiles()).includes(w.stdout));
    w.clock.advance(100);
    return answer;
  };
  t.deepEqual(await next(), { text: "first", offset: 0, rotated: false });
  await appendFile(w.stdout, " more");
  // Still the same look at the file.
  t.deepEqual(await next(), { text: " more", offset: 5, rotated: false });
  await truncate(w.stdout);
  await appendFile(w.stdout, "anew");
  t.deepEqual(await afterPoll(), { text: "anew", offset: 0, rotated: true });
  w.task.ended = true;
  t.is(await afterPoll(), "end");
});

test("what a task put in place of its log is not read: a pipe holds nobody up, a link leads nowhere", async (t) => {
  await using w = await world();
  const secret = join(w.directory, "secret");
  await writeFile(secret, "s3cret");
  const expectRefusal = async (what: string): Promise<void> => {
    // More reads than node has threads for files: if each waited, nothing could be opened any more.
    for (const result of await Promise.allSettled(Array.from({ length: 6 }, () => w.text()))) {
      t.is(result.status === "rejected" && (result.reason as { code: string }).code, "not_found", what);
    }
    await rm(w.stdout, { recursive: true });
  };
  await promisify(execFile)("mkfifo", [w.stdout]);
  await expectRefusal("a pipe");
  await symlink(secret, w.stdout);
  await expectRefusal("a link");
  await symlink(join(w.directory, "nothing"), w.stdout);
  await expectRefusal("a link to nothing");
  await promisify(execFile)("mkdir", [w.stdout]);
  await expectRefusal("a directory");
  const server = createServer().listen(w.stdout);
  await once(server, "listening");
  await expectRefusal("a socket");
  server.close();
});

async function openFiles(): Promise<string[]> {
  const numbers = await readdir("/proc/self/fd");
  return Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => "")));
}
