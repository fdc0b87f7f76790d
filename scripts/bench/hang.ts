/** SIGSTOP of the leading master: its sockets stay open and nothing comes. Until a new task of the next one runs. */
import type { Benchmark } from "./benchmark.ts";
import { summarize } from "./samples.ts";
import { AGENTS, TASKS, breakdown, details, milliseconds, openScene, repeat, takeover } from "./takeovers.ts";

const ROUNDS = 30;
const GOAL_P99 = 1_000;

export const hang: Benchmark = async (context) => {
  await using scene = await openScene(context);
  const { cluster } = scene;
  const done = await repeat(context, ROUNDS, () =>
    takeover(scene, {
      strike: (leader) => leader.child.signal("SIGSTOP"),
      repair: async (leader) => {
        leader.child.signal("SIGCONT");
        await cluster.whole(AGENTS);
        if ((await cluster.leader()).name === leader.name) throw new Error(`${leader.name} leads again after its pause`);
        // A master that was deposed while alive gets twice the patience next time (2.12), and rounds would not compare.
        leader.child.signal("SIGKILL");
        await cluster.restart(leader);
      },
    }),
  );
  const summary = summarize(done.map(({ running }) => running));
  return {
    report: { hang_ms: summary, hang_rounds: details(done) },
    lines: [
      {
        name: "hang: SIGSTOP until a new task runs",
        value: milliseconds(done, "running"),
        goal: `p99 ≤ ${GOAL_P99} ms`,
        met: summary.p99 <= GOAL_P99,
      },
      ...breakdown(done),
    ],
    conditions: [
      `hang: ${done.length} rounds, ${AGENTS} agents in one process, ${TASKS} running tasks; each time the old leader was resumed, stood by, and was started anew`,
    ],
  };
};
