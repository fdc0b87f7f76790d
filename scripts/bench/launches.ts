/** Launches a second: accepted, committed by etcd, and heard by a simulated agent. Then whole lives of short tasks. */
import type { Benchmark } from "./benchmark.ts";
import { costs, LAUNCH_ONLY, measureRate, rateConditions } from "./launch-rate.ts";

const GOAL = 5_000;

export const launches: Benchmark = async (context) => {
  const launched = await measureRate(context, LAUNCH_ONLY);
  const lived = await measureRate(context, {
    name: "full life",
    startMs: 5,
    command: "sleep 0.1",
    maxLive: 1_000,
    counted: ({ forgotten }) => forgotten,
  });
  return {
    report: {
      launches_per_s: launched.perSecond,
      launch_cost_us: launched.cost,
      launches_full_life_per_s: lived.perSecond,
      full_life_cost_us: lived.cost,
    },
    lines: [
      {
        name: "launches: accepted, committed, delivered",
        value: `${launched.perSecond}/s`,
        goal: `≥ ${GOAL}/s`,
        met: launched.perSecond >= GOAL,
      },
      { name: "  each second", value: launched.series.join(" ") },
      { name: "  processor time for one task, µs", value: costs(launched) },
      { name: "  whole lives: run, end, acknowledged, forgotten", value: `${lived.perSecond}/s` },
      { name: "  each second", value: lived.series.join(" ") },
      { name: "  processor time for one task, µs", value: costs(lived) },
    ],
    conditions: [`launches: ${rateConditions}`],
  };
};
