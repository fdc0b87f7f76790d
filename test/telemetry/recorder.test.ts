import test from "ava";

import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { recordFailover } from "../../src/telemetry/failover.ts";

test("the recorder keeps spans with their relations and outcome", async (t) => {
  const telemetry = new TelemetryRecorder();
  const error = new Error("x");
  await t.throwsAsync(
    telemetry.span("mesarch.call ACCEPT", { attributes: { "mesos.framework.id": "f" } }, async (call) => {
      call.set({ "mesos.task.id": "t" });
      telemetry.startSpan("mesarch.commit", { parent: call.traceparent, links: [undefined, "l"], startTime: 1 }).end({}, 2);
      throw error;
    }),
  );
  const [call, commit] = telemetry.spans;
  t.like(call, { name: "mesarch.call ACCEPT", parent: undefined, ended: true, error });
  t.deepEqual(call!.attributes, { "mesos.framework.id": "f", "mesos.task.id": "t" });
  t.like(commit, { parent: call!.traceparent, links: ["l"], startTime: 1, endTime: 2, error: undefined });
  t.is(commit!.traceparent.slice(3, 35), call!.traceparent.slice(3, 35));
});

test("the recorder keeps logs and measurements, and reads gauges on demand", (t) => {
  const telemetry = new TelemetryRecorder();
  telemetry.log.child({ agent: "a" }).warn("lost", { count: 1 });
  t.deepEqual(telemetry.lines, [{ level: "warn", message: "lost", fields: { agent: "a", count: 1 } }]);
  telemetry.instruments.taskUpdates.add(1, { state: "TASK_RUNNING" });
  t.deepEqual(telemetry.measurements, [
    { name: "mesarch.task.updates", value: 1, attributes: { state: "TASK_RUNNING" } },
  ]);
  let depth = 3;
  const stop = telemetry.instruments.mailboxDepth.observe((report) => report(depth));
  depth = 4;
  t.deepEqual(telemetry.readGauges(), [{ name: "mesarch.mailbox.depth", value: 4, attributes: {} }]);
  stop();
  t.deepEqual(telemetry.readGauges(), []);
});

test("a failover with missing phases and disagreeing clocks never runs backwards", (t) => {
  const telemetry = new TelemetryRecorder();
  recordFailover(telemetry, {
    id: "f1", cause: "expiry", epoch: "0-9", master: "m", startedAt: 1000,
    phases: { detected: 990, elected: 1050, loaded: 1040 },
  });
  const times = telemetry.spans.map(({ name, startTime, endTime }) => [name, startTime, endTime]);
  t.deepEqual(times, [
    ["mesarch.failover", 1000, 1050],
    ["mesarch.failover.detected", 1000, 1000],
    ["mesarch.failover.elected", 1000, 1050],
    ["mesarch.failover.loaded", 1050, 1050],
  ]);
});
