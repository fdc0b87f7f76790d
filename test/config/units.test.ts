import test from "ava";
import { editDistance, nearest } from "../../src/config/suggest.ts";
import { formatBytes, formatDuration, parseBytes, parseDuration } from "../../src/config/units.ts";

for (const [text, ms] of [
  ["500ms", 500],
  ["5s", 5_000],
  ["5 secs", 5_000],
  ["1.5min", 90_000],
  ["10mins", 600_000],
  ["2h", 7_200_000],
  ["1day", 86_400_000],
  ["1weeks", 604_800_000],
  ["0", 0],
  ["5", undefined],
  ["-5s", undefined],
  ["s", undefined],
  ["5 parsecs", undefined],
] as const) {
  test(`duration ${text}`, (t) => t.is(parseDuration(text), ms));
}

for (const [text, size] of [
  ["10MiB", 10_485_760],
  ["1.5GiB", 1_610_612_736],
  ["500kB", 500_000],
  ["1 kib", 1_024],
  ["0", 0],
  ["10", undefined],
  ["10 Mb/s", undefined],
] as const) {
  test(`size ${text}`, (t) => t.is(parseBytes(text), size));
}

test("what is written can be read, and is short", (t) => {
  for (const ms of [0, 1, 1_500, 60_000, 90_000, 604_800_000]) t.is(parseDuration(formatDuration(ms)), ms);
  for (const size of [0, 1, 1_024, 1_500, 10_485_760]) t.is(parseBytes(formatBytes(size)), size);
  t.is(formatDuration(600_000), "10min");
  t.is(formatBytes(10_485_760), "10MiB");
});

test("the nearest word, if it is near", (t) => {
  t.is(editDistance("stauts", "status"), 1);
  t.is(editDistance("", "abc"), 3);
  t.is(nearest("lsit", ["list", "last"]), "list");
  t.is(nearest("xyzzy", ["list", "status"]), undefined);
});
