/** One run: quiet, faults by the seed, healing, rest, last readings. */
import { setTimeout as delay } from "node:timers/promises";
import type { Wants } from "./actors/player.ts";
import type { Belongings } from "./belongings.ts";
import { conclude } from "./conclusion.ts";
import { IMPATIENT, SETTLE_MS } from "./expectations.ts";
import { findFakeTime } from "./host/tools.ts";
import { ObservedCluster } from "./observed-cluster.ts";
import { allFaults, obstacle } from "./nemesis/catalogue.ts";
import type { FaultKind } from "./nemesis/fault.ts";
import { Nemesis } from "./nemesis/nemesis.ts";
import { rounds } from "./nemesis/plan.ts";
import type { ChaosOrder, Workload } from "./orders.ts";
import { networkOf, type Stage } from "./stage.ts";

const START_MS = 90_000;
const QUIET_MS = 6_000;
/** Healed, the cluster has as long to give everybody what they want. */
const CONTENT_MS = 90_000;
const REST_MS = 5_000;
const RECOVERY_MS = 20_000;
const LOOK_MS = 100;

const WANTS: { readonly [W in Workload]: Wants } = {
  mixed: { services: 12, jobs: 3, jobBeats: [1, 20], killEveryMs: 3_000, reconcileEveryMs: 4_000, forgetsAck: 0.1 },
  services: { services: 40, jobs: 1, jobBeats: [5, 10], killEveryMs: undefined, reconcileEveryMs: 5_000, forgetsAck: 0 },
  churn: { services: 2, jobs: 10, jobBeats: [1, 6], killEveryMs: undefined, reconcileEveryMs: 5_000, forgetsAck: 0.1 },
};

/** The faults of a run. Throws an Error for one that this machine cannot do, or that does not exist. */
export function faultsOf({ nemesis }: ChaosOrder, abilities: Stage["abilities"]): FaultKind[] {
  const all = allFaults(IMPATIENT.agentPingTimeoutMs);
  if (nemesis === "all") return all.filter((kind) => obstacle(kind, abilities) === undefined);
  return nemesis.map((name) => {
    const kind = all.find((each) => each.name === name);
    if (kind === undefined) throw new Error(`there is no fault "${name}"; there are: ${all.map((each) => each.name).join(", ")}`);
    const problem = obstacle(kind, abilities);
    if (problem !== undefined) throw new Error(`${name} cannot be done here: ${problem}`);
    return kind;
  });
}

/** Resolves with the exit code. */
export async function chaosRun(order: ChaosOrder, stage: Stage, belongings: Belongings, tell: (line: string) => void, signal: AbortSignal): Promise<number> {
  const kinds = faultsOf(order, stage.abilities);
  const needs = new Set(kinds.flatMap((kind) => kind.needs));
  let nemesis: Nemesis | undefined;
  const observed = await ObservedCluster.start({
    size: order.size,
    network: await networkOf(stage, order.size),
    belongings,
    report: stage.report,
    built: order.built,
    settings: IMPATIENT,
    agentFlags: ["--resources=cpus:4;mem:4096;disk:4096;ports:[31000-31999]"],
    disks: needs.has("disk"),
    ownBoot: needs.has("ownBoot"),
    fakeTime: needs.has("fakeTime") ? findFakeTime() : undefined,
    play: { seed: order.seed, wants: WANTS[order.workload], guests: order.workload === "mixed", failoverTimeoutSeconds: 3_600 },
    mayFail: (daemon) => nemesis?.mayFail(daemon) ?? false,
    tell,
  });
  nemesis = new Nemesis({ world: observed.world, recorder: observed.recorder, tell, signal });
  observed.phase("quiet");
  await contentBy(observed, START_MS, "the cluster did not come up", signal);
  await delay(QUIET_MS, undefined, { signal });
  observed.phase("chaos");
  try {
    const until = performance.now() + order.timeMs;
    for (const round of rounds(order.seed, kinds)) {
      if (performance.now() >= until || signal.aborted) break;
      await nemesis.play(round);
      await answersAgain(observed, signal);
      await delay(round.pauseMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    await nemesis.healAll();
  }
  observed.phase("healed");
  const healedAt = performance.now();
  observed.cluster.order("settle");
  const wishes = await observed.untilContent(CONTENT_MS);
  if (wishes.length > 0) observed.complain("cluster", `${CONTENT_MS / 1_000} s after it was healed: ${wishes.join("; ")}`);
  await delay(Math.max(0, SETTLE_MS - (performance.now() - healedAt)));
  observed.phase("settled");
  await delay(REST_MS);
  observed.phase("final");
  await observed.readAll();
  await delay(SETTLE_MS / 10);
  const endAt = await observed.close();
  const demanded = order.nemesis === "all" ? [] : order.nemesis;
  return conclude({ order, stage, observed, endAt, kinds, settings: IMPATIENT, workload: order.workload, demanded, tell });
}

async function contentBy(observed: ObservedCluster, timeoutMs: number, problem: string, signal: AbortSignal): Promise<void> {
  const wishes = await observed.untilContent(timeoutMs, { underWay: true });
  signal.throwIfAborted();
  if (wishes.length > 0) throw new Error(`${problem}: ${wishes.join("; ")}`);
}

/** The next fault is to meet a cluster that works: until one more launch is durable, or it takes too long. */
async function answersAgain({ cluster }: ObservedCluster, signal: AbortSignal): Promise<void> {
  const launched = (): number => cluster.frameworks.reduce((sum, { state }) => sum + (state?.launched ?? 0), 0);
  const before = launched();
  const deadline = performance.now() + RECOVERY_MS;
  while (launched() <= before && performance.now() < deadline && !signal.aborted) await delay(LOOK_MS);
}
