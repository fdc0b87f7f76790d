/** What a drill found, as it is kept and shown: the names here are those of `-o json`, and stay. */

export const drillKinds = ["handover", "crash", "hang", "agent-restart"] as const;
export type DrillKind = (typeof drillKinds)[number];

/** Milliseconds that every round must stay within unless `--objective` says otherwise. Far above what a sound cluster needs. */
export const objectives: { readonly [K in DrillKind]: number } = { handover: 500, crash: 1_000, hang: 2_000, "agent-restart": 10_000 };

export interface TaskCounts {
  /** Every running task of the cluster before the round, canaries included. */
  readonly running_before: number;
  /** Gone, unreachable or not known any more, although neither they nor their frameworks ended them. */
  readonly lost: number;
  /** Ended by a signal or as killed, although nobody ordered that. */
  readonly killed: number;
  /** Canaries that were started a second time. */
  readonly restarted: number;
  /** Two live launches of one task, or two processes of one canary at a time. */
  readonly duplicated: number;
}

/** Milliseconds since the first sign of the fault, by the name of what was reached, in order. */
export type Phases = { readonly [phase: string]: number };

export interface RoundReport {
  readonly round: number;
  /** From the order until a canary launched after it is told to run. */
  readonly failover_ms: number;
  /** The struck master or agent, and who leads then. */
  readonly from: string;
  readonly to: string;
  /** As the leader's history has it: crash, silence, handover, ... */
  readonly cause: string;
  readonly phases_ms: Phases;
  readonly tasks: TaskCounts;
  /** What went wrong, one line each. */
  readonly findings: readonly string[];
}

/** held: every round within the objective, no task harmed. missed: a round took longer. failed: a task harmed, or no end. */
export type Verdict = "held" | "missed" | "failed";

export interface DrillReport {
  readonly kind: DrillKind;
  readonly id: string;
  readonly started_at: string;
  readonly cluster: string;
  readonly version: string;
  readonly canaries: number;
  /** As asked for. */
  readonly rounds: number;
  readonly objective_ms: number;
  readonly verdict: Verdict;
  readonly failover_ms: { readonly p50: number | null; readonly p99: number | null; readonly max: number | null };
  /** `running_before`: of the first round; the rest: of all rounds together. */
  readonly tasks: TaskCounts;
  /** The median of each phase. */
  readonly phases_ms: Phases;
  readonly findings: readonly string[];
  /** Of the rounds that came to their end. */
  readonly results: readonly RoundReport[];
}

export type DrillFacts = Pick<DrillReport, "kind" | "id" | "started_at" | "cluster" | "version" | "canaries" | "rounds" | "objective_ms">;

/** `failure`: why not every round came to its end. */
export function drillReport(facts: DrillFacts, results: readonly RoundReport[], failure?: string): DrillReport {
  const times = results.map(({ failover_ms }) => failover_ms);
  const harm = sum(results.map(({ tasks }) => tasks.lost + tasks.killed + tasks.restarted + tasks.duplicated));
  const late = times.some((ms) => ms > facts.objective_ms);
  const { kind, id, ...rest } = facts;
  return {
    kind,
    id,
    ...rest,
    verdict: harm > 0 || failure !== undefined ? "failed" : late ? "missed" : "held",
    failover_ms: { p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: percentile(times, 1) },
    tasks: {
      running_before: results[0]?.tasks.running_before ?? 0,
      lost: sum(results.map(({ tasks }) => tasks.lost)),
      killed: sum(results.map(({ tasks }) => tasks.killed)),
      restarted: sum(results.map(({ tasks }) => tasks.restarted)),
      duplicated: sum(results.map(({ tasks }) => tasks.duplicated)),
    },
    phases_ms: medians(results.map(({ phases_ms }) => phases_ms)),
    findings: [
      ...results.flatMap(({ round, findings }) => findings.map((finding) => `round ${round}: ${finding}`)),
      ...(failure === undefined ? [] : [failure]),
    ],
    results,
  };
}

/** The nearest that was measured, so that a few rounds promise nothing that none of them showed. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

function medians(rounds: readonly Phases[]): Phases {
  const names = [...new Set(rounds.flatMap((phases) => Object.keys(phases)))];
  return Object.fromEntries(
    names.map((name) => [name, percentile(rounds.flatMap((phases) => phases[name] ?? []), 0.5) ?? 0]),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
