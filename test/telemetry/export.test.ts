import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import test from "ava";

import { recordFailover } from "../../src/telemetry/failover.ts";
import { LogRecorder } from "../../src/telemetry/recorder.ts";
import { startTelemetry } from "../../src/telemetry/start.ts";
import type { Telemetry } from "../../src/telemetry/telemetry.ts";
import { parseTraceparent } from "../../src/telemetry/traceparent.ts";
import { Collector } from "./collector.ts";

/** Serial tests, since the exporters read the process's own environment. */
async function start(variables: Record<string, string>): Promise<{ telemetry: Telemetry; log: LogRecorder }> {
  for (const name of Object.keys(process.env)) if (name.startsWith("OTEL_")) delete process.env[name];
  Object.assign(process.env, variables);
  const log = new LogRecorder();
  const options = { service: "mesarch-master", version: "1.2.3", name: "m1", cluster: "test", log };
  return { telemetry: await startTelemetry(options), log };
}

const foreign = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

for (const protocol of ["http/protobuf", "grpc"]) {
  test.serial(`spans arrive over ${protocol} with parents, links, times and outcome`, async (t) => {
    await using collector = await Collector.start();
    const { telemetry, log } = await start({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url(protocol) + (protocol === "grpc" ? "" : "v1/traces"),
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
      // The receiver used here reads compressed requests over gRPC only.
      OTEL_EXPORTER_OTLP_COMPRESSION: protocol === "grpc" ? "gzip" : "none",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=ci,service.version=9",
    });
    t.true(telemetry.enabled);
    t.regex(log.lines[0]!.message, /^telemetry: traces to http:.* over .*, metrics off$/);

    const failed = telemetry.span("mesarch.call ACCEPT", { parent: foreign }, async (call) => {
      const commit = telemetry.startSpan("mesarch.commit", {
        parent: call.traceparent,
        links: [foreign, undefined, "junk"],
        attributes: { "mesarch.launch.id": "l" },
      });
      commit.end({ "mesarch.registry.revision": 7 });
      throw new Error("offer is gone", { cause: new Error("agent left") });
    });
    await t.throwsAsync(failed, { message: "offer is gone" });
    telemetry.startSpan("mesarch.handover", { startTime: 1_000.5, parent: "nonsense" }).end(undefined, 2_000.25);
    await telemetry[Symbol.asyncDispose]();

    const call = collector.span("mesarch.call ACCEPT");
    t.like(call, { traceId: foreign.slice(3, 35), parentSpanId: foreign.slice(36, 52), kind: "SPAN_KIND_SERVER" });
    t.like(call.status, { code: "STATUS_CODE_ERROR", message: "offer is gone: agent left" });
    t.is(call.attributes["error.type"], "Error");

    const commit = collector.span("mesarch.commit");
    t.like(commit, { traceId: call.traceId, parentSpanId: call.spanId, kind: "SPAN_KIND_CLIENT" });
    t.is(commit.links!.length, 1);
    t.like(commit.links![0], { traceId: foreign.slice(3, 35), spanId: foreign.slice(36, 52) });
    t.is(commit.attributes["mesarch.launch.id"], "l");
    t.is(Number(commit.attributes["mesarch.registry.revision"]), 7);

    const handover = collector.span("mesarch.handover");
    t.falsy(handover.parentSpanId);
    t.deepEqual([handover.startTimeUnixNano, handover.endTimeUnixNano], ["1000500000", "2000250000"]);

    t.like(collector.resource, {
      "service.name": "mesarch-master",
      "service.namespace": "test",
      "service.version": "9",
      "mesarch.name": "m1",
      "deployment.environment.name": "ci",
      "telemetry.sdk.language": "nodejs",
    });
  });
}

test.serial("a failover arrives as one trace rebuilt from kept times", async (t) => {
  await using collector = await Collector.start();
  const { telemetry } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url("http/protobuf") });
  const root = recordFailover(telemetry, {
    id: "f1", cause: "crash", epoch: "0-42", master: "m2", startedAt: 10_000,
    phases: { detected: 10_005, deposed: 10_010, elected: 10_020, loaded: 10_030, agents_confirmed: 10_090, first_launch: 10_060 },
    carried: [foreign, undefined], tasksCarried: 2,
  });
  await telemetry[Symbol.asyncDispose]();

  const times = (name: string): number[] => {
    const span = collector.span(name);
    return [Number(span.startTimeUnixNano) / 1e6, Number(span.endTimeUnixNano) / 1e6];
  };
  t.deepEqual(times("mesarch.failover"), [10_000, 10_090]);
  t.deepEqual(times("mesarch.failover.detected"), [10_000, 10_005]);
  t.deepEqual(times("mesarch.failover.loaded"), [10_020, 10_030]);
  t.deepEqual(times("mesarch.failover.agents_confirmed"), [10_030, 10_090]);
  t.deepEqual(times("mesarch.failover.first_launch"), [10_030, 10_060]);
  t.is(parseTraceparent(root)?.spanId, collector.span("mesarch.failover").spanId);
  t.is(collector.span("mesarch.failover.elected").parentSpanId, collector.span("mesarch.failover").spanId);
  t.is(collector.span("mesarch.failover").links?.length, 1);
  t.is(collector.metric("mesarch.failover.duration").histogram!.dataPoints.length, 6);
  t.like(collector.metric("mesarch.failover.total").sum!.dataPoints[0], { asDouble: 1, attributes: { cause: "crash" } });
});

