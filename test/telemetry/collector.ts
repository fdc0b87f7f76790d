/** A collector for tests: receives OTLP over HTTP and gRPC on free ports and shows what arrived as plain values. */

import { createRequire } from "node:module";

interface MockServer {
  start(): Promise<void>;
  close(): Promise<void>;
  readonly httpUrl: URL;
  readonly grpcUrl: URL;
}

// The package ships no types.
const { MockOtlpServer, normalizeTrace, normalizeMetrics } = createRequire(import.meta.url)(
  "@elastic/mockotlpserver",
) as {
  MockOtlpServer: new (options: object) => MockServer;
  normalizeTrace: (raw: unknown) => { resourceSpans: ResourceSpans[] };
  normalizeMetrics: (raw: unknown) => { resourceMetrics: ResourceMetrics[] };
};

interface ResourceSpans {
  readonly resource: { readonly attributes: Record<string, unknown> };
  readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
}

interface ResourceMetrics {
  readonly resource: { readonly attributes: Record<string, unknown> };
  readonly scopeMetrics: readonly {
    readonly scope: { readonly name: string };
    readonly metrics: readonly ReceivedMetric[];
  }[];
}

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Record<string, unknown>;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: string; readonly message?: string };
}

export interface ReceivedMetric {
  /** Who sent it: `mesarch.name` of its resource. */
  readonly process: string;
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly dataPoints: readonly DataPoint[] };
  readonly gauge?: { readonly dataPoints: readonly DataPoint[] };
  readonly histogram?: { readonly dataPoints: readonly DataPoint[] };
}

interface DataPoint {
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly attributes?: Record<string, unknown>;
}

export class Collector implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly metrics: ReceivedMetric[] = [];
  /** Attributes of the last resource that sent spans. */
  resource: Record<string, unknown> = {};
  readonly #server: MockServer;

  constructor() {
    this.#server = new MockOtlpServer({
      logLevel: "fatal",
      services: ["http", "grpc"],
      httpHostname: "127.0.0.1",
      grpcHostname: "127.0.0.1",
      httpPort: 0,
      grpcPort: 0,
      onTrace: (raw: unknown) => {
        for (const { resource, scopeSpans } of normalizeTrace(raw).resourceSpans) {
          this.resource = resource.attributes;
          for (const { spans } of scopeSpans) this.spans.push(...spans);
        }
      },
      onMetrics: (raw: unknown) => {
        for (const { resource, scopeMetrics } of normalizeMetrics(raw).resourceMetrics) {
          const process = String(resource.attributes["mesarch.name"]);
          for (const { metrics } of scopeMetrics) this.metrics.push(...metrics.map((metric) => ({ ...metric, process })));
        }
      },
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await collector.#server.start();
    return collector;
  }

  url(protocol: string): string {
    return (protocol === "grpc" ? this.#server.grpcUrl : this.#server.httpUrl).href;
  }

  span(name: string): ReceivedSpan {
    const found = this.spans.find((span) => span.name === name);
    if (found === undefined) throw new Error(`no span ${name} among ${this.spans.map((span) => span.name).join(", ")}`);
    return found;
  }

  metric(name: string): ReceivedMetric {
    const found = this.metrics.find((metric) => metric.name === name);
    if (found === undefined) throw new Error(`no metric ${name}`);
    return found;
  }

  /** What a process said last of a metric, for these attributes: a value, or how many were measured. */
  latest(process: string, name: string, attributes: Readonly<Record<string, string>> = {}): number | undefined {
    const metric = this.metrics.findLast((each) => each.process === process && each.name === name);
    const points = metric?.gauge?.dataPoints ?? metric?.sum?.dataPoints ?? metric?.histogram?.dataPoints ?? [];
    const point = points.find((each) => Object.entries(attributes).every(([key, value]) => each.attributes?.[key] === value));
    return point?.asDouble ?? (point?.count === undefined ? undefined : Number(point.count));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}
