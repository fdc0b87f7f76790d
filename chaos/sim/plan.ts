/**
 * A run as data: what the cluster is made of, what its frameworks want, and which faults come when. Drawn from a seed;
 * can be shrunk, written to a file and read again. The seed also decides, by concern, all that is left to chance.
 */
import { Chance } from "./chance.ts";
import type { FrameworkPlan } from "./frameworks.ts";

/** Faults by name: what they do is in `faults.ts`. */
export const faultNames = [
  "killMaster",
  "stopMaster",
  "freezeMaster",
  "killAllMasters",
  "loseMasterHost",
  "stepDown",
  "killAgent",
  "freezeAgent",
  "powerOffAgent",
  "loseAgentHost",
  "killScheduler",
  "cutMasterFromStore",
  "deafMaster",
  "storeWithoutQuorum",
  "storeSlow",
  "storeFull",
  "loseCommitReply",
  "holdCommit",
  "revokeLease",
  "compact",
  "restartWatches",
  "cutMasterFromPeers",
  "cutAgentFromLeader",
  "cutAgentFromAll",
  "cutOneWay",
  "cutScheduler",
  "resetConnections",
  "slowHost",
  "jumpWallClock",
  "fullDisk",
  "slowDisk",
] as const;

export type FaultName = (typeof faultNames)[number];

export interface Fault {
  readonly at: number;
  readonly name: FaultName;
  /** Which one, where there are several; a target that leads is sought by negative numbers. */
  readonly target: number;
  readonly forMs: number;
}

export interface Action {
  readonly at: number;
  readonly framework: number;
  readonly name: "kill" | "reconcile" | "reconcileAll";
}

export interface Plan {
  readonly seed: number;
  readonly durationMs: number;
  readonly masters: number;
  readonly agents: number;
  readonly frameworks: readonly FrameworkPlan[];
  readonly latencyMs: number;
  readonly storeMs: number;
  readonly syncMs: number;
  readonly abandonedLands: number;
  readonly agentPingTimeoutMs: number;
  readonly offerTimeoutMs: number;
  readonly faults: readonly Fault[];
  readonly actions: readonly Action[];
}

/** Leading masters are what most faults should meet. */
export const LEADER = -1;

const QUIET_MS = 10_000;

/** When faults end and only what was drawn as healthy works, in milliseconds since the beginning. */
export function healAt({ durationMs }: Plan): number {
  return Math.round(durationMs * 0.6);
}

/** When frameworks are told to end everything. */
export function endAt({ durationMs }: Plan): number {
  return durationMs - 90_000;
}

export function drawPlan(seed: number, durationMs = 600_000): Plan {
  const shape = new Chance(seed, "shape");
  const masters = shape.pick([1, 2, 3, 3, 3, 3, 5]);
  const agents = shape.integer(1, 5);
  const frameworks = Array.from({ length: shape.integer(1, 3) }, (_, i) => drawFramework(shape, `f${i + 1}`));
  const plan = {
    seed,
    durationMs,
    masters,
    agents,
    frameworks,
    latencyMs: shape.pick([0.2, 1, 1, 5]),
    storeMs: shape.pick([1, 2, 2, 8]),
    syncMs: shape.pick([0.5, 2, 10]),
    abandonedLands: shape.pick([0, 0.3, 1]),
    agentPingTimeoutMs: shape.pick([75_000, 75_000, 20_000]),
    offerTimeoutMs: shape.pick([0, 0, 20_000]),
    faults: [],
    actions: [],
  };
  return { ...plan, faults: drawFaults(seed, plan), actions: drawActions(seed, plan) };
}

function drawFramework(shape: Chance, name: string): FrameworkPlan {
  const jobMs = shape.pick([500, 4_000, 20_000]);
  return {
    name,
    failoverTimeoutS: shape.pick([3_600, 3_600, 3_600, 60, 0]),
    partitionAware: shape.happens(0.7),
    services: shape.integer(0, 3),
    // So many that they can be done between healing and the end, on one agent.
    jobs: shape.integer(0, jobMs > 10_000 ? 8 : 30),
    jobMs,
    forgetsAck: shape.pick([0, 0, 0.1]),
  };
}

/** Few kinds in a run, some of them often: rare combinations are met by many seeds, not by one. */
function drawFaults(seed: number, plan: Plan): Fault[] {
  const chance = new Chance(seed, "faults");
  const kinds = faultNames.filter(() => chance.happens(0.25));
  const faults: Fault[] = [];
  for (const name of kinds) {
    const everyMs = chance.pick([8_000, 25_000, 60_000]);
    const durations = chance.pick([[300, 2_000], [300, 2_000, 8_000], [8_000, 40_000, 120_000]]);
    for (let at = QUIET_MS + chance.between(0, everyMs); at < healAt(plan); at += chance.between(0.3, 1.7) * everyMs) {
      const target = chance.happens(0.6) ? LEADER : chance.integer(0, 9);
      faults.push({ at: Math.round(at), name, target, forMs: Math.round(chance.tailed(chance.pick(durations))) });
    }
  }
  return faults.sort((a, b) => a.at - b.at);
}

function drawActions(seed: number, plan: Plan): Action[] {
  const chance = new Chance(seed, "actions");
  const actions: Action[] = [];
  for (let at = QUIET_MS; at < endAt(plan); at += chance.between(1_000, 15_000)) {
    const name = chance.pick(["kill", "kill", "reconcile", "reconcileAll"] as const);
    actions.push({ at: Math.round(at), framework: chance.integer(0, plan.frameworks.length - 1), name });
  }
  return actions;
}
