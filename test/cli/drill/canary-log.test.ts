import test from "ava";
import { hasGoneOn, readCanaryLog } from "../../../src/cli/drill/canary-log.ts";

test("one process that counts", (t) => {
  t.deepEqual(readCanaryLog("7 1\n7 2\n7 3\n"), { pids: [7], overlapped: false, count: 3 });
});

test("what rotation or a reader cut off does not count", (t) => {
  t.deepEqual(readCanaryLog("4\n70 5\n70 6\n70"), { pids: [70], overlapped: false, count: 6 });
  t.deepEqual(readCanaryLog(""), { pids: [], overlapped: false, count: 0 });
});

test("a second start, after the first or beside it", (t) => {
  t.deepEqual(readCanaryLog("7 1\n7 2\n9 1\n9 2\n"), { pids: [7, 9], overlapped: false, count: 2 });
  t.true(readCanaryLog("7 1\n9 1\n7 2\n").overlapped);
});

test("it goes on when it has said more", (t) => {
  const before = readCanaryLog("7 1\n");
  t.false(hasGoneOn(before, before));
  t.true(hasGoneOn(before, readCanaryLog("7 1\n7 2\n")));
  t.false(hasGoneOn(readCanaryLog(""), readCanaryLog("")));
  t.true(hasGoneOn(readCanaryLog(""), before));
});
