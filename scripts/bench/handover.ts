/** Leadership passed on purpose, by SIGTERM and by an operator in turn, until a new task of the next leader runs. */
import type { Benchmark } from "./benchmark.ts";
import { spread, summarize } from "./samples.ts";
import { AGENTS, TASKS, breakdown, details, milliseconds, openScene, repeat, takeover, type Upset } from "./takeovers.ts";

const ROUNDS = 100;
const GOAL_P50 = 50;

export const handover: Benchmark = async (context) => {
  await using scene = await openScene(context);
  const { cluster, prober } = scene;
  const upsets: readonly Upset[] = [
    { strike: (leader) => leader.child.signal("SIGTERM"), repair: (leader) => cluster.restart(leader) },
    { strike: () => cluster.operator.stepDown(), repair: async () => {} },
  ];
  const longest: number[] = [];
  const done = await repeat(context, ROUNDS, async () => {
    const stop = new AbortController();
    const calling = prober.callUntil(stop.signal);
    try {
      return await takeover(scene, upsets[longest.length % upsets.length]!);
    } finally {
      stop.abort();
      await calling;
      longest.push(prober.longestCallMs);
    }
  });
  const summary = summarize(done.map(({ running }) => running));
  const waits = summarize(longest);
  return {
    report: {
      handover_ms: summary,
      handover_longest_call_ms: waits,
      handover_failed_calls: prober.failedCalls,
      handover_rounds: details(done),
    },
    lines: [
      {
        name: "handover: order until a new task runs",
        value: milliseconds(done, "running"),
        goal: `p50 ≤ ${GOAL_P50} ms`,
        met: summary.p50 <= GOAL_P50,
      },
      { name: "  order until it is accepted", value: milliseconds(done, "accepted") },
      {
        name: "  failed calls of the framework",
        value: `${prober.failedCalls} of ${prober.calls}`,
        goal: "0",
        met: prober.failedCalls === 0,
      },
      { name: "  longest wait for an answer", value: spread(waits) },
      ...breakdown(done),
    ],
    conditions: [`handover: ${done.length} rounds, SIGTERM and step-down in turn, ${AGENTS} agents in one process, ${TASKS} running tasks, a call of the framework every 10 ms`],
  };
};
