/**
 * Measures what mesarch promises, on this machine, with real etcd members and master processes.
 *
 *     npm run bench -- [--only crash,launches] [--rounds N] [--json FILE]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Benchmark, Findings } from "./benchmark.ts";
import { compiledTree } from "./build.ts";
import { crash } from "./crash.ts";
import { double } from "./double.ts";
import { handover } from "./handover.ts";
import { hang } from "./hang.ts";
import { launches } from "./launches.ts";
import { describeMachine } from "./machine.ts";
import { memory } from "./memory.ts";
import { reregister } from "./reregister.ts";
import { table } from "./table.ts";

const benchmarks: Readonly<Record<string, Benchmark>> = { crash, handover, hang, double, launches, reregister, memory };

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

const startedAt = Date.now();
const say = (text: string): void => console.error(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
const build = compiledTree(say);
const machine = await describeMachine();
const findings: Findings[] = [];
const failures: string[] = [];
for (const name of names) {
  try {
    findings.push(await benchmarks[name]!({ build, rounds, progress: (text) => say(`${name}: ${text}`) }));
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
