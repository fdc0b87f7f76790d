import { readConfiguration, type Protocol, type TelemetryConfiguration } from "./configuration.ts";
import type { Logger } from "./logger.ts";
import { telemetryOff } from "./off.ts";
import type { Telemetry } from "./telemetry.ts";

export interface TelemetryOptions {
  /** Default of `service.name`, one per role: "mesarch-master". */
  readonly service: string;
  /** `service.version`. */
  readonly version: string;
  /** This process among its equals: `mesarch.name`. */
  readonly name: string;
  /** `service.namespace`. */
  readonly cluster?: string;
  readonly log: Logger;
}

/**
 * The telemetry the process's OTEL_* variables ask for (see configuration.ts). Without any, OpenTelemetry is not even
 * loaded. Once per process: the exporters read the process's own environment, and report their errors globally.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const configuration = readConfiguration(process.env);
  for (const warning of configuration.warnings) options.log.warn(warning);
  if (configuration.traces === undefined && configuration.metrics === undefined) return telemetryOff(options.log);
  const { startSdk } = await import("./sdk.ts");
  const telemetry = await startSdk(options, configuration);
  options.log.info(`telemetry: ${summary(configuration)}`);
  return telemetry;
}

function summary({ traces, metrics }: TelemetryConfiguration): string {
  return `traces ${target("TRACES", traces)}, metrics ${target("METRICS", metrics)}`;
}

function target(signal: "TRACES" | "METRICS", protocol: Protocol | undefined): string {
  if (protocol === undefined) return "off";
  const { env } = process;
  const endpoint = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env.OTEL_EXPORTER_OTLP_ENDPOINT || "localhost";
  const withoutCredentials = endpoint.replace(/\/\/[^/@]*@/, "//");
  return `to ${withoutCredentials} over ${protocol}`;
}
