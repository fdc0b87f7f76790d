/**
 * Tests the simulation: plants each known bug in a copy of the source and expects a red run within its seeds.
 *
 *     npm run sim:bugs -- [--only TEXT] [--jobs N]
 *
 * Exit code 0: every bug was found.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type PlantedBug, plantedBugs } from "./planted-bugs.ts";

const root = join(import.meta.dirname, "../..");
/** All that the simulation reads. */
const PARTS = ["src", "chaos", "test/support", "package.json"];

interface Found {
  readonly bug: PlantedBug;
  /** The first flaw, as the run told it; undefined: not found. */
  readonly flaw: string | undefined;
  readonly seconds: number;
}

const { values } = parseArgs({ options: { only: { type: "string", default: "" }, jobs: { type: "string", default: String(availableParallelism()) } } });
const chosen = plantedBugs.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) {
  console.error(`no planted bug has "${values.only}" in its name`);
  process.exit(2);
}
const missed: string[] = [];
for (const bug of chosen) {
  const { flaw, seconds } = await find(bug);
  console.log(`${flaw === undefined ? "MISSED" : "found "}  ${bug.name} (${seconds.toFixed(0)} s, within ${bug.seeds} seeds)${flaw === undefined ? "" : `: ${flaw}`}`);
  if (flaw === undefined) missed.push(bug.name);
}
console.log(`${chosen.length - missed.length} of ${chosen.length} planted bugs were found`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function find(bug: PlantedBug): Promise<Found> {
  const startedAt = performance.now();
  const tree = mkdtempSync(join(tmpdir(), "mesarch-planted-"));
  try {
    for (const part of PARTS) cpSync(join(root, part), join(tree, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
    plant(tree, bug);
    const output = await simulate(tree, bug);
    const flaw = /^seed \d+ is red: .*$/m.exec(output)?.[0];
    return { bug, flaw, seconds: (performance.now() - startedAt) / 1_000 };
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** Throws if the source has changed so that the bug has no place any more: it must be given a new one. */
function plant(tree: string, { name, file, find: text, replace }: PlantedBug): void {
  const path = join(tree, file);
  const source = readFileSync(path, "utf8");
  if (source.split(text).length !== 2) throw new Error(`"${name}": the text to be changed is not once in ${file}`);
  writeFileSync(path, source.replace(text, () => replace));
}

function simulate(tree: string, { seeds, breaks }: PlantedBug): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ["--disable-warning=ExperimentalWarning", "chaos/sim/main.ts", "--seeds", String(seeds), "--jobs", values.jobs, "--quick", "--only", breaks.join()];
    const child = spawn(process.execPath, args, { cwd: tree, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", () => resolve(output));
  });
}
