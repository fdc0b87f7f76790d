/** `npm run sim:bugs`: plants each known bug in a copy of the source, and expects a red run within its seeds. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PlantedBug, plantedBugs } from "./planted-bugs.ts";
import { BUGS_USAGE, type Hunt, parseHunt } from "./usage.ts";

const root = join(import.meta.dirname, "../..");
/** All that the simulation reads. */
const PARTS = ["src", "chaos", "test/support", "package.json"];

interface Found {
  readonly bug: PlantedBug;
  /** The first flaw, as the run told it; undefined: not found. */
  readonly flaw: string | undefined;
  readonly seconds: number;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let hunt: Hunt;
  try {
    hunt = parseHunt(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error(BUGS_USAGE);
    return 2;
  }
  const chosen = plantedBugs.filter(({ name }) => name.includes(hunt.only));
  if (hunt.help) console.log(BUGS_USAGE);
  else if (chosen.length === 0) console.error(`no planted bug has "${hunt.only}" in its name`);
  else return huntFor(chosen, hunt.jobs);
  return hunt.help ? 0 : 2;
}

async function huntFor(bugs: readonly PlantedBug[], jobs: number): Promise<number> {
  const missed: string[] = [];
  for (const bug of bugs) {
    const { flaw, seconds } = await find(bug, jobs);
    console.log(`${flaw === undefined ? "MISSED" : "found "}  ${bug.name} (${seconds.toFixed(0)} s, within ${bug.seeds} seeds)${flaw === undefined ? "" : `: ${flaw}`}`);
    if (flaw === undefined) missed.push(bug.name);
  }
  console.log(`${bugs.length - missed.length} of ${bugs.length} planted bugs were found`);
  return missed.length === 0 ? 0 : 1;
}

async function find(bug: PlantedBug, jobs: number): Promise<Found> {
  const startedAt = performance.now();
  const tree = mkdtempSync(join(tmpdir(), "mesarch-planted-"));
  try {
    for (const part of PARTS) cpSync(join(root, part), join(tree, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
    plant(tree, bug);
    const output = await simulate(tree, bug, jobs);
    const flaw = /^seed \d+ is red: .*$/m.exec(output)?.[0];
    // What did not get to its end has not missed the bug.
    if (flaw === undefined && !/: 0 red$/m.test(output)) throw new Error(`"${bug.name}": the simulation failed:\n${output}`);
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

function simulate(tree: string, { seeds, breaks }: PlantedBug, jobs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ["--disable-warning=ExperimentalWarning", "chaos/sim/main.ts", "--seeds", String(seeds), "--jobs", String(jobs), "--quick", "--only", breaks.join()];
    const child = spawn(process.execPath, args, { cwd: tree, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", () => resolve(output));
  });
}
