/**
 * A red plan made small: what can be left out of it while it stays red is left out. Delta debugging over faults and
 * actions, then over what the cluster consists of.
 */
import { isSufficient } from "./broken.ts";
import type { Fault, Plan } from "./plan.ts";

export interface ShrinkOptions {
  /** Whether the plan is still red in the same way. */
  readonly isRed: (plan: Plan) => Promise<boolean>;
  /** Runs at most. */
  readonly budget: number;
  readonly onProgress: (plan: Plan, runs: number) => void;
}

export async function shrink(plan: Plan, { isRed, budget, onProgress }: ShrinkOptions): Promise<Plan> {
  let best = plan;
  let runs = 0;
  const better = async (candidate: Plan): Promise<boolean> => {
    if (runs >= budget) return false;
    runs += 1;
    if (!(await isRed(candidate))) return false;
    best = candidate;
    onProgress(best, runs);
    return true;
  };
  await fewer(() => best.faults, (faults) => ({ ...best, faults }), better);
  await fewer(() => best.actions, (actions) => ({ ...best, actions }), better);
  await fewer(() => best.orders, (orders) => ({ ...best, orders }), better);
  if (best.broken !== undefined) {
    for (const what of ["masters", "agents", "frameworks"] as const) {
      await fewer<unknown>(() => best.broken![what], (those) => ({ ...best, broken: { ...best.broken!, [what]: those } }), better);
    }
  }
  for (const smaller of smallerClusters) {
    for (let next = smaller(best); next !== undefined && isSufficient(next) && (await better(next)); next = smaller(best));
  }
  await shorterFaults(() => best, better);
  await fewer(() => best.faults, (faults) => ({ ...best, faults }), better);
  return best;
}

/** Halves, then quarters, and so on, are left out as long as that helps. */
async function fewer<T>(items: () => readonly T[], withItems: (items: readonly T[]) => Plan, better: (plan: Plan) => Promise<boolean>): Promise<void> {
  for (let size = Math.ceil(items().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < items().length; ) {
      const all = items();
      const rest = [...all.slice(0, from), ...all.slice(from + size)];
      if (!(await better(withItems(rest)))) from += size;
    }
  }
}

const smallerClusters: readonly ((plan: Plan) => Plan | undefined)[] = [
  (plan) => (plan.frameworks.length > 1 ? { ...plan, frameworks: plan.frameworks.slice(0, -1), actions: plan.actions.filter(({ framework }) => framework < plan.frameworks.length - 1) } : undefined),
  (plan) => (plan.agents > 1 ? { ...plan, agents: plan.agents - 1 } : undefined),
  (plan) => (plan.masters > 1 ? { ...plan, masters: plan.masters - 1 } : undefined),
  (plan) => halved(plan, "jobs"),
  (plan) => halved(plan, "services"),
];

function halved(plan: Plan, what: "jobs" | "services"): Plan | undefined {
  if (plan.frameworks.every((framework) => framework[what] <= 1)) return undefined;
  return { ...plan, frameworks: plan.frameworks.map((framework) => ({ ...framework, [what]: Math.ceil(framework[what] / 2) })) };
}

async function shorterFaults(best: () => Plan, better: (plan: Plan) => Promise<boolean>): Promise<void> {
  for (let i = 0; i < best().faults.length; i += 1) {
    const shorter = (fault: Fault): Fault => ({ ...fault, forMs: Math.round(fault.forMs / 4) });
    const plan = best();
    await better({ ...plan, faults: plan.faults.map((fault, at) => (at === i ? shorter(fault) : fault)) });
  }
}
