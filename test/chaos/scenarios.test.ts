/** docs/scenarios.md names what shows that each known problem is held: all of it has to exist. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { allFaults } from "../../chaos/real/nemesis/catalogue.ts";
import { parseOrder } from "../../chaos/real/orders.ts";
import { faultNames } from "../../chaos/sim/plan.ts";
import { plantedBugs } from "../../chaos/sim/planted-bugs.ts";
import { citedIn, readRules } from "../../scripts/build/rules-cited.ts";
import { testTitles } from "../../scripts/build/tidy.ts";

const PROBLEMS = 40;
const root = join(import.meta.dirname, "../..");
const titles = new Map<string, readonly string[]>();

interface Scenario {
  readonly name: string;
  /** What goes wrong, and what holds it. */
  readonly text: string;
  /** One line each, without its dash. */
  readonly shown: readonly string[];
}

const scenarios = readScenarios(read("docs/scenarios.md"));

function readScenarios(page: string): Scenario[] {
  return page.split(/^(?=\*\*P\d)/m).slice(1).map((part) => {
    const lines = part.split("\n");
    return {
      name: /^\*\*(P\d+)/.exec(part)![1]!,
      text: lines.filter((line) => !line.startsWith("- ") && !line.startsWith("#")).join(" "),
      shown: lines.filter((line) => line.startsWith("- ")).map((line) => line.slice(2)),
    };
  });
}

/** Undefined: what the line names is there. */
function problemOf(line: string): string | undefined {
  const [, kind, name, title] = /^(\w+) [`"]([^`"]+)[`"](?:: (.+))?$/.exec(line) ?? [];
  if (kind === undefined || name === undefined || (kind === "test") !== (title !== undefined)) return "cannot be read";
  switch (kind) {
    case "test":
      return titlesIn(name).includes(title!) ? undefined : "has no such title";
    case "planted":
      return plantedBugs.some((bug) => bug.name === name) ? undefined : "is no planted bug";
    case "sim":
      return (faultNames as readonly string[]).includes(name) ? undefined : "is no fault of the simulation";
    case "chaos":
      return isChaos(name) ? undefined : "is no fault or run";
    default:
      return "is of no known kind";
  }
}

function titlesIn(file: string): readonly string[] {
  let known = titles.get(file);
  if (known === undefined) {
    known = existsSync(join(root, file)) ? testTitles(file, read(file)) : [];
    titles.set(file, known);
  }
  return known;
}

function isChaos(name: string): boolean {
  if (name.startsWith("run ")) return parseOrder(name.split(" ")).kind === name.slice("run ".length);
  return allFaults(8_000).some((fault) => fault.name === name);
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

test("each problem is there, once and in order, and names what holds it", (t) => {
  t.deepEqual(scenarios.map(({ name }) => name), Array.from({ length: PROBLEMS }, (_, i) => `P${i + 1}`));
  const rules = readRules();
  for (const { name, text } of scenarios) {
    const held = citedIn(/Held by (.+?)\.\s*$/.exec(text)?.[1] ?? "");
    t.true(held.length > 0, `${name} says not what holds it`);
    t.deepEqual(held.filter((rule) => !rules.includes(rule)), [], name);
  }
});

test("each is shown by a test at least, and all that is named exists", (t) => {
  for (const { name, shown } of scenarios) {
    t.true(shown.some((line) => line.startsWith("test ")), `${name} names no test`);
    t.deepEqual(shown.flatMap((line) => (problemOf(line) === undefined ? [] : [`${name}: ${line} ${problemOf(line)}`])), []);
  }
});

test("what does not exist is found", (t) => {
  const wrong = ["test `test/none.test.ts`: x", "test `test/base/epoch.test.ts`: x", "test `test/base/epoch.test.ts`", 'planted "x"', "sim `x`", "chaos `x`", "other `x`", "x"];
  t.deepEqual(wrong.filter((line) => problemOf(line) === undefined), []);
});
