/** Telemetry kept in memory, for tests: spans, log lines and measurements as plain values, with predictable ids. */

import { buildInstruments, type Gauge, type Instruments } from "./instruments.ts";
import type { LogFields, LogLevel, Logger } from "./logger.ts";
import type { SpanName } from "./spans.ts";
import { runInSpan, type Attributes, type Span, type SpanOptions, type Telemetry } from "./telemetry.ts";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

export interface RecordedSpan {
  readonly name: SpanName;
  readonly traceparent: string;
  readonly parent: string | undefined;
  readonly links: readonly string[];
  readonly startTime: number | undefined;
  /** Everything set until it ended. */
  attributes: Attributes;
  /** Whether it ended, in either way; `endTime` is only what was given. */
  ended: boolean;
  endTime: number | undefined;
  /** What it failed with; undefined also when it failed with undefined. */
  error: unknown;
}

export interface RecordedLine {
  readonly level: Exclude<LogLevel, "silent">;
  readonly message: string;
  readonly fields: LogFields;
}

export interface Measurement {
  /** The metric's name, such as `mesarch.launches`. */
  readonly name: string;
  readonly value: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Records every level, whatever `level` says. */
export class LogRecorder implements Logger {
  level: LogLevel = "debug";
  readonly lines: RecordedLine[];
  readonly #fields: () => LogFields;

  constructor(lines: RecordedLine[] = [], fields: () => LogFields = () => ({})) {
    this.lines = lines;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#add("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#add("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#add("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#add("error", message, fields);
  }

  child(fields: LogFields | (() => LogFields)): LogRecorder {
    const more = typeof fields === "function" ? fields : () => fields;
    return new LogRecorder(this.lines, () => ({ ...this.#fields(), ...more() }));
  }

  #add(level: RecordedLine["level"], message: string, fields?: LogFields): void {
    this.lines.push({ level, message, fields: { ...this.#fields(), ...fields } });
  }
}

export class TelemetryRecorder implements Telemetry {
  readonly enabled = true;
  readonly log: Logger;
  readonly instruments: Instruments;
  /** In order of their start. */
  readonly spans: RecordedSpan[] = [];
  /** Log lines of this recorder's own log. */
  readonly lines: RecordedLine[] = [];
  /** Counts and histogram values, in order. */
  readonly measurements: Measurement[] = [];
  readonly #gauges = new Set<() => Measurement[]>();
  #ids = 0;

  constructor() {
    this.log = new LogRecorder(this.lines);
    this.instruments = buildInstruments(({ name }) => {
      const record = (value: number, attributes: Readonly<Record<string, string>> = {}): void => {
        this.measurements.push({ name, value, attributes });
      };
      return { add: record, record, observe: (read) => this.#observe(name, read) };
    });
  }

  /** What the gauges show at this moment. */
  readGauges(): Measurement[] {
    return [...this.#gauges].flatMap((read) => read());
  }

  startSpan(name: SpanName, options: SpanOptions = {}): Span {
    const parent = parseTraceparent(options.parent);
    const spanId = String(++this.#ids).padStart(16, "0");
    const traceId = parent?.traceId ?? String(this.#ids).padStart(32, "0");
    const traceparent = formatTraceparent({ traceId, spanId, sampled: parent?.sampled ?? true });
    const record: RecordedSpan = {
      name,
      traceparent,
      parent: parent && options.parent,
      links: (options.links ?? []).filter((link) => link !== undefined),
      startTime: options.startTime,
      attributes: { ...options.attributes },
      ended: false,
      endTime: undefined,
      error: undefined,
    };
    this.spans.push(record);
    return recordingSpan(record);
  }

  span<T>(name: SpanName, options: SpanOptions, fn: (span: Span) => Promise<T>): Promise<T> {
    return runInSpan(this.startSpan(name, options), fn);
  }

  withLog(log: Logger): Telemetry {
    return {
      enabled: this.enabled,
      log,
      instruments: this.instruments,
      startSpan: (name, options) => this.startSpan(name, options),
      span: (name, options, fn) => this.span(name, options, fn),
      withLog: (other) => this.withLog(other),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #observe(name: string, read: Parameters<Gauge<string>["observe"]>[0]): () => void {
    const collect = (): Measurement[] => {
      const found: Measurement[] = [];
      read((value, attributes = {}) => found.push({ name, value, attributes }));
      return found;
    };
    this.#gauges.add(collect);
    return () => void this.#gauges.delete(collect);
  }
}

function recordingSpan(record: RecordedSpan): Span {
  const set = (attributes: Attributes = {}): void => {
    if (!record.ended) record.attributes = { ...record.attributes, ...attributes };
  };
  const end = (endTime: number | undefined): void => {
    if (record.ended) return;
    record.ended = true;
    record.endTime = endTime;
  };
  return {
    traceparent: record.traceparent,
    set,
    end(attributes, endTime) {
      set(attributes);
      end(endTime);
    },
    fail(error, endTime) {
      if (!record.ended) record.error = error;
      end(endTime);
    },
  };
}
