/** Wires the OpenTelemetry SDK. Imported by start.ts only when something is exported, exporters only when used. */

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

import { DiagLogLevel, diag, type MeterProvider as MeterProviderApi } from "@opentelemetry/api";
import { setGlobalErrorHandler } from "@opentelemetry/core";
import { defaultResource, detectResources, envDetector, resourceFromAttributes, type Resource } from "@opentelemetry/resources";

import { delay } from "../async/abort.ts";
import { MesarchError } from "../base/errors.ts";
import type { TelemetryConfiguration } from "./configuration.ts";
import type { Instruments } from "./instruments.ts";
import type { Logger } from "./logger.ts";
import { silentInstruments, silentSpan } from "./off.ts";
import type { TelemetryOptions } from "./start.ts";
import type { SpanName } from "./spans.ts";
import { runInSpan, type Span, type SpanOptions, type Telemetry } from "./telemetry.ts";

/** The longest a shutdown waits for the collector, in milliseconds. */
const SHUTDOWN_MS = 2000;

/** At most one complaint about a failing export in this many milliseconds. */
const COMPLAINT_INTERVAL_MS = 60_000;

/** What a signal contributes, and how to end it. */
interface Pipeline<T> {
  readonly value: T;
  shutdown(): Promise<void>;
}

export async function startSdk(options: TelemetryOptions, configuration: TelemetryConfiguration): Promise<Telemetry> {
  reportExportErrors(options.log);
  const resource = createResource(options);
  const metrics = await startMetrics(resource, options, configuration);
  const tracing = await startTracing(resource, options, configuration, metrics?.value.provider);
  const startSpan = tracing?.value ?? ((_name: SpanName, spanOptions?: SpanOptions) => silentSpan(spanOptions));
  const shutdown = async (): Promise<void> => {
    await Promise.all([tracing?.shutdown(), metrics?.shutdown()]);
  };
  return createTelemetry(options.log, {
    enabled: tracing !== undefined,
    instruments: metrics?.value.instruments ?? silentInstruments,
    startSpan,
    stop: once(() => withinShutdownTime(shutdown(), options.log)),
  });
}

interface Parts {
  readonly enabled: boolean;
  readonly instruments: Instruments;
  readonly startSpan: (name: SpanName, options?: SpanOptions) => Span;
  readonly stop: () => Promise<void>;
}

function createTelemetry(log: Logger, parts: Parts): Telemetry {
  const { enabled, instruments, startSpan, stop } = parts;
  return {
    enabled,
    log,
    instruments,
    startSpan,
    span: (name, options, fn) => runInSpan(startSpan(name, options), fn),
    withLog: (other) => createTelemetry(other, parts),
    [Symbol.asyncDispose]: stop,
  };
}

async function startTracing(
  resource: Resource,
  options: TelemetryOptions,
  { traces, sampler, batch }: TelemetryConfiguration,
  selfObsMeterProvider: MeterProviderApi | undefined,
): Promise<Pipeline<(name: SpanName, options?: SpanOptions) => Span> | undefined> {
  if (traces === undefined) return undefined;
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { createSampler }, { startSpan }] =
    await Promise.all([
      import("@opentelemetry/sdk-trace"),
      traces === "grpc"
        ? import("@opentelemetry/exporter-trace-otlp-grpc")
        : import("@opentelemetry/exporter-trace-otlp-proto"),
      import("./sampler.ts"),
      import("./tracing.ts"),
    ]);
  const observed = selfObsMeterProvider && { selfObsMeterProvider };
  const exporter = new OTLPTraceExporter({ ...observed });
  const provider = new TracerProvider({
    resource,
    sampler: createSampler(sampler),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...batch, ...observed })],
  });
  const tracer = provider.getTracer("mesarch", options.version);
  return {
    value: (name, spanOptions = {}) => startSpan(tracer, name, spanOptions),
    shutdown: () => provider.shutdown(),
  };
}

async function startMetrics(
  resource: Resource,
  options: TelemetryOptions,
  { metrics, metricInterval }: TelemetryConfiguration,
): Promise<Pipeline<{ provider: MeterProviderApi; instruments: Instruments }> | undefined> {
  if (metrics === undefined) return undefined;
  const [{ MeterProvider, PeriodicExportingMetricReader }, { OTLPMetricExporter }, { createInstruments }] =
    await Promise.all([
      import("@opentelemetry/sdk-metrics"),
      metrics === "grpc"
        ? import("@opentelemetry/exporter-metrics-otlp-grpc")
        : import("@opentelemetry/exporter-metrics-otlp-proto"),
      import("./metering.ts"),
    ]);
  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), ...metricInterval });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const instruments = createInstruments(provider.getMeter("mesarch", options.version));
  return { value: { provider, instruments }, shutdown: () => provider.shutdown() };
}

/** Our attributes; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win over them. */
function createResource({ service, version, name, cluster }: TelemetryOptions): Resource {
  const own = resourceFromAttributes({
    "service.name": service,
    "service.version": version,
    "service.instance.id": randomUUID(),
    ...(cluster !== undefined && { "service.namespace": cluster }),
    "mesarch.name": name,
    "host.name": hostname(),
    "process.pid": process.pid,
  });
  return defaultResource().merge(own).merge(detectResources({ detectors: [envDetector] }));
}

/** Losing telemetry must be seen, and must not flood the log when a collector is away. */
function reportExportErrors(log: Logger): void {
  let quietUntil = 0;
  let suppressed = 0;
  const complain = (error: unknown): void => {
    suppressed++;
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + COMPLAINT_INTERVAL_MS;
    log.warn("telemetry could not be exported", { error, count: suppressed });
    suppressed = 0;
  };
  setGlobalErrorHandler(complain);
  const ignore = (): void => {};
  diag.setLogger(
    { error: complain, warn: complain, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

async function withinShutdownTime(ending: Promise<void>, log: Logger): Promise<void> {
  const stopWaiting = new AbortController();
  const limit = delay(SHUTDOWN_MS, stopWaiting.signal).then(() => {
    throw new MesarchError("timed_out", `the collector did not take the rest within ${SHUTDOWN_MS} ms`);
  });
  try {
    await Promise.race([ending, limit]);
  } catch (error) {
    log.warn("telemetry was not flushed", { error });
  } finally {
    ending.catch(() => {});
    limit.catch(() => {});
    stopWaiting.abort();
  }
}

function once(fn: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= fn());
}
