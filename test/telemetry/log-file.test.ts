import { execFile } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import test from "ava";

import { LogFile } from "../../src/telemetry/log-file.ts";

function temporaryFile(t: { teardown(fn: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), "mesarch-log-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return join(directory, "log");
}

/** Runs a program that logs to `file` and returns once it has exited, which it must do with 0. */
async function runLogging(file: string, body: string): Promise<void> {
  const module = JSON.stringify(new URL("../../src/telemetry/logger.ts", import.meta.url));
  const program = `
    const { createLogger } = await import(${module});
    const log = createLogger({ service: "s", role: "r", name: "n", file: ${JSON.stringify(file)} });
    ${body}`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000 });
}

const messages = (file: string): unknown[] =>
  readFileSync(file, "utf8").trimEnd().split("\n").map((line) => (JSON.parse(line) as { msg: unknown }).msg);

test("nothing is lost when the process ends, by itself or by exit", async (t) => {
  const file = temporaryFile(t);
  await runLogging(file, `log.info("one"); setImmediate(() => log.info("two"));`);
  await runLogging(file, `log.info("three"); log.error("four"); process.exit(0);`);
  t.deepEqual(messages(file), ["one", "two", "three", "four"]);
});

test("a full disk costs lines, not the process", async (t) => {
  await t.notThrowsAsync(runLogging("/dev/full", `log.info("one"); setImmediate(() => log.info("two"));`));
});

test("lines beyond the bound are dropped, counted and reported", async (t) => {
  const file = temporaryFile(t);
  const fd = openSync(file, "a");
  t.teardown(() => closeSync(fd));
  const { promise: dropped, resolve } = Promise.withResolvers<number>();
  const log = new LogFile({ target: fd, maxWaiting: 4, onDropped: resolve });
  for (const line of ["a\n", "b\n", "c\n", "d\n"]) log.write(line);
  t.is(await dropped, 2);
  t.is(readFileSync(file, "utf8"), "a\nb\n");
});

test("a file that cannot be opened is an error at once", (t) => {
  t.throws(() => new LogFile({ target: "/nowhere/log", onDropped: () => {} }), { code: "ENOENT" });
});
