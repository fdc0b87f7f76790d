/** A drill: canaries, then round after round a fault, a measurement, and a count of what became of every task. */
import { withDeadline } from "../../async/abort.ts";
import { errorChain, MesarchError } from "../../base/errors.ts";
import type { OperatorClient } from "../../sdk/operator.ts";
import { measured } from "../render.ts";
import { version } from "../version.ts";
import { Canaries, type Placed } from "./canaries.ts";
import { Census } from "./census.ts";
import { drillReport, type DrillFacts, type DrillKind, type DrillReport, type RoundReport } from "./report.ts";
import { whenWhole, strengthOf, type Strength } from "./strength.ts";
import { chooseAgent, restartAgent, strikeLeader, type Struck } from "./strike.ts";

export interface DrillOptions {
  readonly kind: DrillKind;
  readonly rounds: number;
  readonly canaries: number;
  readonly objectiveMs: number;
  /** Whose offers the canaries use. */
  readonly role: string;
  /** Id or host of the agent to restart; default: the one that runs most canaries. */
  readonly agent: string | undefined;
  readonly masters: readonly string[];
  /** Longest wait for an answer of the cluster, in milliseconds. */
  readonly timeoutMs: number;
  /** Under which the report is kept. */
  readonly id: string;
  readonly operator: OperatorClient;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A round is given up when it takes so much longer than its objective. */
const ROUND_MARGIN_MS = 30_000;

/** Rejects when nothing was struck: refused, no room for canaries, given up. What fails later is a report of that. */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const { kind, operator, note, signal } = options;
  const strength = await readiness(options);
  const facts: DrillFacts = {
    kind,
    id: options.id,
    started_at: new Date().toISOString(),
    cluster: (await operator.status({ signal })).clusterId,
    version: version(),
    canaries: options.canaries,
    rounds: options.rounds,
    objective_ms: options.objectiveMs,
  };
  await using canaries = await Canaries.connect(options);
  note(`launching ${options.canaries} canaries on ${strength.agents} agents`);
  const placed = await canaries.launch(options.canaries, strength.agents, signal);
  // Also when a drill before this one, or an upgrade, has just ended.
  await whenWhole(operator, strength, signal);
  const results: RoundReport[] = [];
  try {
    while (results.length < options.rounds) results.push(await oneRound(options, canaries, placed, strength, results.length + 1));
    return drillReport(facts, results);
  } catch (error) {
    signal.throwIfAborted();
    const untouched = results.length === 0 && error instanceof MesarchError && (error.code === "refused" || error.code === "not_found");
    if (untouched) throw error;
    return drillReport(facts, results, `round ${results.length + 1}: ${errorChain(error).join(": ")}`);
  }
}

/** What there is to lose. Rejects with "conflict" when this cluster cannot stand the fault. */
async function readiness({ kind, operator, signal }: DrillOptions): Promise<Strength> {
  const strength = await strengthOf(operator, signal);
  if (strength.agents === 0) throw new MesarchError("conflict", "no agent is confirmed, so canaries cannot run", { remedy: "See: mesarch agent list" });
  if (kind !== "agent-restart" && strength.masters < 2) {
    throw new MesarchError("conflict", "there is no standby to take over from the leader", { remedy: "See: mesarch master list" });
  }
  return strength;
}

async function oneRound(options: DrillOptions, canaries: Canaries, placed: readonly Placed[], strength: Strength, round: number): Promise<RoundReport> {
  const { kind, operator, note, signal } = options;
  await using census = await Census.begin({ operator, frameworkId: canaries.frameworkId, signal });
  const struck = await strike(options, canaries, placed);
  note(`round ${round}: ${struck.from} ${deed[kind]}; a new task ran after ${measured(struck.failover_ms)}; waiting until the cluster is whole`);
  await whenWhole(operator, strength, signal);
  const { counts, findings } = await census.outcome();
  await canaries.retire(struck.canary, signal);
  for (const finding of findings) note(`round ${round}: ${finding}`);
  const { canary: _, ...times } = struck;
  return { round, ...times, tasks: counts, findings };
}

const deed: { readonly [K in DrillKind]: string } = { handover: "handed over", crash: "crashed", hang: "hung", "agent-restart": "died" };

async function strike({ kind, operator, agent, objectiveMs, signal }: DrillOptions, canaries: Canaries, placed: readonly Placed[]): Promise<Struck> {
  const limitMs = objectiveMs + ROUND_MARGIN_MS;
  using deadline = withDeadline(signal, limitMs);
  try {
    const stage = { operator, canaries, signal: deadline.signal };
    if (kind !== "agent-restart") return await strikeLeader(kind, stage);
    return await restartAgent(await chooseAgent(operator, placed, agent, deadline.signal), stage);
  } catch (error) {
    if (signal.aborted || !deadline.signal.aborted) throw error;
    throw new MesarchError("timed_out", `no new task ran within ${limitMs / 1_000} s after the fault`);
  }
}
