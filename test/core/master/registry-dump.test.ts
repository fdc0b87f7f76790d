import test from "ava";
import { jsonOf } from "../../../src/core/master/registry-dump.ts";
import { TaskRecord, WeightRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";

test("a dumped row has nothing of the decoder's own", (t) => {
  const row = TaskRecord.decode(TaskRecord.encode(TaskRecord.create({ launchId: "ab", info: { name: "n" } })).finish());
  const dumped = JSON.parse(jsonOf(row)) as Record<string, unknown>;
  t.like(dumped, { launchId: "ab", info: { name: "n" } });
  t.notRegex(jsonOf(row), /nknown/);
});

test("13.1 what a newer version wrote is dumped by its field's number, bytes as hex digits", (t) => {
  const known = WeightRecord.encode(WeightRecord.create({ role: "r", weight: 2 })).finish();
  // Field 100 of three bytes, field 101 of the number 5.
  const newer = Uint8Array.of(0xa2, 0x06, 3, 1, 2, 0xff, 0xa8, 0x06, 5);
  const row = WeightRecord.decode(Buffer.concat([known, newer]));
  t.deepEqual(JSON.parse(jsonOf(row)), { role: "r", weight: 2, _unknownFields: { 100: ["030102ff"], 101: ["05"] } });
});
