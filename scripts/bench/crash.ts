/** SIGKILL of the leading master, until a new task accepted by the next one runs. */
import type { Benchmark } from "./benchmark.ts";
import { summarize } from "./samples.ts";
import { AGENTS, TASKS, breakdown, details, milliseconds, openScene, takeover, type Round } from "./takeovers.ts";

const ROUNDS = 40;
const GOAL = { p50: 100, p99: 250 };

export const crash: Benchmark = async ({ build, rounds = ROUNDS, progress }) => {
  await using scene = await openScene(build, progress);
  const { cluster } = scene;
  const done: Round[] = [];
  while (done.length < rounds) {
    const round = await takeover(scene, {
      strike: (leader) => leader.child.signal("SIGKILL"),
      repair: (leader) => cluster.restart(leader),
    });
    done.push(round);
    progress(`round ${done.length} of ${rounds}: ${Math.round(round.running)} ms (${round.cause})`);
  }
  const summary = summarize(done.map(({ running }) => running));
  return {
    report: { crash_failover_ms: summary, crash_rounds: details(done) },
    lines: [
      {
        name: "crash: SIGKILL until a new task runs",
        value: milliseconds(done, "running"),
        goal: `p50 ≤ ${GOAL.p50}, p99 ≤ ${GOAL.p99} ms`,
        met: summary.p50 <= GOAL.p50 && summary.p99 <= GOAL.p99,
      },
      ...breakdown(done),
    ],
    conditions: [`crash: ${rounds} rounds, ${AGENTS} agents in one process, ${TASKS} running tasks`],
  };
};
