import test from "ava";

import { readConfiguration, type Environment, type TelemetryConfiguration } from "../../src/telemetry/configuration.ts";
import { acceptTraceparent, parseTraceparent } from "../../src/telemetry/traceparent.ts";

type Expected = Partial<Pick<TelemetryConfiguration, "traces" | "metrics">>;

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" };

const exports: [title: string, env: Environment, expected: Expected, warnings?: RegExp[]][] = [
  ["off by default", {}, { traces: undefined, metrics: undefined }],
  ["an endpoint turns both on", endpoint, { traces: "http/protobuf", metrics: "http/protobuf" }],
  ["an empty endpoint is unset", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, { traces: undefined, metrics: undefined }],
  [
    "an endpoint of one signal turns on that one",
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/v1/traces" },
    { traces: "http/protobuf", metrics: undefined },
  ],
  ["an exporter alone uses the default endpoint", { OTEL_TRACES_EXPORTER: "otlp" }, { traces: "http/protobuf" }],
  ["none wins over an endpoint", { ...endpoint, OTEL_METRICS_EXPORTER: "none" }, { metrics: undefined }],
  ["disabled wins over all", { ...endpoint, OTEL_SDK_DISABLED: "TRUE" }, { traces: undefined, metrics: undefined }],
  [
    "a signal's protocol wins",
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc" },
    { traces: "grpc", metrics: "http/protobuf" },
  ],
  [
    "an exporter we lack exports nothing",
    { ...endpoint, OTEL_TRACES_EXPORTER: "zipkin" },
    { traces: undefined, metrics: "http/protobuf" },
    [/OTEL_TRACES_EXPORTER=zipkin/],
  ],
  [
    "both signals can be sent over gRPC",
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    { traces: "grpc", metrics: "grpc" },
    [],
  ],
  [
    "a protocol we lack is not replaced by another",
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    { traces: undefined, metrics: undefined },
    [/traces are not exported.*http\/json/, /metrics are not exported.*http\/json/],
  ],
];

for (const [title, env, expected, warnings = []] of exports) {
  test(title, (t) => {
    const configuration = readConfiguration(env);
    t.like(configuration, expected);
    t.is(configuration.warnings.length, warnings.length);
    for (const [i, pattern] of warnings.entries()) t.regex(configuration.warnings[i]!, pattern);
  });
}

const samplers: [env: Environment, root: string, parentBased: boolean, ratio: number, warnings: number][] = [
  [{}, "always_on", true, 1, 0],
  [{ OTEL_TRACES_SAMPLER: "always_on" }, "always_on", false, 1, 0],
  [{ OTEL_TRACES_SAMPLER: "always_off" }, "always_off", false, 1, 0],
  [{ OTEL_TRACES_SAMPLER: "parentbased_always_off" }, "always_off", true, 1, 0],
  [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" }, "traceidratio", false, 0.25, 0],
  [{ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" }, "traceidratio", true, 1, 1],
  [{ OTEL_TRACES_SAMPLER: "jaeger_remote" }, "always_on", true, 1, 1],
];

for (const [env, root, parentBased, ratio, warnings] of samplers) {
  test(`sampler of ${JSON.stringify(env)}`, (t) => {
    const configuration = readConfiguration(env);
    t.deepEqual(configuration.sampler, { root: root as never, parentBased, ratio });
    t.is(configuration.warnings.length, warnings);
  });
}

test("queues keep the standard bounds unless told otherwise, and consistent ones", (t) => {
  t.deepEqual(readConfiguration({}).batch, {
    scheduledDelayMillis: 5000, exportTimeoutMillis: 30_000, maxQueueSize: 2048, maxExportBatchSize: 512,
  });
  t.like(readConfiguration({ OTEL_BSP_MAX_QUEUE_SIZE: "100" }).batch, { maxQueueSize: 100, maxExportBatchSize: 100 });
  t.deepEqual(readConfiguration({ OTEL_METRIC_EXPORT_INTERVAL: "1000" }).metricInterval, {
    exportIntervalMillis: 1000, exportTimeoutMillis: 1000,
  });
  const wrong = readConfiguration({ OTEL_BSP_SCHEDULE_DELAY: "-1" });
  t.is(wrong.batch.scheduledDelayMillis, 5000);
  t.is(wrong.warnings.length, 1);
});

test("only a well-formed traceparent is accepted", (t) => {
  const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  t.deepEqual(parseTraceparent(good), {
    traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", sampled: true,
  });
  t.is(acceptTraceparent(good), good);
  t.false(parseTraceparent(good.replace(/01$/, "00"))!.sampled);
  for (const bad of [undefined, "", `${good}-x`, good.toUpperCase(), good.replace(/[1-9a-f]/g, "0"), `${good}\n`]) {
    t.is(acceptTraceparent(bad), undefined);
  }
});
