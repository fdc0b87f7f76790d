/**
 * Logs: one JSON object per line, on standard error by default, with `service`, `role`, `name` and, once there is
 * one, the `epoch`. Never on standard output, which belongs to a command's data.
 */

import { pino, type DestinationStream } from "pino";

import { MesarchError, errorChain } from "../base/errors.ts";
import { LogFile } from "./log-file.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/**
 * Two fields are treated: `error` (anything thrown) becomes its code, remedy, chain of causes and stack; `traceparent`
 * becomes `trace_id` and `span_id`. Every other field is printed as it is.
 */
export interface LogFields {
  readonly error?: unknown;
  readonly traceparent?: string | undefined;
  readonly [name: string]: unknown;
}

export interface Logger {
  /** May be set at any time; shared with every child and parent. */
  level: LogLevel;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry `fields` as well. A function is asked for them at each line that is printed. */
  child(fields: LogFields | (() => LogFields)): Logger;
}

export interface LoggerOptions {
  /** "mesarch-master" and the like: the telemetry service name. */
  readonly service: string;
  readonly role: string;
  /** This process among its equals. */
  readonly name: string;
  /** Default "info". */
  readonly level?: LogLevel;
  /** Path to append to. Default: standard error. */
  readonly file?: string;
  /** Where lines go instead, one call per line. For tests. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LoggerOptions): Logger {
  const destination =
    options.destination ??
    new LogFile({
      target: options.file ?? 2,
      onDropped: (lines) => base.warn({ lines }, "log lines were dropped: they could not be written"),
    });
  const base: pino.Logger = pino(
    {
      level: "debug",
      base: { service: options.service, role: options.role, name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    destination,
  );
  return new PinoLogger(base, { level: options.level ?? "info" });
}

const ranks: { readonly [L in LogLevel]: number } = { debug: 1, info: 2, warn: 3, error: 4, silent: 5 };

class PinoLogger implements Logger {
  readonly #pino: pino.Logger;
  /** One per family of loggers; pino's own children would keep the level of their birth. */
  readonly #shared: { level: LogLevel };
  /** Fields of the moment. */
  readonly #present: (() => LogFields) | undefined;

  constructor(base: pino.Logger, shared: { level: LogLevel }, present?: () => LogFields) {
    this.#pino = base;
    this.#shared = shared;
    this.#present = present;
  }

  get level(): LogLevel {
    return this.#shared.level;
  }

  set level(level: LogLevel) {
    this.#shared.level = level;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  child(fields: LogFields | (() => LogFields)): Logger {
    const present = this.#present;
    if (typeof fields !== "function") return new PinoLogger(this.#pino.child(withTraceIds(fields)), this.#shared, present);
    return new PinoLogger(this.#pino, this.#shared, present === undefined ? fields : () => ({ ...present(), ...fields() }));
  }

  #write(level: Exclude<LogLevel, "silent">, message: string, fields?: LogFields): void {
    if (ranks[level] < ranks[this.#shared.level]) return;
    const all = this.#present === undefined ? fields : { ...this.#present(), ...fields };
    if (all === undefined) this.#pino[level](message);
    else this.#pino[level](withTraceIds(all), message);
  }
}

function withTraceIds(fields: LogFields): LogFields {
  if (fields.traceparent === undefined) return fields;
  const { traceparent, ...rest } = fields;
  const [, traceId, spanId] = traceparent.split("-");
  return { ...rest, trace_id: traceId, span_id: spanId };
}

interface PrintedError {
  readonly code?: string;
  readonly chain: readonly string[];
  readonly remedy?: string;
  readonly stack?: string;
}

/** How an error is printed. An expected failure needs no stack; anything else does. */
export function describeError(error: unknown): PrintedError {
  const expected = error instanceof MesarchError && error.code !== "internal";
  return {
    ...(error instanceof MesarchError && { code: error.code }),
    chain: errorChain(error),
    ...(error instanceof MesarchError && error.remedy !== undefined && { remedy: error.remedy }),
    ...(!expected && error instanceof Error && error.stack !== undefined && { stack: error.stack }),
  };
}
