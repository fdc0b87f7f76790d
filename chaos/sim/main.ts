/** `npm run sim`, simulated clusters by the seed: see usage.ts for what it can be told. */
import { writeFileSync } from "node:fs";
import { SHOWN_IN_SIMULATION } from "../checkers/index.ts";
import { campaign, judgeSeed, type Order, type Report } from "./campaign.ts";
import { type Judged, judge, judgeWithHistory } from "./judge.ts";
import { allMarks } from "./marks.ts";
import type { Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { describePlan, relatedTo, transcript } from "./transcript.ts";
import { type Campaign, parseSimulation, type Simulation, USAGE } from "./usage.ts";

const SHRINK_RUNS = 300;
/** A mark that this many seeds did not reach is lost, and so is an invariant that they did not test. */
const MANY_SEEDS = 300;

if (process.argv.includes("--worker")) work();
else process.exitCode = await main(process.argv.slice(2));

function work(): void {
  process.on("message", (order: Order) => {
    judgeSeed(order).then(
      (judged) => process.send!({ judged } satisfies Report),
      (error: unknown) => process.send!({ seed: order.seed, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies Report),
    );
  });
  process.on("disconnect", () => process.exit(0));
}

async function main(args: readonly string[]): Promise<number> {
  let wanted: Simulation;
  try {
    wanted = parseSimulation(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error(USAGE);
    return 2;
  }
  switch (wanted.kind) {
    case "help":
      console.log(USAGE);
      return 0;
    case "one":
      return one(wanted.plan, wanted.trace);
    case "many":
      return many(wanted);
  }
}

/** One run, told in full if wanted. */
async function one(plan: Plan, trace: boolean): Promise<number> {
  const { judged, history } = await judgeWithHistory(plan);
  if (trace) for (const line of [...describePlan(plan), "", ...transcript(history)]) console.log(line);
  for (const { kind, what, events } of judged.flaws) console.log(`RED  ${kind}: ${what}${events.length > 0 ? `  (events ${events.join(", ")})` : ""}`);
  console.log(`seed ${plan.seed}: ${judged.flaws.length === 0 ? "ok" : `${judged.flaws.length} flaws`}, ${judged.events} events, digest ${judged.digest}`);
  return judged.flaws.length === 0 ? 0 : 1;
}

async function many({ base, count, jobs, durationMs, json, quick, only }: Campaign): Promise<number> {
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
      const matter = flaws.filter(({ kind }) => only.has(kind));
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
