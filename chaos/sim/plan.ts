/**
 * A run as data: what the cluster is made of, what its frameworks want, and which faults come when. Drawn from a seed;
 * can be shrunk, written to a file and read again. The seed also decides, by concern, all that is left to chance.
 */
import { agentsNeeded, type Broken, drawBroken } from "./broken.ts";
import { Chance } from "./chance.ts";
import type { FrameworkPlan } from "./frameworks.ts";
import { meddlingNames, type MeddlingName } from "./meddling.ts";
import { drawOrders, type Order } from "./orders.ts";

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
  "lateWatches",
  "cutMasterFromAgents",
  "killAtCommit",
  "killAtJournal",
  "restoreBackup",
  "freezeScheduler",
  "killWatcher",
  "freezeWatcher",
  "cutWatcher",
] as const;

export type FaultName = (typeof faultNames)[number];

export interface Fault {
  readonly at: number;
  readonly name: FaultName;
  /** Which one, where there are several; a target that leads is sought by negative numbers. Of backups: how many newer ones are passed over. */
  readonly target: number;
  readonly forMs: number;
}

export interface Action {
  readonly at: number;
  readonly framework: number;
  /** `killNext`: whatever is launched next, as soon as its launch is acknowledged. */
  readonly name: "kill" | "killNext" | "reconcile" | "reconcileAll" | MeddlingName;
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
  readonly orders: readonly Order[];
  /** What is not healed with the rest; nothing if not said. */
  readonly broken?: Broken;
}

/** Leading masters are what most faults should meet. */
export const LEADER = -1;

const QUIET_MS = 10_000;
/** In how many of the seeds an operator has to restore a backup, and in how many something stays broken. */
const RESTORES = 0.15;
const BROKEN = 0.3;
/** From healing to a handover on purpose. */
export const HANDOVER_MS = 20_000;
/** This long after healing leadership is not to change any more (I29). */
export const CALM_AFTER_MS = 60_000;

/**
 * When faults end, in milliseconds since the beginning. Where something stays broken more time is needed: agents are
 * given up after a full window, and one in a minute (5.5).
 */
export function healAt({ durationMs, broken }: Plan): number {
  return Math.round(durationMs * (broken === undefined ? 0.6 : 0.4));
}

/** When frameworks are told to end everything. */
export function endAt({ durationMs }: Plan): number {
  return durationMs - 90_000;
}

export function drawPlan(seed: number, durationMs = 600_000): Plan {
  const shape = new Chance(seed, "shape");
  const masters = shape.pick([1, 2, 3, 3, 3, 3, 5]);
  const agents = shape.integer(1, 5);
  const sdk = new Chance(seed, "sdk");
  const frameworks = Array.from({ length: shape.integer(1, 3) }, (_, i) => drawFramework(shape, sdk, `f${i + 1}`));
  const cluster = {
    seed,
    durationMs,
    masters,
    agents: Math.max(agents, agentsNeeded(frameworks)),
    frameworks,
    latencyMs: shape.pick([0.2, 1, 1, 5]),
    storeMs: shape.pick([1, 2, 2, 8]),
    syncMs: shape.pick([0.5, 2, 10]),
    abandonedLands: shape.pick([0, 0.3, 1]),
    agentPingTimeoutMs: shape.pick([75_000, 75_000, 20_000]),
    offerTimeoutMs: shape.pick([0, 0, 20_000]),
    faults: [],
    actions: [],
    orders: [],
  };
  const heals = new Chance(seed, "heals");
  const broken = heals.happens(BROKEN) ? drawBroken(heals, cluster) : undefined;
  const plan: Plan = { ...cluster, ...(broken && { broken }) };
  // Who stays away must be waited for no longer by the next leader than by this one.
  const handover = broken === undefined || broken.frameworks.length === 0 ? [] : [{ at: healAt(plan) + HANDOVER_MS, name: "stepDown" as const, target: LEADER, forMs: 1 }];
  const orders = drawOrders(seed, QUIET_MS, healAt(plan), (broken?.agents ?? []).map(({ index }) => index));
  return { ...plan, faults: [...drawFaults(plan), ...handover], actions: [...drawActions(plan), ...drawMeddling(plan)], orders };
}

function drawFramework(shape: Chance, sdk: Chance, name: string): FrameworkPlan {
  const jobMs = shape.pick([500, 4_000, 20_000]);
  const drawn = {
    name,
    failoverTimeoutS: shape.pick([3_600, 3_600, 3_600, 60, 0]),
    partitionAware: shape.happens(0.7),
    services: shape.integer(0, 3),
    // So many that they can be done between healing and the end, on one agent.
    jobs: shape.integer(0, jobMs > 10_000 ? 8 : 30),
    jobMs,
    forgetsAck: shape.pick([0, 0, 0.1]),
    sdk: sdk.happens(0.5),
  };
  // As is every framework of the SDK.
  return { ...drawn, partitionAware: drawn.partitionAware || drawn.sdk };
}

/** Few kinds in a run, some of them often: rare combinations are met by many seeds, not by one. */
function drawFaults(plan: Plan): Fault[] {
  const faults = faultNames.filter((name) => name !== "restoreBackup").flatMap((name) => drawKind(plan, name));
  return [...faults, ...drawRestores(plan)].sort((a, b) => a.at - b.at);
}

/** Each kind by a chance of its own: a kind more changes no other. */
function drawKind(plan: Plan, name: FaultName): Fault[] {
  const chance = new Chance(plan.seed, `fault/${name}`);
  if (!chance.happens(0.25)) return [];
  const faults: Fault[] = [];
  const everyMs = chance.pick([8_000, 25_000, 60_000]);
  const durations = chance.pick([[300, 2_000], [300, 2_000, 8_000], [8_000, 40_000, 120_000]]);
  for (let at = QUIET_MS + chance.between(0, everyMs); at < healAt(plan); at += chance.between(0.3, 1.7) * everyMs) {
    const target = chance.happens(0.6) ? LEADER : chance.integer(0, 9);
    faults.push({ at: Math.round(at), name, target, forMs: Math.round(chance.tailed(chance.pick(durations))) });
  }
  return faults;
}

function drawRestores(plan: Plan): Fault[] {
  const chance = new Chance(plan.seed, "restores");
  if (!chance.happens(RESTORES)) return [];
  return Array.from({ length: chance.integer(1, 2) }, () => ({
    at: Math.round(chance.between(QUIET_MS * 3, healAt(plan))),
    name: "restoreBackup",
    target: chance.integer(0, 3),
    forMs: Math.round(chance.tailed(2_000)),
  }));
}

function drawActions(plan: Plan): Action[] {
  const chance = new Chance(plan.seed, "actions");
  const actions: Action[] = [];
  for (let at = QUIET_MS; at < endAt(plan); at += chance.between(1_000, 15_000)) {
    const name = chance.pick(["kill", "kill", "killNext", "reconcile", "reconcileAll"] as const);
    actions.push({ at: Math.round(at), framework: chance.integer(0, plan.frameworks.length - 1), name });
  }
  return actions;
}

function drawMeddling(plan: Plan): Action[] {
  const chance = new Chance(plan.seed, "meddling");
  const actions: Action[] = [];
  if (plan.frameworks.length < 2) return actions;
  for (let at = QUIET_MS; at < endAt(plan); at += chance.between(5_000, 40_000)) {
    actions.push({ at: Math.round(at), framework: chance.integer(0, plan.frameworks.length - 1), name: chance.pick(meddlingNames) });
  }
  return actions;
}
