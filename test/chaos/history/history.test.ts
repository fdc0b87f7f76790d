/** Histories on their way to a file and back, and calls as intervals. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { pairCalls } from "../../../chaos/history/calls.ts";
import { mergeHistories, readHistory } from "../../../chaos/history/reader.ts";
import { both, FileSink, MemorySink, Recorder } from "../../../chaos/history/recorder.ts";

const teardown = { framework: "f1" };

function fileOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "mesarch-history-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return join(folder, "history.jsonl");
}

test("what is recorded is numbered, timed, and read back as it was", (t) => {
  const path = fileOf(t);
  const memory = new MemorySink();
  let now = 5;
  const recorder = new Recorder(() => now, both(memory, new FileSink(path)));
  const call = recorder.invoke("framework/f1", "teardown", teardown);
  now = 7.5;
  call.ok({ epoch: "1-5", revision: 12 });
  recorder.record({ kind: "observe", op: "mark", actor: "nemesis", value: { name: "ünïcödé" }, t: 3 });
  recorder.close();
  t.deepEqual(memory.events.map(({ seq, t: time, kind }) => [seq, time, kind]), [[1, 5, "invoke"], [2, 7.5, "ok"], [3, 3, "observe"]]);
  t.deepEqual(readHistory(path), memory.events);
});

test("whoever gave up on a call does not hear its late answer", (t) => {
  const memory = new MemorySink();
  const call = new Recorder(() => 0, memory).invoke("framework/f1", "teardown", teardown);
  call.unknown("deadline");
  call.ok();
  t.deepEqual(memory.events.map(({ kind }) => kind), ["invoke", "unknown"]);
});

test("half a history is none", (t) => {
  const recorder = new Recorder(() => 0, new MemorySink(1));
  recorder.invoke("framework/f1", "teardown", teardown);
  t.throws(() => recorder.invoke("framework/f1", "teardown", teardown), { instanceOf: RangeError });
});

const line = (seq: number): string => JSON.stringify({ seq, t: seq, actor: "nemesis", kind: "observe", op: "mark", value: { name: "x" } });

test("a torn end is left out, a whole one without line end counts", (t) => {
  const path = fileOf(t);
  writeFileSync(path, `${line(1)}\n${line(2).slice(0, -5)}`);
  t.is(readHistory(path).length, 1);
  writeFileSync(path, `${line(1)}\n${line(2)}`);
  t.is(readHistory(path).length, 2);
});

for (const [problem, text] of [
  ["no JSON", line(2).slice(0, -5)],
  ["no object", "7"],
  ["seq 1 does not follow 1", line(1)],
  ["no such observation: marc", line(2).replace("mark", "marc")],
  ["no such kind: seen", line(2).replace("observe", "seen")],
  ["no such call: launsh", JSON.stringify({ seq: 2, t: 0, actor: "a", kind: "ok", op: "launsh", value: {} })],
  ["a call without number", JSON.stringify({ seq: 2, t: 0, actor: "a", kind: "ok", op: "launch", value: {} })],
  ["no time", JSON.stringify({ seq: 2, actor: "a", kind: "ok", op: "launch", value: {} })],
  ["'5' is no epoch", line(2).replace('"actor"', '"epoch":"5","actor"')],
] as const) {
  test(`a bad line is named: ${problem}`, (t) => {
    const path = fileOf(t);
    writeFileSync(path, `${line(1)}\n${text}\n${line(3)}\n`);
    t.throws(() => readHistory(path), { name: "HistoryError", message: `${path}:2: ${problem}` });
  });
}

test("lines may be longer than what is read at once", (t) => {
  const path = fileOf(t);
  const long = "ß".repeat(700_000);
  for (const seq of [1, 2, 3]) appendFileSync(path, `${line(seq).replace('"x"', JSON.stringify(long))}\n`);
  t.deepEqual(readHistory(path).map(({ value }) => (value as { name: string }).name === long), [true, true, true]);
});

test("histories of several processes become one, and their calls keep apart", (t) => {
  const write = (times: readonly number[]): MemorySink => {
    const memory = new MemorySink();
    let at = 0;
    const recorder = new Recorder(() => times[at++]!, memory);
    const call = recorder.invoke("framework/f1", "teardown", teardown);
    call.ok();
    return memory;
  };
  const merged = mergeHistories(write([1, 9]).events, write([4, 5]).events);
  t.deepEqual(merged.map(({ seq, t: time }) => [seq, time]), [[1, 1], [2, 4], [3, 5], [4, 9]]);
  const { calls, strays } = pairCalls(merged);
  t.deepEqual(calls.map(({ invokedAt, endedAt }) => [invokedAt, endedAt]), [[1, 9], [4, 5]]);
  t.deepEqual(strays, []);
});

test("a call without a known outcome never ends", (t) => {
  const memory = new MemorySink();
  let now = 0;
  const recorder = new Recorder(() => (now += 1), memory);
  recorder.invoke("framework/f1", "teardown", teardown);
  recorder.invoke("framework/f1", "teardown", teardown).unknown("cut off");
  recorder.invoke("framework/f1", "teardown", teardown).fail("403");
  t.deepEqual(
    pairCalls(memory.events).calls.map(({ outcome, endedAt }) => [outcome, endedAt]),
    [["unknown", Infinity], ["unknown", Infinity], ["fail", 5]],
  );
});
