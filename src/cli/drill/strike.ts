/** One fault, and how long the cluster needed. */
import { delay } from "../../async/abort.ts";
import { compareEpochs, NO_EPOCH, type Epoch } from "../../base/epoch.ts";
import { MesarchError } from "../../base/errors.ts";
import type { OperatorClient } from "../../sdk/operator.ts";
import type { AgentView } from "../../wire/gen/mesarch/v1/operator.ts";
import type { FailoverPhases, LeaderRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { Canaries, Placed } from "./canaries.ts";
import type { DrillKind, Phases, RoundReport } from "./report.ts";

export interface Stage {
  readonly operator: OperatorClient;
  readonly canaries: Canaries;
  /** Fires when the drill is given up, or this round takes too long. */
  readonly signal: AbortSignal;
}

export interface Struck extends Pick<RoundReport, "failover_ms" | "from" | "to" | "cause" | "phases_ms"> {
  /** The canary whose launch ended the measurement. */
  readonly canary: Placed;
}

const LOOK_MS = 25;
/** Phases are written when the last is reached, a moment after a framework hears of it. */
const PHASES_MS = 5_000;

const orders = { handover: "stepDown", crash: "crashLeader", hang: "hangLeader" } as const;

export async function strikeLeader(kind: Exclude<DrillKind, "agent-restart">, { operator, canaries, signal }: Stage): Promise<Struck> {
  // Asked before, so that finding the leader and connecting are not measured.
  const { epoch = NO_EPOCH } = await operator.status({ signal });
  const started = performance.now();
  const [canary, { from, to }] = await Promise.all([canaries.next({ after: epoch }, signal), operator[orders[kind]]({ signal })]);
  const record = await explained(operator, canaries.epoch, signal);
  return {
    failover_ms: tenths(canary.at - started),
    from: from.name,
    // Another leader may have followed by now: the one under whom the canary runs counts.
    to: record?.master ?? to.name,
    cause: record?.cause ?? "",
    phases_ms: phasesOf(record?.phases),
    canary,
  };
}

export async function restartAgent(agent: AgentView, { operator, canaries, signal }: Stage): Promise<Struck> {
  const { leader } = await operator.status({ signal });
  const started = performance.now();
  const since = (): number => tenths(performance.now() - started);
  await operator.crashAgent(agent.record?.address ?? "", { signal });
  const phases = { died: since(), returned: 0, confirmed: 0, first_launch: 0 };
  const starts = agent.record?.incarnation?.starts ?? 0;
  for (;;) {
    const now = (await operator.agents({ signal })).find(({ id }) => id === agent.id);
    const again = (now?.record?.incarnation?.starts ?? 0) > starts;
    if (again && phases.returned === 0) phases.returned = since();
    if (again && now?.confirmed === true) break;
    await delay(LOOK_MS, signal);
  }
  phases.confirmed = since();
  const canary = await canaries.next({ agentId: agent.id }, signal);
  phases.first_launch = tenths(canary.at - started);
  return {
    failover_ms: phases.first_launch,
    from: agent.record?.info?.hostname ?? agent.id,
    to: leader,
    cause: "crash",
    phases_ms: phases,
    canary,
  };
}

/** `wanted`, or the agent that runs most canaries. */
export async function chooseAgent(operator: OperatorClient, placed: readonly Placed[], wanted: string | undefined, signal: AbortSignal): Promise<AgentView> {
  const confirmed = (await operator.agents({ signal })).filter((agent) => agent.confirmed);
  const canariesOn = (id: string): number => placed.filter(({ agentId }) => agentId === id).length;
  const chosen =
    wanted === undefined
      ? confirmed.toSorted((a, b) => canariesOn(b.id) - canariesOn(a.id))[0]
      : confirmed.find(({ id, record }) => id === wanted || record?.info?.hostname === wanted);
  if (chosen !== undefined) return chosen;
  throw new MesarchError("not_found", wanted === undefined ? "no agent is confirmed" : `no confirmed agent is "${wanted}"`, {
    remedy: "See: mesarch agent list",
  });
}

/** The history's record of a leadership, once complete; as far as it got when it does not become so. */
async function explained(operator: OperatorClient, epoch: Epoch, signal: AbortSignal): Promise<LeaderRecord | undefined> {
  const until = performance.now() + PHASES_MS;
  for (;;) {
    const leaders = await operator.leaderHistory({ limit: 10, signal });
    const record = leaders.find((leader) => compareEpochs(leader.epoch ?? NO_EPOCH, epoch) === 0);
    if (record?.phases?.firstLaunchMs !== undefined || performance.now() > until) return record;
    await delay(LOOK_MS, signal);
  }
}

function phasesOf(phases: FailoverPhases | undefined): Phases {
  const named = {
    detected: phases?.detectedMs,
    deposed: phases?.deposedMs,
    elected: phases?.electedMs,
    loaded: phases?.loadedMs,
    agents_confirmed: phases?.agentsConfirmedMs,
    first_launch: phases?.firstLaunchMs,
  };
  return Object.fromEntries(Object.entries(named).flatMap(([name, ms]) => (ms === undefined || ms < 0 ? [] : [[name, tenths(ms)]])));
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
