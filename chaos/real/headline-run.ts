/** The promise in one run: all masters are gone for a minute, then all of etcd, and not one of the tasks notices. */
import { setTimeout as delay } from "node:timers/promises";
import { Chance } from "../sim/chance.ts";
import { WITNESS_CPUS } from "./cluster/programs.ts";
import { AS_IN_PRODUCTION, pacesOf } from "./expectations.ts";
import { allFaults } from "./nemesis/catalogue.ts";
import type { HeadlineOrder } from "./orders.ts";
import { perform, type Performance, PLAIN_HOSTS } from "./performance.ts";

const ACTS = ["kill-all-masters", "kill-etcd"] as const;
const BETWEEN_MS = 5_000;
const TASK_MEM = 16;
/** Beside the tasks: room for the launches by which recovery is measured. */
const SPARE_TASKS = 20;

/** Resolves with the exit code. */
export async function headlineRun(order: HeadlineOrder, performance: Performance): Promise<number> {
  const all = allFaults(AS_IN_PRODUCTION.agentPingTimeoutMs);
  const kinds = ACTS.map((name) => all.find((kind) => kind.name === name)!);
  const each = Math.ceil(order.tasks / order.size.agents) + SPARE_TASKS;
  return perform(performance, {
    order,
    kinds,
    settings: AS_IN_PRODUCTION,
    paces: pacesOf(ACTS.length * order.forMs),
    workload: "services",
    demanded: ACTS,
    agentFlags: [`--resources=cpus:${Math.ceil(each * WITNESS_CPUS)};mem:${each * TASK_MEM};disk:4096;ports:[31000-31999]`],
    ...PLAIN_HOSTS,
    play: {
      seed: order.seed,
      wants: { services: order.tasks, jobs: 1, jobBeats: [2, 4], killEveryMs: undefined, reconcileEveryMs: 5_000, forgetsAck: 0 },
      guests: false,
      failoverTimeoutSeconds: 3_600,
    },
    async chaos(nemesis, answersAgain) {
      for (const kind of kinds) {
        await nemesis.play({ number: 1, faults: [{ kind, afterMs: 0, forMs: order.forMs, chance: new Chance(order.seed, kind.name) }], pauseMs: 0 });
        await answersAgain();
        await delay(BETWEEN_MS, undefined, { signal: performance.signal }).catch(() => {});
      }
    },
  });
}
