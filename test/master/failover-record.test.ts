import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { Tables } from "../../src/core/registry/tables.ts";
import { FailoverRecord } from "../../src/master/failover-record.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { HeadRecord, TaskRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";

const TRACED = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
const LAUNCHED_LATER = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;

test("D15, 5.1 tasks carried over are looked at after the takeover, and not all of them", (t) => {
  const tables = new Tables();
  tables.head = HeadRecord.fromPartial({ clusterClock: 100 });
  let looked = 0;
  const add = (serial: number, launchedAt: number, traceparent: string): void => {
    const launchId = serial.toString(16).padStart(32, "0");
    const record = TaskRecord.fromPartial({ launchId, frameworkId: "f", agentId: "a", info: { taskId: { value: launchId } }, launchedAt, traceparent });
    tables.apply({ kind: "t", id: launchId, record });
  };
  add(1, 7, TRACED);
  for (let serial = 2; serial < 20_000; serial += 1) add(serial, 7, "");
  const values = tables.tasks.values.bind(tables.tasks);
  tables.tasks.values = () => values().map((record) => ((looked += 1), record));

  const telemetry = new TelemetryRecorder();
  const victory = { kind: "leading", revision: 5, cause: "crash", previous: undefined, firstSignAt: 0, detectedAt: 0, electedAt: 0 } as const;
  const epoch = { generation: 1, revision: 4 };
  const record = new FailoverRecord({ clock: new ManualClock(), telemetry, victory, epoch, master: "m", tables });
  t.is(looked, 0);
  add(20_000, 101, LAUNCHED_LATER);
  record.close();
  t.true(looked > 0 && looked <= 10_000, `${looked} looked at`);
  t.deepEqual(telemetry.spans.find(({ name }) => name === "mesarch.failover")!.links, [TRACED]);
});
