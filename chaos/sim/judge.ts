/** What is wrong with a run: by the checkers, by the state of the cluster in the end, and by its own complaints. */
import type { CheckOptions, Verdict } from "../checkers/verdict.ts";
import { check } from "../checkers/index.ts";
import { marksOf } from "./marks.ts";
import { CALM_AFTER_MS, type Plan } from "./plan.ts";
import { run } from "./run.ts";

export interface Judged {
  readonly plan: Plan;
  readonly digest: string;
  readonly events: number;
  /** What is wrong, in sentences, the invariant first; empty when all is well. */
  readonly flaws: readonly Flaw[];
  /** By invariant: how often it was put to the test. */
  readonly tested: Readonly<Record<string, number>>;
  readonly marks: Readonly<Record<string, number>>;
}

export interface Flaw {
  /** What is broken, one of `allFlawKinds`: an invariant, or `end` for what the cluster complains of when all is over. */
  readonly kind: string;
  readonly what: string;
  /** `seq` of events that show it. */
  readonly events: readonly number[];
}

const OPTIONS: CheckOptions = { recoveryBoundsMs: {}, beatGapMs: Infinity, settleMs: 30_000, calmMs: CALM_AFTER_MS };

/** `determinism`: the same seed gave two histories. */
export const allFlawKinds: ReadonlySet<string> = new Set(["end", "determinism", ...check([], OPTIONS).map(({ invariant }) => invariant)]);

export async function judge(plan: Plan): Promise<Judged> {
  return (await judgeWithHistory(plan)).judged;
}

export async function judgeWithHistory(plan: Plan) {
  const { history, complaints, digest, events } = await run(plan);
  const verdicts = check(history, { ...OPTIONS, policy: { unreachableAfterMs: plan.agentPingTimeoutMs } });
  const flaws = [...complaints.map((what) => ({ kind: "end", what, events: [] })), ...verdicts.flatMap(flawsOf)];
  const tested = Object.fromEntries(verdicts.map(({ invariant, tested: times }) => [invariant, times]));
  return { history, judged: { plan, digest, events, flaws, tested, marks: Object.fromEntries(marksOf(history)) } satisfies Judged };
}

function flawsOf({ invariant, outcome, findings }: Verdict): Flaw[] {
  return outcome === "violated" ? findings.map(({ what, events }) => ({ kind: invariant, what, events })) : [];
}
