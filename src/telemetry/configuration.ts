/**
 * Reads the standard OpenTelemetry variables. Nothing is exported unless a variable asks for it:
 *
 * | variable | effect |
 * |---|---|
 * | OTEL_SDK_DISABLED | `true`: nothing is exported, whatever else is set |
 * | OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER | `otlp`, `none`. Default: `otlp` if an endpoint is set, else `none` |
 * | OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_{TRACES,METRICS}_ENDPOINT | where to; setting one turns its signals on. Default http://localhost:4318, for grpc :4317 |
 * | OTEL_EXPORTER_OTLP_PROTOCOL, …_{TRACES,METRICS}_PROTOCOL | `http/protobuf` (default), `grpc` |
 * | OTEL_EXPORTER_OTLP_{HEADERS,TIMEOUT,COMPRESSION,CERTIFICATE,CLIENT_KEY,CLIENT_CERTIFICATE,INSECURE} | read by the exporter, also per signal |
 * | OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES | added to the resource, over our own attributes |
 * | OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG | the standard six; default parentbased_always_on. A ratio never drops a failover |
 * | OTEL_BSP_SCHEDULE_DELAY, …_EXPORT_TIMEOUT, …_MAX_QUEUE_SIZE, …_MAX_EXPORT_BATCH_SIZE | 5000 ms, 30000 ms, 2048 spans, 512 spans |
 * | OTEL_METRIC_EXPORT_INTERVAL, OTEL_METRIC_EXPORT_TIMEOUT | 60000 ms, 30000 ms |
 *
 * As the OpenTelemetry specification asks, a value that makes no sense is reported and ignored, never fatal.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

export type Protocol = "grpc" | "http/protobuf";

export type SamplerName = "always_on" | "always_off" | "traceidratio";

export interface SamplerConfiguration {
  readonly root: SamplerName;
  /** Whether a parent's decision is followed; `root` decides for spans without one. */
  readonly parentBased: boolean;
  /** Share of traces kept by `traceidratio`, 0 to 1. */
  readonly ratio: number;
}

export interface TelemetryConfiguration {
  /** How spans are exported. Undefined: they are not recorded. */
  readonly traces: Protocol | undefined;
  /** How metrics are exported. Undefined: nothing is measured. */
  readonly metrics: Protocol | undefined;
  readonly sampler: SamplerConfiguration;
  /** Queue of ended spans; milliseconds and counts. */
  readonly batch: {
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
    readonly maxQueueSize: number;
    readonly maxExportBatchSize: number;
  };
  /** Milliseconds between exports of metrics, and for one export. */
  readonly metricInterval: { readonly exportIntervalMillis: number; readonly exportTimeoutMillis: number };
  /** What was ignored and why, for the log. */
  readonly warnings: readonly string[];
}

type Signal = "TRACES" | "METRICS";

const protocols: readonly Protocol[] = ["http/protobuf", "grpc"];

/** An empty variable counts as unset, as the specification says. */
export function readConfiguration(env: Environment): TelemetryConfiguration {
  const warnings: string[] = [];
  const disabled = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true";
  const number = (name: string, fallback: number): number => positive(env, name, fallback, warnings);
  const maxQueueSize = number("OTEL_BSP_MAX_QUEUE_SIZE", 2048);
  const exportInterval = number("OTEL_METRIC_EXPORT_INTERVAL", 60_000);
  return {
    traces: disabled ? undefined : readProtocol(env, "TRACES", warnings),
    metrics: disabled ? undefined : readProtocol(env, "METRICS", warnings),
    sampler: readSampler(env, warnings),
    batch: {
      scheduledDelayMillis: number("OTEL_BSP_SCHEDULE_DELAY", 5000),
      exportTimeoutMillis: number("OTEL_BSP_EXPORT_TIMEOUT", 30_000),
      maxQueueSize,
      maxExportBatchSize: Math.min(number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512), maxQueueSize),
    },
    metricInterval: {
      exportIntervalMillis: exportInterval,
      // The SDK refuses a timeout longer than the interval.
      exportTimeoutMillis: Math.min(number("OTEL_METRIC_EXPORT_TIMEOUT", 30_000), exportInterval),
    },
    warnings,
  };
}

function readProtocol(env: Environment, signal: Signal, warnings: string[]): Protocol | undefined {
  const endpoint = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const exporter = env[`OTEL_${signal}_EXPORTER`]?.trim() || (endpoint ? "otlp" : "none");
  if (exporter === "none") return undefined;
  if (exporter !== "otlp") {
    warnings.push(`OTEL_${signal}_EXPORTER=${exporter} is not supported (otlp, none): nothing is exported`);
    return undefined;
  }
  const name = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`;
  const wanted = env[name]?.trim() || env.OTEL_EXPORTER_OTLP_PROTOCOL?.trim() || "http/protobuf";
  const protocol = protocols.find((known) => known === wanted);
  if (protocol === undefined) {
    // Not replaced by another protocol: the endpoint would not understand it.
    warnings.push(
      `${signal.toLowerCase()} are not exported: protocol ${wanted} is not supported for them; ` +
        `set ${name} to ${protocols.join(" or ")}, with an endpoint that speaks it`,
    );
  }
  return protocol;
}

function readSampler(env: Environment, warnings: string[]): SamplerConfiguration {
  const name = env.OTEL_TRACES_SAMPLER?.trim() || "parentbased_always_on";
  const parentBased = name.startsWith("parentbased_");
  const root = parentBased ? name.slice("parentbased_".length) : name;
  const ratio = readRatio(env, warnings);
  if (root === "always_on" || root === "always_off" || root === "traceidratio") return { root, parentBased, ratio };
  warnings.push(`OTEL_TRACES_SAMPLER=${name} is not a sampler: parentbased_always_on is used`);
  return { root: "always_on", parentBased: true, ratio };
}

function readRatio(env: Environment, warnings: string[]): number {
  const text = env.OTEL_TRACES_SAMPLER_ARG?.trim();
  if (!text) return 1;
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  warnings.push(`OTEL_TRACES_SAMPLER_ARG=${text} is not between 0 and 1: 1 is used`);
  return 1;
}

function positive(env: Environment, name: string, fallback: number, warnings: string[]): number {
  const text = env[name]?.trim();
  if (!text) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  warnings.push(`${name}=${text} is not a positive whole number: ${fallback} is used`);
  return fallback;
}
