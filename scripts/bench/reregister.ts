/** After a SIGKILL of the leader: from the next one's election until every agent's books are confirmed. */
import type { Benchmark, BenchmarkContext } from "./benchmark.ts";
import { BenchCluster } from "./cluster.ts";
import { LoadFramework } from "./load-framework.ts";
import { AGENTS_PER_CONNECTION, Simulated } from "./simulated.ts";

const GOAL_S = 2.5;
const ROUNDS = 3;
const CONFIRMED_TIMEOUT_MS = 120_000;
/** As in the benchmarks of Mesos: agents, frameworks, tasks of each framework on each agent. */
const SIZES = [
  { agents: 2_000, frameworks: 5, tasks: 10 },
  { agents: 20_000, frameworks: 1, tasks: 5 },
] as const;

type Size = (typeof SIZES)[number];

export const reregister: Benchmark = async (context) => {
  const results: { name: string; seconds: number[] }[] = [];
  for (const size of SIZES) {
    results.push({ name: `${size.agents}x${size.frameworks}x${size.tasks}`, seconds: await measure(context, size) });
  }
  const worst = (seconds: readonly number[]): number => Math.round(Math.max(...seconds) * 100) / 100;
  return {
    report: {
      reregister_s: Object.fromEntries(results.map(({ name, seconds }) => [name, worst(seconds)])),
      reregister_rounds: Object.fromEntries(results.map(({ name, seconds }) => [name, seconds])),
    },
    lines: results.map(({ name, seconds }) => ({
      name: `reregister ${name}: election until all confirmed`,
      value: `worst ${worst(seconds)} s of ${seconds.map((each) => each.toFixed(2)).join(", ")}`,
      goal: `≤ ${GOAL_S} s`,
      met: worst(seconds) <= GOAL_S,
    })),
    conditions: [
      `reregister: simulated agents, ${AGENTS_PER_CONNECTION} on one connection to each master, 10,000 to a process; ` +
        `each holds its tasks, all running and acknowledged`,
    ],
  };
};

async function measure(context: BenchmarkContext, size: Size): Promise<number[]> {
  const { rounds = ROUNDS, progress } = context;
  await using cluster = await BenchCluster.start(context);
  const agents = await Simulated.start(cluster, size.agents, { resources: "cpus:64;mem:65536" });
  await agents.confirmed(progress);
  await using frameworks = new AsyncDisposableStack();
  const perFramework = size.agents * size.tasks;
  for (let i = 0; i < size.frameworks; i += 1) {
    const load = frameworks.use(await LoadFramework.start(cluster.addresses, `load-${i + 1}`));
    load.follow({ command: "run", perOffer: size.tasks, oncePerAgent: true, maxLive: Infinity });
    await agents.until(
      () => load.running === perFramework,
      progress,
      () => `${load.running} of ${perFramework} tasks running`,
      () => load.state,
    );
  }
  const seconds: number[] = [];
  while (seconds.length < rounds) {
    await cluster.whole(size.agents);
    const leader = await cluster.leader();
    const { epoch } = await cluster.operator.nextLeader();
    leader.child.signal("SIGKILL");
    await cluster.operator.nextLeader(epoch, { timeoutMs: 60_000 });
    const { master, phases } = await cluster.leaderRecord(epoch, "agentsConfirmedMs", CONFIRMED_TIMEOUT_MS);
    if (phases?.agentsConfirmedMs === undefined || phases.electedMs === undefined) {
      const { agentsConfirmed } = await cluster.operator.status();
      throw new Error(`${master} recorded no time for its agents: ${JSON.stringify(phases)}; ${agentsConfirmed} of ${size.agents} are confirmed`);
    }
    seconds.push((phases.agentsConfirmedMs - phases.electedMs) / 1_000);
    progress(`${seconds.length} of ${rounds}  ${seconds.at(-1)!.toFixed(2)} s`);
    await cluster.restart(leader);
  }
  return seconds;
}
