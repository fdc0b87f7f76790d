/** SIGKILL of the leading master, until a new task accepted by the next one runs. */
import type { Benchmark } from "./benchmark.ts";
import { summarize } from "./samples.ts";
import { AGENTS, TASKS, breakdown, details, milliseconds, openScene, repeat, takeover } from "./takeovers.ts";

const ROUNDS = 100;
const GOAL = { p50: 100, p99: 250 };

export const crash: Benchmark = async (context) => {
  await using scene = await openScene(context);
  const done = await repeat(context, ROUNDS, () =>
    takeover(scene, {
      strike: (leader) => leader.child.signal("SIGKILL"),
      repair: (leader) => scene.cluster.restart(leader),
    }),
  );
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
    conditions: [`crash: ${done.length} rounds, ${AGENTS} agents in one process, ${TASKS} running tasks`],
  };
};
