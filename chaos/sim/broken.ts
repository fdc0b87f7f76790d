/**
 * What stays broken when all else is healed (I29): faults that always heal would hide who waits for them. The core that
 * is left is sufficient, so whatever fits it has to be done by it alone.
 */
import type { Chance } from "./chance.ts";
import type { SimCluster } from "./cluster.ts";
import type { FrameworkPlan } from "./frameworks.ts";
import type { MasterNode } from "./masters.ts";
import type { Plan } from "./plan.ts";

/** These cost a master its lease, however few there are to depose it. */
const WITHOUT_STORE = ["down", "dark", "frozen", "cutFromStore", "hungStore", "deafToStore"] as const;
/** These leave a leader its lease: a majority has to see it, or it has to see for itself that agents are elsewhere. */
const WITH_STORE = ["isolated", "silent", "deaf", "cutFromAgents"] as const;
const AGENT_BREAKS = ["down", "dark", "frozen", "isolated", "silent", "deaf", "diskFull"] as const;

type MasterBreak = (typeof WITHOUT_STORE | typeof WITH_STORE)[number];
type AgentBreak = (typeof AGENT_BREAKS)[number];

export interface Broken {
  readonly masters: readonly { readonly index: number; readonly how: MasterBreak }[];
  readonly agents: readonly { readonly index: number; readonly how: AgentBreak }[];
  /** Schedulers that stay away. */
  readonly frameworks: readonly number[];
}

type Shape = Pick<Plan, "masters" | "agents" | "frameworks">;

/** Of half a processor each, on four. */
const TASKS_PER_AGENT = 8;
/** Between a job's end and the next one's beginning. */
const TURN_MS = 1_500;
/** All jobs are to be done within this. */
const JOBS_MS = 100_000;

/** How many agents can hold all services, and do all jobs in the time there is. */
export function agentsNeeded(frameworks: readonly FrameworkPlan[]): number {
  const services = frameworks.reduce((sum, framework) => sum + framework.services, 0);
  const workMs = frameworks.reduce((sum, { jobs, jobMs }) => sum + jobs * (jobMs + TURN_MS), 0);
  return Math.ceil((services + Math.max(2, workMs / JOBS_MS)) / TASKS_PER_AGENT);
}

/** Undefined: it came out that nothing is. */
export function drawBroken(chance: Chance, shape: Shape): Broken | undefined {
  const masters = chance.integer(0, shape.masters - 1);
  const agents = chance.integer(0, Math.max(0, shape.agents - agentsNeeded(shape.frameworks)));
  const frameworks = chance.integer(0, shape.frameworks.length - 1);
  if (masters + agents + frameworks === 0) return undefined;
  const hows = mayHoldStore(shape.masters - masters, shape.masters) ? [...WITHOUT_STORE, ...WITH_STORE] : WITHOUT_STORE;
  const possible = hows.filter((how) => how !== "cutFromAgents" || shape.agents - agents >= 2);
  return {
    masters: some(chance, shape.masters, masters).map((index) => ({ index, how: chance.pick(possible) })),
    agents: some(chance, shape.agents, agents).map((index) => ({ index, how: chance.pick(AGENT_BREAKS) })),
    frameworks: some(chance, shape.frameworks.length, frameworks),
  };
}

/** Whether what is left can do it all; a plan that was made smaller need not be. */
export function isSufficient({ broken, ...shape }: Plan): boolean {
  if (broken === undefined) return shape.agents >= agentsNeeded(shape.frameworks);
  const masters = shape.masters - broken.masters.length;
  const agents = shape.agents - broken.agents.length;
  const isThere = [
    ...broken.masters.map(({ index }) => index < shape.masters),
    ...broken.agents.map(({ index }) => index < shape.agents),
    ...broken.frameworks.map((index) => index < shape.frameworks.length),
  ];
  if (masters < 1 || agents < agentsNeeded(shape.frameworks) || isThere.includes(false)) return false;
  return broken.masters.every(({ how }) => {
    if (how === "cutFromAgents" && agents < 2) return false;
    return !(WITH_STORE as readonly string[]).includes(how) || mayHoldStore(masters, shape.masters);
  });
}

/** 2.10: more than half of those who vote on it have to be in the core. */
function mayHoldStore(core: number, masters: number): boolean {
  return core * 2 > masters;
}

function some(chance: Chance, of: number, count: number): number[] {
  const left = Array.from({ length: of }, (_, index) => index);
  return Array.from({ length: count }, () => left.splice(chance.integer(0, left.length - 1), 1)[0]!);
}

/** Breaks it all. Returns the agents out of reach, by their ids. */
export function breakForGood(cluster: SimCluster, { masters, agents, frameworks }: Broken): ReadonlySet<string> {
  for (const index of frameworks) cluster.frameworks[index]!.retire();
  for (const { index, how } of masters) breakMaster(cluster, cluster.masters[index]!, how);
  const broken = agents.map(({ index, how }) => {
    const agent = cluster.agents[index]!;
    const { name } = agent;
    if (how === "down") agent.kill();
    else if (how === "frozen") agent.process?.freeze();
    else if (how === "diskFull") agent.disk.full = true;
    else sever(cluster, name, how, cluster.masters);
    return agent;
  });
  const targets = [...masters.map(({ index }) => `master/${cluster.masters[index]!.name}`), ...broken.map(({ name }) => `agent/${name}`), ...frameworks.map((index) => `framework/${cluster.frameworks[index]!.name}`)];
  cluster.write({ actor: "nemesis", kind: "fault", op: "fault", value: { name: "broken", targets, on: true } });
  return new Set(broken.map(({ id }) => id));
}

function breakMaster(cluster: SimCluster, master: MasterNode, how: MasterBreak): void {
  const links = { cutFromStore: "cut", hungStore: "hung", deafToStore: "deaf" } as const;
  switch (how) {
    case "dark":
      master.retire();
      return cluster.network.darken(master.name);
    case "down":
      return master.retire();
    case "frozen":
      return master.process?.freeze();
    case "cutFromStore":
    case "hungStore":
    case "deafToStore":
      master.storeLink = links[how];
      return;
    case "cutFromAgents":
      return sever(cluster, master.name, "isolated", cluster.agents);
    default:
      return sever(cluster, master.name, how, [...cluster.masters, ...cluster.agents, ...cluster.frameworks]);
  }
}

function sever({ network }: SimCluster, name: string, how: "dark" | "isolated" | "silent" | "deaf", others: readonly { readonly name: string }[]): void {
  if (how === "dark") return network.darken(name);
  for (const other of others) {
    if (other.name === name) continue;
    if (how !== "deaf") network.cut(name, other.name);
    if (how !== "silent") network.cut(other.name, name);
  }
}
