/** Leadership passed on purpose, by SIGTERM and by an operator in turn, until the next leader has accepted a new task. */
import type { Benchmark } from "./benchmark.ts";
import { round, summarize } from "./samples.ts";
import { AGENTS, TASKS, breakdown, details, milliseconds, openScene, takeover, type Round, type Upset } from "./takeovers.ts";

const ROUNDS = 40;
const GOAL_P50 = 50;

export const handover: Benchmark = async ({ build, rounds = ROUNDS, progress }) => {
  await using scene = await openScene(build, progress);
  const { cluster, prober } = scene;
  const upsets: readonly Upset[] = [
    { strike: (leader) => leader.child.signal("SIGTERM"), repair: (leader) => cluster.restart(leader) },
    { strike: () => cluster.operator.stepDown(), repair: async () => {} },
  ];
  const done: Round[] = [];
  const longest: number[] = [];
  while (done.length < rounds) {
    const stop = new AbortController();
    const calling = prober.callUntil(stop.signal);
    try {
      done.push(await takeover(scene, upsets[done.length % upsets.length]!));
    } finally {
      stop.abort();
      await calling;
    }
    longest.push(prober.longestCallMs);
    progress(`round ${done.length} of ${rounds}: ${Math.round(done.at(-1)!.accepted)} ms`);
  }
  const summary = summarize(done.map(({ accepted }) => accepted));
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
        name: "handover: order until a new task is accepted",
        value: milliseconds(done, "accepted"),
        goal: `p50 ≤ ${GOAL_P50} ms`,
        met: summary.p50 <= GOAL_P50,
      },
      {
        name: "  failed calls of the framework",
        value: `${prober.failedCalls} of ${prober.calls}`,
        goal: "0",
        met: prober.failedCalls === 0,
      },
      { name: "  longest wait for an answer, p50/p99 ms", value: `${round(waits.p50)}/${round(waits.p99)}` },
      ...breakdown(done),
    ],
    conditions: [`handover: ${rounds} rounds, SIGTERM and step-down in turn, ${AGENTS} agents in one process, ${TASKS} running tasks`],
  };
};
