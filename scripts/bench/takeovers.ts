/** Rounds of losing the leading master in one way or another, with what each step of the takeover cost. */
import type { FailoverPhases } from "../../src/wire/gen/mesarch/v1/registry.ts";
import type { BenchmarkContext, Line } from "./benchmark.ts";
import { BenchCluster, type MasterProcess } from "./cluster.ts";
import { Prober } from "./prober.ts";
import { high, round, spread, summarize } from "./samples.ts";

export const AGENTS = 10;
export const TASKS = 200;

/** From this many rounds on, time that is up ends them. */
const ROUNDS_MIN = 30;
const ROUNDS_TIME_MS = 10 * 60_000;

/** Milliseconds since the cause. */
export interface Round {
  readonly subscribed: number;
  readonly offered: number;
  readonly accepted: number;
  readonly running: number;
  /** As the new leader recorded them, since its first sign. */
  readonly phases: FailoverPhases | undefined;
  readonly cause: string;
}

export interface Scene extends AsyncDisposable {
  readonly cluster: BenchCluster;
  readonly prober: Prober;
}

/** Three masters, three etcd members, ten agents in one process, 200 running tasks of one framework. */
export async function openScene(context: BenchmarkContext): Promise<Scene> {
  const { progress } = context;
  progress("starting etcd, masters and agents");
  const cluster = await BenchCluster.start(context);
  try {
    await cluster.spawn("agents-process", [`${cluster.directory}/agents`, cluster.addresses.join(","), String(AGENTS)]);
    await cluster.whole(AGENTS);
    const prober = await Prober.start(cluster.addresses);
    progress(`launching ${TASKS} tasks`);
    await prober.run(TASKS, TASKS / AGENTS);
    return {
      cluster,
      prober,
      async [Symbol.asyncDispose]() {
        await prober[Symbol.asyncDispose]();
        await cluster.tasksEnded();
        await cluster[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

export interface Upset {
  /** Takes the leader away. Not waited for: the clock runs from its call. */
  readonly strike: (leader: MasterProcess) => unknown;
  /** Makes the cluster whole again, as far as this upset broke it. */
  readonly repair: (leader: MasterProcess) => Promise<void>;
}

/** One takeover; resolves when the cluster is whole again. */
export async function takeover({ cluster, prober }: Scene, { strike, repair }: Upset): Promise<Round> {
  const leader = await cluster.leader();
  const { epoch } = await cluster.operator.nextLeader();
  const next = prober.takeover();
  const startedAt = performance.now();
  const struck = strike(leader);
  const times = await next;
  const record = await cluster.leaderRecord(epoch, "firstLaunchMs");
  await struck;
  if (record.master === leader.name) throw new Error(`${leader.name} still leads`);
  await repair(leader);
  await cluster.whole(AGENTS);
  return {
    subscribed: times.subscribedAt - startedAt,
    offered: times.offeredAt - startedAt,
    accepted: times.acceptedAt - startedAt,
    running: times.runningAt - startedAt,
    phases: record.phases,
    cause: record.cause,
  };
}

/** As many rounds as the user wants, or `usual` ones, or what ten minutes allow. */
export async function repeat({ rounds, progress }: BenchmarkContext, usual: number, takeOver: () => Promise<Round>): Promise<Round[]> {
  const wanted = rounds ?? usual;
  const until = performance.now() + ROUNDS_TIME_MS;
  const done: Round[] = [];
  while (done.length < wanted && (rounds !== undefined || done.length < ROUNDS_MIN || performance.now() < until)) {
    const latest = await takeOver();
    done.push(latest);
    progress(`${done.length} of ${wanted}  ${Math.round(latest.running)} ms  ${latest.cause}`);
  }
  return done;
}

/** Lines that explain where the time of these rounds went. */
export function breakdown(rounds: readonly Round[]): Line[] {
  const both = (name: string, samples: readonly number[]): string => {
    const summary = summarize(samples);
    return `${name} ${summary.p50}/${high(summary).value}`;
  };
  const seen = (["subscribed", "offered", "accepted", "running"] as const).map((step) => both(step, rounds.map((each) => each[step])));
  const recorded = (["detectedMs", "electedMs", "loadedMs", "agentsConfirmedMs", "firstLaunchMs"] as const).map((phase) =>
    both(phase.replace("Ms", ""), rounds.flatMap((each) => each.phases?.[phase] ?? [])),
  );
  return [
    { name: `  seen by the framework, p50/${high(summarize(rounds.map(({ running }) => running))).name} ms`, value: seen.join("  ") },
    { name: "  by the new leader, since its first sign", value: recorded.join("  ") },
    { name: "  causes", value: counted(rounds.map(({ cause }) => cause)) },
  ];
}

export function milliseconds(rounds: readonly Round[], step: "accepted" | "running"): string {
  return spread(summarize(rounds.map((each) => each[step])));
}

/** Each round on its own, for programs. */
export function details(rounds: readonly Round[]): object[] {
  const rounded = (times: object): object =>
    Object.fromEntries(
      Object.entries(times)
        .filter(([, value]) => typeof value !== "object")
        .map(([name, value]) => [name, typeof value === "number" ? round(value) : value]),
    );
  return rounds.map(({ phases, ...times }) => ({ ...rounded(times), phases: rounded(phases ?? {}) }));
}

function counted(words: readonly string[]): string {
  const counts = Map.groupBy(words, (word) => word);
  return [...counts].map(([word, all]) => `${word} ${all.length}`).join(", ");
}
