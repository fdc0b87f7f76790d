/** Instruments over an OpenTelemetry meter. Only loaded when metrics are exported. */

import { monitorEventLoopDelay } from "node:perf_hooks";

import type { Attributes, Meter, ObservableResult } from "@opentelemetry/api";

import { buildInstruments, type Declaration, type Gauge, type Instruments } from "./instruments.ts";

export function createInstruments(meter: Meter): Instruments {
  const instruments = buildInstruments((declaration) => {
    const { name, unit, description } = declaration;
    switch (declaration.kind) {
      case "counter":
        return meter.createCounter(name, { unit, description });
      case "histogram":
        return meter.createHistogram(name, {
          unit,
          description,
          advice: { explicitBucketBoundaries: [...(declaration.boundaries ?? [])] },
        });
      case "gauge":
        return createGauge(meter, declaration);
    }
  });
  observeEventLoop(instruments);
  return instruments;
}

function createGauge(meter: Meter, { name, unit, description }: Declaration): Gauge<string> {
  const gauge = meter.createObservableGauge(name, { unit, description });
  return {
    observe(read) {
      const callback = (result: ObservableResult): void => {
        read((value: number, attributes?: Attributes) => result.observe(value, attributes));
      };
      gauge.addCallback(callback);
      return () => gauge.removeCallback(callback);
    },
  };
}

/** Milliseconds between samples of the event loop's delay: also the smallest delay that can be seen. */
const EVENT_LOOP_RESOLUTION_MS = 10;

function observeEventLoop(instruments: Instruments): void {
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  delay.enable();
  instruments.eventLoopDelay.observe((report) => {
    if (delay.count === 0) return;
    // Node measures the whole interval between samples; what exceeds the resolution is the delay.
    const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - EVENT_LOOP_RESOLUTION_MS / 1000);
    report(seconds(delay.percentile(50)), { quantile: "0.5" });
    report(seconds(delay.percentile(99)), { quantile: "0.99" });
    report(seconds(delay.max), { quantile: "1" });
    delay.reset();
  });
}
