/** Spans over an OpenTelemetry tracer. Only loaded when spans are exported. */

import {
  ROOT_CONTEXT,
  SpanKind as OtelSpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
  type HrTime,
  type Link,
  type Span as OtelSpan,
  type SpanContext,
  type Tracer,
} from "@opentelemetry/api";

import { MesarchError, errorChain } from "../base/errors.ts";
import { spanKind, type SpanName } from "./spans.ts";
import type { Attributes, Span, SpanKind, SpanOptions } from "./telemetry.ts";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

/** The SDK's own limit; further ones are not even parsed. */
const MAX_LINKS = 128;

const kinds: { readonly [K in SpanKind]: OtelSpanKind } = {
  internal: OtelSpanKind.INTERNAL,
  server: OtelSpanKind.SERVER,
  client: OtelSpanKind.CLIENT,
  producer: OtelSpanKind.PRODUCER,
  consumer: OtelSpanKind.CONSUMER,
};

export function startSpan(tracer: Tracer, name: SpanName, options: SpanOptions): Span {
  const parent = spanContext(options.parent);
  const span = tracer.startSpan(
    name,
    {
      kind: kinds[spanKind(name)],
      ...(options.attributes && { attributes: options.attributes as OtelAttributes }),
      ...(options.links && { links: toLinks(options.links) }),
      ...(options.startTime !== undefined && { startTime: toHrTime(options.startTime) }),
    },
    // The context is built here, never taken from the surroundings.
    parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
  );
  return new ExportedSpan(span);
}

class ExportedSpan implements Span {
  readonly #span: OtelSpan;
  #traceparent: string | undefined;

  constructor(span: OtelSpan) {
    this.#span = span;
  }

  get traceparent(): string {
    if (this.#traceparent === undefined) {
      const { traceId, spanId, traceFlags } = this.#span.spanContext();
      this.#traceparent = formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 });
    }
    return this.#traceparent;
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes as OtelAttributes);
  }

  end(attributes?: Attributes, endTime?: number): void {
    if (attributes !== undefined) this.set(attributes);
    this.#span.end(endTime === undefined ? undefined : toHrTime(endTime));
  }

  fail(error: unknown, endTime?: number): void {
    if (this.#span.isRecording()) {
      this.set({ "error.type": errorType(error) });
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: errorChain(error).join(": ") });
    }
    this.end(undefined, endTime);
  }
}

type OtelAttributes = Parameters<OtelSpan["setAttributes"]>[0];

/** The value of `error.type`: our code if there is one, else the error's class. */
export function errorType(error: unknown): string {
  if (error instanceof MesarchError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}

function spanContext(traceparent: string | undefined): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (parsed === undefined) return undefined;
  const { traceId, spanId, sampled } = parsed;
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

function toLinks(traceparents: readonly (string | undefined)[]): Link[] {
  const links: Link[] = [];
  for (const traceparent of traceparents) {
    if (links.length === MAX_LINKS) break;
    const context = spanContext(traceparent);
    if (context !== undefined) links.push({ context });
  }
  return links;
}

/** Seconds and nanoseconds: a plain number is ambiguous to the SDK, which takes a small one as time since start. */
function toHrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000);
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)];
}
