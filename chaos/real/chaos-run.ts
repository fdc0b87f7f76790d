/** One run: quiet, faults by the seed, healing, rest, last readings. */
import { setTimeout as delay } from "node:timers/promises";
import type { Wants } from "./actors/player.ts";
import { IMPATIENT, pacesOf } from "./expectations.ts";
import { findFakeTime } from "./host/tools.ts";
import { monotonicMs } from "./monotonic.ts";
import { allFaults, obstacle } from "./nemesis/catalogue.ts";
import type { FaultKind } from "./nemesis/fault.ts";
import { rounds } from "./nemesis/plan.ts";
import type { ChaosOrder, Workload } from "./orders.ts";
import { perform, type Performance, USUAL_RESOURCES } from "./performance.ts";
import type { Stage } from "./stage.ts";

const WANTS: { readonly [W in Workload]: Wants } = {
  mixed: { services: 12, jobs: 3, jobBeats: [1, 20], killEveryMs: 3_000, reconcileEveryMs: 4_000, forgetsAck: 0.1 },
  services: { services: 40, jobs: 1, jobBeats: [5, 10], killEveryMs: undefined, reconcileEveryMs: 5_000, forgetsAck: 0 },
  churn: { services: 2, jobs: 10, jobBeats: [1, 6], killEveryMs: undefined, reconcileEveryMs: 5_000, forgetsAck: 0.1 },
};

/** The faults of a run. Throws an Error for one that this machine cannot do. */
function faultsOf({ nemesis }: ChaosOrder, abilities: Stage["abilities"]): FaultKind[] {
  const all = allFaults(IMPATIENT.agentPingTimeoutMs);
  if (nemesis === "all") return all.filter((kind) => obstacle(kind, abilities) === undefined);
  return nemesis.map((name) => {
    const kind = all.find((each) => each.name === name)!;
    const problem = obstacle(kind, abilities);
    if (problem !== undefined) throw new Error(`${name} cannot be done here: ${problem}`);
    return kind;
  });
}

/** Resolves with the exit code. */
export async function chaosRun(order: ChaosOrder, performance: Performance): Promise<number> {
  const { stage, signal } = performance;
  const kinds = faultsOf(order, stage.abilities);
  /** What was asked for by name, and had its turn. */
  const demanded = new Set<string>();
  const needs = new Set(kinds.flatMap((kind) => kind.needs));
  return perform(performance, {
    order,
    kinds,
    settings: IMPATIENT,
    paces: pacesOf(order.timeMs),
    workload: order.workload,
    demanded,
    agentFlags: [USUAL_RESOURCES],
    previous: order.previous,
    disks: needs.has("disk"),
    ownBoot: needs.has("ownBoot"),
    fakeTime: needs.has("fakeTime") ? findFakeTime() : undefined,
    play: { seed: order.seed, wants: WANTS[order.workload], guests: order.workload === "mixed", failoverTimeoutSeconds: 3_600 },
    async chaos(nemesis, answersAgain) {
      const until = monotonicMs() + order.timeMs;
      for (const round of rounds(order.seed, kinds)) {
        if (monotonicMs() >= until || signal.aborted) return;
        if (order.nemesis !== "all") for (const { kind } of round.faults) demanded.add(kind.name);
        await nemesis.play(round);
        await answersAgain();
        await delay(round.pauseMs, undefined, { signal }).catch(() => {});
      }
    },
  });
}
