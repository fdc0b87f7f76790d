/**
 * Simulated clusters by the seed.
 *
 *     npm run sim -- --seeds 1000 [--seed-base N] [--jobs N] [--json FILE] [--quick] [--only KIND,...]
 *     npm run sim -- --seed N [--trace]
 *     npm run sim -- --plan FILE [--trace]
 *
 * Exit code 0: all is well. 1: a seed is red; it was shrunk and is told as a transcript. 2: usage.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { SHOWN_IN_SIMULATION } from "../checkers/index.ts";
import { campaign, judgeSeed, type Order, type Report } from "./campaign.ts";
import { type Flaw, type Judged, judge, judgeWithHistory } from "./judge.ts";
import { allMarks } from "./marks.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { describePlan, relatedTo, transcript } from "./transcript.ts";

const SHRINK_RUNS = 300;
/** A mark that this many seeds did not reach is lost, and so is an invariant that they did not test. */
const MANY_SEEDS = 300;

if (process.argv.includes("--worker")) work();
else process.exitCode = await main();

function work(): void {
  process.on("message", (order: Order) => {
    judgeSeed(order).then(
      (judged) => process.send!({ judged } satisfies Report),
      (error: unknown) => process.send!({ seed: order.seed, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies Report),
    );
  });
  process.on("disconnect", () => process.exit(0));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      "seed-base": { type: "string", default: "1" },
      seed: { type: "string" },
      plan: { type: "string" },
      trace: { type: "boolean", default: false },
      jobs: { type: "string", default: String(availableParallelism()) },
      minutes: { type: "string", default: "10" },
      json: { type: "string" },
      // Tell of a red seed without making it small.
      quick: { type: "boolean", default: false },
      // Kinds of flaws that make a seed red, such as I8; all if not said.
      only: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const numbers = [values.seeds, values["seed-base"], values.seed, values.jobs, values.minutes].filter((value) => value !== undefined).map(Number);
  const asked = [values.seeds, values.seed, values.plan].filter((value) => value !== undefined).length;
  if (values.help || asked !== 1 || numbers.some((value) => !(value >= 0))) {
    console.error("usage: npm run sim -- --seeds N [--seed-base N] [--jobs N] [--minutes N] [--json FILE] [--quick] [--only KIND,...]");
    console.error("       npm run sim -- --seed N [--minutes N] [--trace]");
    console.error("       npm run sim -- --plan FILE [--trace]");
    return values.help ? 0 : 2;
  }
  const durationMs = Number(values.minutes) * 60_000;
  if (values.plan !== undefined) return one(JSON.parse(readFileSync(values.plan, "utf8")) as Plan, values.trace);
  if (values.seed !== undefined) return one(drawPlan(Number(values.seed), durationMs), values.trace);
  const kinds = values.only?.split(",");
  return many({
    base: Number(values["seed-base"]),
    count: Number(values.seeds),
    jobs: Number(values.jobs),
    durationMs,
    json: values.json,
    quick: values.quick,
    matters: ({ kind }) => kinds?.includes(kind) ?? true,
  });
}

interface Campaign {
  readonly base: number;
  readonly count: number;
  readonly jobs: number;
  readonly durationMs: number;
  readonly json: string | undefined;
  readonly quick: boolean;
  readonly matters: (flaw: Flaw) => boolean;
}

/** One run, told in full if wanted. */
async function one(plan: Plan, trace: boolean): Promise<number> {
  const { judged, history } = await judgeWithHistory(plan);
  if (trace) for (const line of [...describePlan(plan), "", ...transcript(history)]) console.log(line);
  for (const { kind, what, events } of judged.flaws) console.log(`RED  ${kind}: ${what}${events.length > 0 ? `  (events ${events.join(", ")})` : ""}`);
  console.log(`seed ${plan.seed}: ${judged.flaws.length === 0 ? "ok" : `${judged.flaws.length} flaws`}, ${judged.events} events, digest ${judged.digest}`);
  return judged.flaws.length === 0 ? 0 : 1;
}

async function many({ base, count, jobs, durationMs, json, quick, matters }: Campaign): Promise<number> {
  const startedAt = performance.now();
  const red: Judged[] = [];
  const tested = new Map<string, number>();
  const marks = new Map(allMarks.map((name) => [name, 0]));
  let done = 0;
  let shownAt = 0;
  await campaign({
    seeds: Array.from({ length: count }, (_, i) => base + i),
    jobs,
    durationMs,
    enough: () => red.length > 0,
    onJudged: ({ flaws, ...judged }) => {
      done += 1;
      const matter = flaws.filter(matters);
      if (matter.length > 0) red.push({ ...judged, flaws: matter });
      for (const [name, times] of Object.entries(judged.tested)) tested.set(name, (tested.get(name) ?? 0) + times);
      for (const [name, times] of Object.entries(judged.marks)) marks.set(name, (marks.get(name) ?? 0) + times);
      if (performance.now() - shownAt < 2_000 && done < count) return;
      shownAt = performance.now();
      const seconds = (performance.now() - startedAt) / 1_000;
      console.error(`${done} of ${count} seeds, ${(done / seconds).toFixed(2)}/s, ${red.length} red`);
    },
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const [name, times] of [...tested].sort()) console.log(`${name.padEnd(12)} tested ${times} times`);
  const lost = [...marks].filter(([, times]) => times === 0).map(([name]) => name);
  for (const [name, times] of marks) console.log(`${String(times).padStart(8)}  ${name}`);
  if (json !== undefined) {
    const report = { seeds: done, base, seconds, red: red.map(({ plan, flaws }) => ({ plan, flaws })), tested: Object.fromEntries(tested), marks: Object.fromEntries(marks) };
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  const [first] = red;
  if (first !== undefined && quick) console.log(`seed ${first.plan.seed} is red: ${first.flaws[0]!.kind}: ${first.flaws[0]!.what}`);
  else if (first !== undefined) await tell(first);
  const untested = [...SHOWN_IN_SIMULATION].filter((name) => (tested.get(name) ?? 0) === 0);
  const missed = done >= MANY_SEEDS && lost.length + untested.length > 0;
  if (missed) console.log(`never reached: ${[...lost, ...untested].join(", ")}`);
  console.log(`${done} seeds of ${durationMs / 60_000} virtual minutes in ${seconds.toFixed(1)} s: ${red.length} red`);
  return red.length > 0 || missed ? 1 : 0;
}

/** A red seed, made small and told. */
async function tell({ plan, flaws }: Judged): Promise<void> {
  const kinds = new Set(flaws.map(({ kind }) => kind));
  console.error(`seed ${plan.seed} is red (${[...kinds].join(", ")}); shrinking`);
  const small = await shrink(plan, {
    isRed: async (candidate) => (await judge(candidate)).flaws.some(({ kind }) => kinds.has(kind)),
    budget: SHRINK_RUNS,
    onProgress: ({ faults, actions }, runs) => console.error(`  run ${runs}: ${faults.length} faults, ${actions.length} actions`),
  });
  const { judged, history } = await judgeWithHistory(small);
  const shown = relatedTo(history, judged.flaws.flatMap(({ events }) => events));
  for (const line of [...describePlan(small), "", ...transcript(history, shown), ""]) console.log(line);
  for (const { kind, what } of judged.flaws) console.log(`RED  ${kind}: ${what}`);
  const file = `sim-${plan.seed}.json`;
  writeFileSync(file, `${JSON.stringify(small, undefined, 2)}\n`);
  console.log(`replay: npm run sim -- --seed ${plan.seed}    small: npm run sim -- --plan ${file} --trace`);
}
