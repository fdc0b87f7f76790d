/** What telemetry costs a leader that launches all it can: off, and with every trace and metric sent to a collector. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../src/dev/free-ports.ts";
import type { Benchmark } from "./benchmark.ts";
import { Child } from "./child.ts";
import { LAUNCH_ONLY, measureRate, rateConditions, type Rate } from "./launch-rate.ts";
import type { Received } from "./sink-process.ts";

/** In this order, so that a machine that grows slower does not count for one side. */
const ORDER = ["off", "on", "on", "off"] as const;

export const telemetry: Benchmark = async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-bench-sink-"));
  try {
    const [port] = await freePorts(1);
    await using sink = await Child.start<Received>({
      module: join(context.build, "scripts/bench/sink-process.js"),
      args: [String(port)],
      logFile: join(directory, "sink.log"),
    });
    let received: Received = { requests: 0, bytes: 0 };
    sink.onMessage((message) => (received = message));
    const rates = { off: [] as Rate[], on: [] as Rate[] };
    for (const side of ORDER) {
      const env: Record<string, string> = side === "on" ? { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_METRIC_EXPORT_INTERVAL: "5000" } : {};
      rates[side].push(await measureRate(context, { ...LAUNCH_ONLY, name: `telemetry ${side}` }, env));
    }
    if (received.requests === 0) throw new Error("the collector received nothing: telemetry was not on");
    return summary(rates, received);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

function summary({ off, on }: { readonly off: readonly Rate[]; readonly on: readonly Rate[] }, received: Received): Awaited<ReturnType<Benchmark>> {
  const mean = (rates: readonly Rate[], of: (rate: Rate) => number): number => Math.round(rates.reduce((sum, rate) => sum + of(rate), 0) / rates.length);
  const perSecond = { off: mean(off, (rate) => rate.perSecond), on: mean(on, (rate) => rate.perSecond) };
  const cost = { off: mean(off, (rate) => rate.cost["leader"]!), on: mean(on, (rate) => rate.cost["leader"]!) };
  return {
    report: { telemetry_launches_per_s: perSecond, telemetry_leader_cost_us: cost },
    lines: [
      { name: "telemetry: launches a second", value: `off ${perSecond.off}  on ${perSecond.on}` },
      { name: "  leader's processor time for one launch, µs", value: `off ${cost.off}  on ${cost.on}` },
      { name: "  received by the collector", value: `${(received.bytes / 2 ** 20).toFixed(1)} MiB in ${received.requests} requests` },
    ],
    conditions: [`telemetry: ${rateConditions}; off, on, on, off; every launch traced as far as the exporter's queue of 2,048 spans holds`],
  };
}
