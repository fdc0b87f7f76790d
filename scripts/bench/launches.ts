/** Launches a second: accepted, committed by etcd, and heard by a simulated agent. Then whole lives of short tasks. */
import { setTimeout as delay } from "node:timers/promises";
import type { Benchmark, BenchmarkContext } from "./benchmark.ts";
import { BenchCluster } from "./cluster.ts";
import { LoadFramework, type Plan } from "./load-framework.ts";
import { processorSeconds } from "./processes.ts";
import { Simulated } from "./simulated.ts";
import type { Counts } from "./simulated-process.ts";

const GOAL = 5_000;
const AGENTS = 200;
const FRAMEWORKS = 4;
const TASKS_PER_OFFER = 50;
const WARM_UP_MS = 3_000;
const MEASURED_MS = 12_000;
const NEVER_MS = 3_600_000;

export const launches: Benchmark = async (context) => {
  const launched = await measure(context, "launch only", {
    startMs: NEVER_MS,
    command: "true",
    maxLive: Infinity,
    counted: ({ launches }) => launches,
  });
  const lived = await measure(context, "full life", {
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
    conditions: [
      `launches: ${MEASURED_MS / 1_000} s after ${WARM_UP_MS / 1_000} s, ${FRAMEWORKS} frameworks in one process, ` +
        `${AGENTS} simulated agents in another, ${TASKS_PER_OFFER} tasks an offer`,
    ],
  };
};

function costs({ cost }: Rate): string {
  return Object.entries(cost).map(([role, microseconds]) => `${role} ${microseconds}`).join("  ");
}

interface Rate {
  readonly perSecond: number;
  readonly series: readonly number[];
  /** Processor time of each role for one task, in microseconds. */
  readonly cost: Readonly<Record<string, number>>;
}

interface Kind {
  readonly startMs: number;
  readonly command: string;
  /** Of each framework. */
  readonly maxLive: number;
  readonly counted: (counts: Counts) => number;
}

async function measure({ build, progress }: BenchmarkContext, name: string, kind: Kind): Promise<Rate> {
  await using cluster = await BenchCluster.start(build);
  const agents = await Simulated.start(cluster, AGENTS, { startMs: kind.startMs, resources: "cpus:100000;mem:100000000" });
  await agents.until(({ confirmed }) => confirmed === AGENTS, "agents confirmed");
  const leader = await cluster.leader();
  await using frameworks = new AsyncDisposableStack();
  const loads: LoadFramework[] = [];
  for (let i = 0; i < FRAMEWORKS; i += 1) loads.push(frameworks.use(await LoadFramework.start(cluster.addresses, `load-${i + 1}`)));
  const plan: Plan = { command: kind.command, perOffer: TASKS_PER_OFFER, oncePerAgent: false, maxLive: kind.maxLive };
  for (const load of loads) load.follow(plan);
  await delay(WARM_UP_MS);
  const roles: Readonly<Record<string, readonly number[]>> = {
    leader: [leader.child.pid],
    standbys: cluster.masters.filter((master) => master !== leader).map(({ child }) => child.pid),
    etcd: cluster.etcd.members.map(({ pid }) => pid ?? 0),
    agents: agents.pids,
    frameworks: [process.pid],
  };
  const used = (): number[] => Object.values(roles).map((pids) => pids.reduce((sum, pid) => sum + processorSeconds(pid), 0));
  const usedBefore = used();
  const first = agents.counts;
  let last = first;
  const series: number[] = [];
  while (last.at - first.at < MEASURED_MS) {
    await delay(1_000);
    const now = agents.counts;
    series.push(Math.round((kind.counted(now) - kind.counted(last)) / ((now.at - last.at) / 1_000)));
    last = now;
    progress(`${name}: ${series.at(-1)}/s`);
  }
  const usedAfter = used();
  for (const load of loads) load.follow(undefined);
  const failed = loads.reduce((sum, load) => sum + load.failedCalls, 0);
  if (failed > 0) throw new Error(`${failed} calls failed`);
  const tasks = kind.counted(last) - kind.counted(first);
  const perTask = (index: number): number => Math.round(((usedAfter[index]! - usedBefore[index]!) / tasks) * 1e6);
  return {
    perSecond: Math.round(tasks / ((last.at - first.at) / 1_000)),
    series,
    cost: Object.fromEntries(Object.keys(roles).map((role, index) => [role, perTask(index)])),
  };
}
