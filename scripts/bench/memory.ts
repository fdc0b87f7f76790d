/** Resident memory of a leader with 100,000 live tasks, of an agent, and what a running command task costs on its host. */
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Benchmark, BenchmarkContext } from "./benchmark.ts";
import { BenchCluster } from "./cluster.ts";
import { LoadFramework } from "./load-framework.ts";
import { Prober } from "./prober.ts";
import { commandLine, descendants, proportionalMb, residentMb } from "./processes.ts";
import { round } from "./samples.ts";
import { Simulated } from "./simulated.ts";

const GOAL_MASTER_MB = 500;
const GOAL_AGENT_MB = 120;
const GOAL_TASK_MB = 2;
const LIVE_TASKS = 100_000;
const SIMULATED_AGENTS = 1_000;
const FRAMEWORKS = 2;
const TASKS_PER_OFFER = LIVE_TASKS / SIMULATED_AGENTS / FRAMEWORKS;
const AGENT_TASKS = 100;
/** Garbage is collected within this time, when a collector wants to at all. */
const SETTLE_MS = 20_000;

export const memory: Benchmark = async (context) => {
  const agent = await measureAgent(context);
  const masters = await measureMasters(context);
  return {
    report: {
      master_rss_mb_100k_tasks: masters.leader,
      standby_rss_mb_100k_tasks: masters.standbys,
      agent_rss_mb: agent.loaded,
      agent_rss_mb_idle: agent.idle,
      task_overhead_mb: agent.perTask,
    },
    lines: [
      {
        name: "memory: leader with 100,000 live tasks",
        value: `${masters.leader} MB`,
        goal: `≤ ${GOAL_MASTER_MB} MB`,
        met: masters.leader <= GOAL_MASTER_MB,
      },
      { name: "  its standbys", value: masters.standbys.map((mb) => `${mb} MB`).join(", ") },
      {
        name: `memory: an agent with ${AGENT_TASKS} running tasks`,
        value: `${agent.loaded} MB (idle ${agent.idle} MB)`,
        goal: `≤ ${GOAL_AGENT_MB} MB`,
        met: agent.loaded <= GOAL_AGENT_MB,
      },
      {
        name: "memory: a running command task, without its own process",
        value: `${agent.perTask} MB`,
        goal: `≤ ${GOAL_TASK_MB} MB`,
        met: agent.perTask <= GOAL_TASK_MB,
      },
    ],
    conditions: [
      `memory: resident, ${SETTLE_MS / 1_000} s after the last launch; ${SIMULATED_AGENTS} simulated agents and ${FRAMEWORKS} frameworks for the masters; ` +
        `the cost of a task is its monitor's proportional memory and what the agent grew by, over ${AGENT_TASKS} tasks`,
    ],
  };
};

async function measureAgent(context: BenchmarkContext): Promise<{ idle: number; loaded: number; perTask: number }> {
  const { progress } = context;
  await using cluster = await BenchCluster.start(context);
  const agent = await cluster.spawn("agents-process", [`${cluster.directory}/agents`, cluster.addresses.join(","), "1"]);
  await cluster.whole(1);
  progress("an idle agent settles");
  await delay(SETTLE_MS);
  const idle = residentMb(agent.pid);
  const prober = await Prober.start(cluster.addresses);
  await prober.run(AGENT_TASKS, AGENT_TASKS);
  progress(`an agent with ${AGENT_TASKS} tasks settles`);
  await delay(SETTLE_MS);
  const loaded = residentMb(agent.pid);
  const below = descendants(agent.pid);
  const monitors = below.filter((pid) => isMonitor(commandLine(pid)));
  if (monitors.length !== AGENT_TASKS) throw new Error(`${monitors.length} monitors below the agent, of ${AGENT_TASKS} tasks; all below it: ${programs(below)}`);
  // Whatever serves a task and is not its command.
  const monitored = below.filter((pid) => !isTask(commandLine(pid))).reduce((sum, pid) => sum + proportionalMb(pid), 0);
  await prober[Symbol.asyncDispose]();
  await cluster.tasksEnded();
  return { idle: round(idle), loaded: round(loaded), perTask: Math.round(((monitored + Math.max(0, loaded - idle)) / AGENT_TASKS) * 100) / 100 };
}

function isTask([program = ""]: readonly string[]): boolean {
  return program === "sleep";
}

function isMonitor(words: readonly string[]): boolean {
  return words.some((word) => basename(word) === "monitor.sh");
}

/** The command lines of these processes, counted. */
function programs(pids: readonly number[]): string {
  const counts = Map.groupBy(pids, (pid) => commandLine(pid).slice(0, 2).map((word) => basename(word)).join(" "));
  return [...counts].map(([words, all]) => `${all.length} × ${words}`).join(", ");
}

async function measureMasters(context: BenchmarkContext): Promise<{ leader: number; standbys: number[] }> {
  const { progress } = context;
  await using cluster = await BenchCluster.start(context);
  const agents = await Simulated.start(cluster, SIMULATED_AGENTS, { resources: "cpus:64;mem:65536" });
  await agents.confirmed(progress);
  await using frameworks = new AsyncDisposableStack();
  for (let i = 0; i < FRAMEWORKS; i += 1) {
    const load = frameworks.use(await LoadFramework.start(cluster.addresses, `load-${i + 1}`));
    load.follow({ command: "run", perOffer: TASKS_PER_OFFER, oncePerAgent: true, maxLive: Infinity });
    const wanted = LIVE_TASKS / FRAMEWORKS;
    await agents.until(
      () => load.running === wanted,
      progress,
      () => `${load.running} of ${wanted} tasks running`,
      () => load.state,
    );
  }
  progress("masters settle");
  await delay(SETTLE_MS);
  const leader = await cluster.leader();
  const standbys = cluster.masters.filter((master) => master !== leader);
  return { leader: round(residentMb(leader.child.pid)), standbys: standbys.map(({ child }) => round(residentMb(child.pid))) };
}
