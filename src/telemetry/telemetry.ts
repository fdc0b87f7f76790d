/**
 * What the rest of the program sees of logging, tracing and metrics: an object handed to constructors.
 *
 * Nothing here, and nothing that only imports this file, loads OpenTelemetry. Trace context is passed explicitly as a
 * W3C traceparent string, which everyone but this folder treats as opaque; it can be stored, sent and handed back by a
 * process that traces nothing itself.
 */

import type { Instruments } from "./instruments.ts";
import type { Logger } from "./logger.ts";
import type { AttributeName, SpanName } from "./spans.ts";

export type AttributeValue = string | number | boolean | readonly string[];

export type Attributes = { readonly [K in AttributeName]?: AttributeValue | undefined };

export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";

export interface SpanOptions {
  /** Traceparent this span continues. Absent or malformed: a new trace. */
  readonly parent?: string | undefined;
  /** Traceparents of related work; absent and malformed ones are skipped. At most 128 are kept, the first. */
  readonly links?: readonly (string | undefined)[];
  /** Milliseconds since the Unix epoch, may lie in the past. Default: now. */
  readonly startTime?: number;
  readonly attributes?: Attributes;
}

/** A span under way. It is exported when it ends; one that never ends is never seen. */
export interface Span {
  /** To hand to children, peers and records. Without tracing, the parent's, unchanged. */
  readonly traceparent: string | undefined;
  set(attributes: Attributes): void;
  /** Ends well. `endTime` in milliseconds since the Unix epoch, default now. Only the first end counts. */
  end(attributes?: Attributes, endTime?: number): void;
  /** Ends in failure, with the error's chain. `endTime` as in `end`. */
  fail(error: unknown, endTime?: number): void;
}

export interface Telemetry extends AsyncDisposable {
  /** Whether spans are recorded. For skipping what is only computed for a span. */
  readonly enabled: boolean;
  readonly log: Logger;
  readonly instruments: Instruments;

  /** Starts a span that its caller ends. With `startTime` and `endTime`, records one that is over. */
  startSpan(name: SpanName, options?: SpanOptions): Span;

  /** Runs `fn` in a span that ends with it: well, or in failure with what it throws. */
  span<T>(name: SpanName, options: SpanOptions, fn: (span: Span) => Promise<T>): Promise<T>;

  /** The same telemetry, logging to `log`: usually a child of this one's. */
  withLog(log: Logger): Telemetry;

  /**
   * Sends what is queued and stops. Takes 2 seconds at most, whatever the collector does; never rejects. An export that
   * hangs may keep the event loop alive for its own timeout: a process ends by exiting after this, not by waiting.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The body of `Telemetry.span`, the same for every implementation. */
export async function runInSpan<T>(span: Span, fn: (span: Span) => Promise<T>): Promise<T> {
  try {
    const result = await fn(span);
    span.end();
    return result;
  } catch (error) {
    span.fail(error);
    throw error;
  }
}