test.serial("metrics arrive with unit, attributes and buckets; an ended observation does not", async (t) => {
  await using collector = await Collector.start();
  const { telemetry } = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url("http/protobuf"),
    OTEL_TRACES_EXPORTER: "none",
  });
  t.false(telemetry.enabled);
  t.is(telemetry.startSpan("mesarch.accept", { parent: foreign }).traceparent, foreign);
  const { instruments } = telemetry;
  instruments.launches.add(2);
  instruments.launches.add(3);
  instruments.commitDuration.record(0.005, { outcome: "committed" });
  instruments.agents.observe((report) => {
    report(3, { state: "registered" });
    report(1, { state: "unreachable" });
  });
  instruments.leaderStatus.observe((report) => report(1))();
  await telemetry[Symbol.asyncDispose]();

  t.is(collector.metric("mesarch.launches").sum!.dataPoints[0]!.asDouble, 5);
  const commit = collector.metric("mesarch.registry.commit.duration");
  t.is(commit.unit, "s");
  t.like(commit.histogram!.dataPoints[0], { count: "1", sum: 0.005, attributes: { outcome: "committed" } });
  t.deepEqual(collector.metric("mesarch.agents").gauge!.dataPoints.map((point) => [point.asDouble, point.attributes]), [
    [3, { state: "registered" }],
    [1, { state: "unreachable" }],
  ]);
  t.throws(() => collector.metric("mesarch.leader.status"));
  t.deepEqual(collector.spans, []);
});

test.serial("a ratio drops ordinary traces, never failovers, and follows a sampled parent", async (t) => {
  await using collector = await Collector.start();
  const { telemetry } = await start({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url("http/protobuf")}v1/traces`,
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0",
  });
  const dropped = telemetry.startSpan("mesarch.accept");
  t.false(parseTraceparent(dropped.traceparent)!.sampled);
  telemetry.startSpan("mesarch.commit", { parent: dropped.traceparent }).end();
  dropped.fail(new Error("x"));
  telemetry.startSpan("mesarch.status", { parent: foreign }).end();
  telemetry.startSpan("mesarch.failover").end();
  await telemetry[Symbol.asyncDispose]();
  t.deepEqual(collector.spans.map((span) => span.name), ["mesarch.status", "mesarch.failover"]);
});

test.serial("always_off is obeyed even for failovers", async (t) => {
  await using collector = await Collector.start();
  const { telemetry } = await start({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url("http/protobuf")}v1/traces`,
    OTEL_TRACES_SAMPLER: "always_off",
  });
  telemetry.startSpan("mesarch.failover", { parent: foreign }).end();
  await telemetry[Symbol.asyncDispose]();
  t.deepEqual(collector.spans, []);
});

test.serial("shutdown does not wait for a collector that is away", async (t) => {
  const { telemetry, log } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  for (let i = 0; i < 5000; i++) telemetry.startSpan("mesarch.accept").end();
  const begun = performance.now();
  await telemetry[Symbol.asyncDispose]();
  t.true(performance.now() - begun < 2500);
  t.true(log.lines.some(({ level, fields }) => level === "warn" && fields.error !== undefined));
});

for (const protocol of ["http/protobuf", "grpc"]) {
  test.serial(`shutdown does not wait for a collector that hangs (${protocol})`, async (t) => {
    const silent = createServer((socket) => void socket.on("error", () => {}));
    const sockets = new Set<{ destroy(): void }>();
    silent.on("connection", (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const { telemetry, log } = await start({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
    });
    telemetry.startSpan("mesarch.accept").end();
    const begun = performance.now();
    await telemetry[Symbol.asyncDispose]();
    await telemetry[Symbol.asyncDispose]();
    t.true(performance.now() - begun < 2500);
    t.is(log.lines.at(-1)?.message, "telemetry was not flushed");
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
}
