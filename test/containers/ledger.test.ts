import test from "ava";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { append, createLedger, parseLedger, readLedger } from "../../src/containers/ledger.ts";

const START = { boot: "b", pid: 10, startTime: "111" };
const CHILD = { pid: 11, startTime: "222" };

test("the first mark of a kind wins, the last kill counts", (t) => {
  const text = "run 1\nstart b 10 111\nstart cancelled\nkill 5.000\nchild 11 222\nchild void\nkill 0.500\nexit 143 1\nexit 0 0\n";
  t.deepEqual(parseLedger(text), { start: START, child: CHILD, graceSeconds: 0.5, exit: { status: 143, killed: true } });
  t.deepEqual(parseLedger("run 1\nstart cancelled\nstart b 10 111\n"), { start: "cancelled" });
  t.deepEqual(parseLedger("run 1\nchild void\nchild 11 222\n"), { child: "void" });
});

test("lines that are cut off, damaged or unknown are passed over", (t) => {
  t.deepEqual(parseLedger(""), {});
  t.deepEqual(parseLedger("run 1\nexit 0 0"), {});
  t.deepEqual(parseLedger("run 1\nexit 0\nexit x 0\nfuture 1\n\0\0\0\nkill x\nstart b\nstart b 10 111\n"), { start: START });
});

test("a ledger is made once and appended to", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-ledger-"));
  t.teardown(() => rm(directory, { recursive: true }));
  t.is(await readLedger(directory), undefined);
  await t.throwsAsync(append(directory, "child void"), { code: "ENOENT" });
  await createLedger(directory);
  t.is((await append(directory, "start cancelled")).start, "cancelled");
  await createLedger(directory);
  t.deepEqual(await readLedger(directory), { start: "cancelled" });
});
