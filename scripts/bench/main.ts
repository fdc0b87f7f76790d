/**
 * Measures what mesarch promises, on this machine, with real etcd members and master processes.
 *
 *     npm run bench -- [--only crash,launches] [--rounds N] [--json FILE]
 *
 * `MESARCH_BENCH_MASTER_ARGS`: options for Node, such as `--cpu-prof`, to look into a master.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Benchmark, BenchmarkContext, Findings } from "./benchmark.ts";
import { compiledTree } from "./build.ts";
import { crash } from "./crash.ts";
import { double } from "./double.ts";
import { handover } from "./handover.ts";
import { hang } from "./hang.ts";
import { launches } from "./launches.ts";
import { describeMachine } from "./machine.ts";
import { memory } from "./memory.ts";
import { hottest, profiling, type ProfileKind } from "./profile.ts";
import { reregister } from "./reregister.ts";
import { table } from "./table.ts";
import { telemetry } from "./telemetry.ts";

interface Entry {
  readonly run: Benchmark;
  /** What is looked at when it misses its goal. */
  readonly profile: ProfileKind;
}

const benchmarks: Readonly<Record<string, Entry>> = {
  crash: { run: crash, profile: "cpu" },
  handover: { run: handover, profile: "cpu" },
  hang: { run: hang, profile: "cpu" },
  double: { run: double, profile: "cpu" },
  launches: { run: launches, profile: "cpu" },
  reregister: { run: reregister, profile: "cpu" },
  memory: { run: memory, profile: "heap" },
  telemetry: { run: telemetry, profile: "cpu" },
};

/** Enough to see where the time goes. */
const PROFILED_ROUNDS = 3;

const { values } = parseArgs({
  options: { only: { type: "string" }, rounds: { type: "string" }, json: { type: "string" }, help: { type: "boolean", short: "h" } },
});
const names = values.only?.split(",") ?? Object.keys(benchmarks);
const unknown = names.filter((name) => !(name in benchmarks));
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (values.help === true || unknown.length > 0 || (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))) {
  if (unknown.length > 0) console.error(`no such benchmark: ${unknown.join(", ")}`);
  console.error("usage: npm run bench -- [--only NAME[,NAME]] [--rounds N] [--json FILE]");
  console.error(`benchmarks: ${Object.keys(benchmarks).join(", ")}`);
  process.exit(values.help === true ? 0 : 2);
}

// Whatever was started is ended, and removed, on exit.
for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) process.once(signal, () => process.exit(status));

const startedAt = performance.now();
const say = (text: string): void => console.error(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
const build = compiledTree(say);
const masterArgs = (process.env["MESARCH_BENCH_MASTER_ARGS"] ?? "").split(" ").filter((arg) => arg !== "");
const machine = await describeMachine();
const findings: Findings[] = [];
const failures: string[] = [];
for (const name of names) {
  try {
    findings.push(await measure(name));
  } catch (error) {
    say(`${name} failed: ${error instanceof Error ? error.stack : String(error)}`);
    failures.push(name);
  }
}

console.log(table(machine, findings));
if (failures.length > 0) console.log(`failed: ${failures.join(", ")}`);
if (values.json !== undefined) {
  const report = Object.assign({ machine }, ...findings.map((each) => each.report)) as object;
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}
process.exit(failures.length > 0 ? 1 : 0);

/** Runs a benchmark; one that misses a goal runs once more, with its masters under a profiler. */
async function measure(name: string): Promise<Findings> {
  const { run, profile } = benchmarks[name]!;
  const context: BenchmarkContext = { build, rounds, masterArgs, progress: (text) => say(`${name}  ${text}`) };
  const found = await run(context);
  if (found.lines.every(({ met }) => met !== false)) return found;
  const directory = mkdtempSync(join(tmpdir(), "mesarch-bench-profile-"));
  try {
    say(`${name}  a goal is missed: once more, to see where the ${profile === "cpu" ? "time" : "memory"} goes`);
    await run({ ...context, rounds: Math.min(rounds ?? PROFILED_ROUNDS, PROFILED_ROUNDS), masterArgs: [...masterArgs, ...profiling(profile, directory)] });
    return { ...found, lines: [...found.lines, ...hottest(profile, directory, build)] };
  } catch (error) {
    return { ...found, lines: [...found.lines, { name: "  profile", value: `failed: ${String(error)}` }] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
