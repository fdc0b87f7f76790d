import { buildInstruments, type Instruments } from "./instruments.ts";
import type { Logger } from "./logger.ts";
import { runInSpan, type Span, type SpanOptions, type Telemetry } from "./telemetry.ts";

/** A span that records nothing and passes its parent's trace on. */
class SilentSpan implements Span {
  readonly traceparent: string | undefined;
  constructor(traceparent: string | undefined) {
    this.traceparent = traceparent;
  }
  set(): void {}
  end(): void {}
  fail(): void {}
}

const rootless = new SilentSpan(undefined);

/** Shared by every caller without a parent, so that a span that is not recorded allocates nothing. */
export function silentSpan(options?: SpanOptions): Span {
  return options?.parent === undefined ? rootless : new SilentSpan(options.parent);
}

const nothing = (): void => {};
const silentInstrument = Object.freeze({ add: nothing, record: nothing, observe: () => nothing });

export const silentInstruments: Instruments = Object.freeze(buildInstruments(() => silentInstrument));

/** Telemetry of a process without exporters: it logs, and that is all. */
export function telemetryOff(log: Logger): Telemetry {
  return {
    enabled: false,
    log,
    instruments: silentInstruments,
    startSpan: (_name, options) => silentSpan(options),
    span: (_name, options, fn) => runInSpan(silentSpan(options), fn),
    withLog: telemetryOff,
    [Symbol.asyncDispose]: async () => {},
  };
}
