/** What actors write becomes one history, and nothing of another run gets into it. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { recall } from "../../../chaos/real/actors/recall.ts";
import { stallsIn } from "../../../chaos/real/actors/controls.ts";
import { readWitnesses } from "../../../chaos/real/actors/witness-reader.ts";
import { openRun, prepareReport, upTo, writeHistory } from "../../../chaos/real/history-files.ts";
import { readHistory } from "../../../chaos/history/reader.ts";
import { TaskState } from "../../../src/sdk/index.ts";
import { calm } from "../history-builder.ts";

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), "mesarch-histories-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("what witnesses wrote is read with the run's times; a line without its end is none", (t) => {
  const path = directory(t);
  writeFileSync(join(path, "t1"), "start 100.00 n1 4711 9900 L-1 S1\nbeat 100.20 n1\nsignal 100.31 n1 TERM\nexit 100.32 n1 143\n");
  writeFileSync(join(path, "t2"), "start 100.50 n2 4712 9950 L-2 S1\nbeat 100");
  const events = readWitnesses(path, 1_000);
  t.deepEqual(
    events.map(({ op, t: at, actor }) => [op, at, actor]),
    [
      ["witnessStart", 101_010, "witness/t1"],
      ["witnessBeat", 101_210, "witness/t1"],
      ["witnessSignal", 101_320, "witness/t1"],
      ["witnessExit", 101_330, "witness/t1"],
      ["witnessStart", 101_510, "witness/t2"],
    ],
  );
  t.deepEqual(events[0]!.value, { task: "t1", launch: "L-1", agent: "S1", pid: 4711, nonce: "n1" });
  t.deepEqual(events[3]!.value, { task: "t1", nonce: "n1", status: 143 });
});

test("where a witness beside the cluster stood still, the machine did", (t) => {
  const path = directory(t);
  writeFileSync(join(path, "control-1"), "start 100.00 n1 4711 9900 control-1 none\nbeat 100.20 n1\nbeat 100.90 n1\nbeat 101.10 n1\n");
  t.deepEqual(stallsIn(readWitnesses(path, 0)).map(({ t: at, value }) => [at, value]), [[100_910, { ms: 700 }]]);
});

test("histories become one, in the order of time, up to the end of the run", (t) => {
  const [one, other] = [calm().running("t1").events, calm().running("t2").events];
  const endAt = one[one.length - 3]!.t;
  const merged = upTo([one, other], endAt);
  t.true(merged.every((event, index) => index === 0 || merged[index - 1]!.t <= event.t));
  t.is(merged.length, [...one, ...other].filter((event) => event.t <= endAt).length);
  const path = join(directory(t), "history.jsonl");
  writeHistory(path, merged);
  t.deepEqual(readHistory(path), merged);
});

test("a framework that starts again remembers what may still run, and nothing else", (t) => {
  const story = calm();
  story.launched("f1-1.s1").update("f1-1.s1", "TASK_RUNNING");
  story.launched("f1-1.s2").kill("f1-1.s2").ok();
  story.launched("f1-1.j3").ended("f1-1.j3");
  story.launch("f1-1.j4").fail();
  story.launched("f9-1.s1", { framework: "f9" });
  t.deepEqual(
    recall(story.events, "f1").map(({ id, service, state, killed }) => [id, service, state, killed]),
    [
      ["f1-1.s1", true, TaskState.TASK_RUNNING, false],
      ["f1-1.s2", true, TaskState.TASK_STAGING, true],
    ],
  );
});

test("a report takes an empty directory, or one of a report, and removes nothing that is not of a run", (t) => {
  const path = directory(t);
  prepareReport(path, "npm run chaos");
  writeFileSync(join(path, "logs", "master-m1.log"), "old\n");
  writeFileSync(join(path, "notes.txt"), "mine");
  prepareReport(path, "npm run chaos -- --seed 2");
  t.deepEqual(readdirSync(join(path, "logs")), []);
  t.true(readdirSync(path).includes("notes.txt"));
  t.throws(() => openRun(path), { message: /did not come to its end/ });

  const other = join(path, "other");
  mkdirSync(other);
  t.throws(() => openRun(other), { message: /there is no run\.json/ });
  writeFileSync(join(other, "history.jsonl"), "something of somebody");
  t.throws(() => prepareReport(other, ""), { message: /is not empty, and holds no report/ });
});
