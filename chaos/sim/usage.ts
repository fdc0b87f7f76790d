/** What `npm run sim` and `npm run sim:bugs` can be told. Whatever cannot be meant is an Error that says so. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { allFlawKinds } from "./judge.ts";
import { drawPlan, type Plan } from "./plan.ts";

export const USAGE = `usage:
  npm run sim -- --seeds N [--seed-base N] [--jobs N] [--minutes N] [--json FILE] [--quick] [--only KIND,...]
      many seeds; a red one is shrunk and told as a transcript, or just named if --quick; --only: what makes one red
  npm run sim -- --seed N [--minutes N] [--trace]
  npm run sim -- --plan FILE [--trace]
      one run, with --trace event for event

Exit code 0: all is well. 1: a seed is red, or the simulation failed. 2: usage.`;

export const BUGS_USAGE = `usage:
  npm run sim:bugs -- [--only TEXT] [--jobs N]
      --only: bugs with this in their names

Exit code 0: every bug was found. 1: one was not, or the simulation failed. 2: usage.`;

export interface Campaign {
  readonly kind: "many";
  readonly base: number;
  readonly count: number;
  readonly jobs: number;
  readonly durationMs: number;
  readonly json: string | undefined;
  /** Tell of a red seed without making it small. */
  readonly quick: boolean;
  /** Kinds of flaws that make a seed red. */
  readonly only: ReadonlySet<string>;
}

export type Simulation = { readonly kind: "help" } | { readonly kind: "one"; readonly plan: Plan; readonly trace: boolean } | Campaign;

/** Shorter runs have no time for anything but the beginning. */
const LEAST_MINUTES = 5;

export function parseSimulation(args: readonly string[]): Simulation {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string" },
      "seed-base": { type: "string", default: "1" },
      seed: { type: "string" },
      plan: { type: "string" },
      trace: { type: "boolean", default: false },
      jobs: { type: "string", default: String(availableParallelism()) },
      minutes: { type: "string", default: "10" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return { kind: "help" };
  const asked = [values.seeds, values.seed, values.plan].filter((value) => value !== undefined).length;
  if (asked !== 1) throw new Error("one of --seeds, --seed and --plan is needed");
  const durationMs = whole("minutes", values.minutes, LEAST_MINUTES) * 60_000;
  if (values.plan !== undefined) return { kind: "one", plan: readPlan(values.plan), trace: values.trace };
  if (values.seed !== undefined) return { kind: "one", plan: drawPlan(whole("seed", values.seed, 0), durationMs), trace: values.trace };
  return {
    kind: "many",
    base: whole("seed-base", values["seed-base"], 0),
    count: whole("seeds", values.seeds!, 1),
    jobs: whole("jobs", values.jobs, 1),
    durationMs,
    json: values.json,
    quick: values.quick,
    only: values.only === undefined ? allFlawKinds : new Set(values.only.split(",").map(flawKind)),
  };
}

export interface Hunt {
  readonly help: boolean;
  /** Part of a bug's name. */
  readonly only: string;
  readonly jobs: number;
}

export function parseHunt(args: readonly string[]): Hunt {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      jobs: { type: "string", default: String(availableParallelism()) },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return { help: values.help, only: values.only, jobs: whole("jobs", values.jobs, 1) };
}

/** As a red seed wrote it. Plans of versions that drew less cannot be run. */
function readPlan(file: string): Plan {
  let plan: Partial<Plan> | null;
  try {
    plan = JSON.parse(readFileSync(file, "utf8")) as Partial<Plan> | null;
  } catch (error) {
    throw new Error(`--plan ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { broken: _, ...needed } = drawPlan(0);
  const missing = Object.keys(needed).filter((key) => plan?.[key as keyof Plan] === undefined);
  if (missing.length > 0) throw new Error(`--plan ${file}: no plan of this version, as it lacks ${missing.join(", ")}`);
  return plan as Plan;
}

function flawKind(name: string): string {
  if (!allFlawKinds.has(name)) throw new Error(`--only ${name}: one of ${[...allFlawKinds].join(", ")} is needed`);
  return name;
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) throw new Error(`--${name} ${text}: a whole number from ${least} on is needed`);
  return value;
}
