/** How many tasks a second a cluster takes from frameworks that launch all they can, and what one costs each process. */
import { setTimeout as delay } from "node:timers/promises";
import type { BenchmarkContext } from "./benchmark.ts";
import { BenchCluster } from "./cluster.ts";
import { LoadFramework, type Plan } from "./load-framework.ts";
import { processorSeconds } from "./processes.ts";
import { Simulated } from "./simulated.ts";
import type { Counts } from "./simulated-process.ts";

const AGENTS = 200;
const FRAMEWORKS = 4;
const TASKS_PER_OFFER = 50;
const WARM_UP_MS = 3_000;
const MEASURED_MS = 12_000;
const NEVER_MS = 3_600_000;

export const rateConditions =
  `${MEASURED_MS / 1_000} s after ${WARM_UP_MS / 1_000} s, ${FRAMEWORKS} frameworks in one process, ` +
  `${AGENTS} simulated agents in another, ${TASKS_PER_OFFER} tasks an offer`;

export interface Rate {
  readonly perSecond: number;
  readonly series: readonly number[];
  /** Processor time of each role for one task, in microseconds. */
  readonly cost: Readonly<Record<string, number>>;
}

export interface Kind {
  readonly name: string;
  readonly startMs: number;
  readonly command: string;
  /** Of each framework. */
  readonly maxLive: number;
  readonly counted: (counts: Counts) => number;
}

export async function measureRate(context: BenchmarkContext, kind: Kind, masterEnv: Readonly<Record<string, string>> = {}): Promise<Rate> {
  const { progress } = context;
  await using cluster = await BenchCluster.start({ ...context, masterEnv });
  const agents = await Simulated.start(cluster, AGENTS, { startMs: kind.startMs, resources: "cpus:100000;mem:100000000" });
  await agents.confirmed(progress);
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
  while (series.length < MEASURED_MS / 1_000) {
    await delay(1_000);
    const now = agents.counts;
    // A process that is kept waiting says nothing new for a second.
    series.push(now.at === last.at ? 0 : Math.round((kind.counted(now) - kind.counted(last)) / ((now.at - last.at) / 1_000)));
    last = now;
    progress(`${kind.name} ${series.at(-1)}/s`);
  }
  const usedAfter = used();
  for (const load of loads) load.follow(undefined);
  const failed = loads.reduce((sum, load) => sum + load.failedCalls, 0);
  const states = (): string => loads.map(({ state }) => state).join("; ");
  if (failed > 0) throw new Error(`${failed} calls failed; ${states()}`);
  const tasks = kind.counted(last) - kind.counted(first);
  if (tasks === 0) throw new Error(`nothing was launched in ${MEASURED_MS / 1_000} s; ${states()}; agents count ${JSON.stringify(last)}`);
  const perTask = (index: number): number => Math.round(((usedAfter[index]! - usedBefore[index]!) / tasks) * 1e6);
  return {
    perSecond: Math.round(tasks / ((last.at - first.at) / 1_000)),
    series,
    cost: Object.fromEntries(Object.keys(roles).map((role, index) => [role, perTask(index)])),
  };
}

/** Accepted, committed and heard by an agent, and no more. */
export const LAUNCH_ONLY: Kind = {
  name: "launch only",
  startMs: NEVER_MS,
  command: "true",
  maxLive: Infinity,
  counted: ({ launches }) => launches,
};

export function costs({ cost }: Rate): string {
  return Object.entries(cost).map(([role, microseconds]) => `${role} ${microseconds}`).join("  ");
}
