/** The source is held to its own rules (scripts/build/layers.ts, scripts/build/tidy.ts), and the checks to theirs. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import ts from "typescript";
import { lintConfiguration, pureRooms, roomOf, rooms } from "../scripts/build/layers.ts";
import { citedIn, readCitations, readRules, rulesIn } from "../scripts/build/rules-cited.ts";
import { codecImports, disabledTests, enumsIn, impurities, reminders, sizes, testTitles, vagueName } from "../scripts/build/tidy.ts";

const root = join(import.meta.dirname, "..");
/** Far fewer than there are: with a TypeScript it does not know, the lint reads nothing and finds nothing wrong. */
const MODULES_MIN = 200;

/** Started from outside: by people, by node, or by importers of the package. */
const ENTRY_POINTS = ["src/cli/main.ts", "src/sdk/index.ts"];
/** Parts of the product that only tests and simulations turn on. */
const FOR_TESTS = [
  "src/async/manual-clock.ts",
  "src/core/agent/invariants.ts",
  "src/core/master/invariants.ts",
  "src/telemetry/recorder.ts",
];

const GENERATED = "src/wire/gen/";
const sources = filesIn("src").filter((file) => !file.startsWith(GENERATED));
const pure = sources.filter((file) => pureRooms.includes(roomOf(file)?.path ?? ""));
const everything = ["src", "test", "scripts", "chaos", "examples"].flatMap(filesIn).filter((file) => !file.startsWith(GENERATED));
const lint = lintTree(root);

test("layers: every import of src is one its room may make", async (t) => {
  const { summary } = await lint;
  t.deepEqual(
    summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
    [],
  );
});

test("layers: the lint has read the tree", async (t) => {
  t.true(ts.version.startsWith("6.0."), `TypeScript ${ts.version}: dependency-cruiser reads nothing with 7`);
  const { summary } = await lint;
  t.true(summary.totalCruised >= MODULES_MIN, `only ${summary.totalCruised} modules`);
  t.true(summary.totalDependenciesCruised! >= 3 * MODULES_MIN, `only ${summary.totalDependenciesCruised} imports`);
});

test("layers: each room comes after those it imports, and exists", (t) => {
  const above = new Set<string>();
  for (const { path, imports, types = [] } of rooms) {
    for (const room of [...imports, ...types]) t.true(above.has(room), `${path} imports ${room}, which is not above it`);
    t.true(existsSync(join(root, "src", path)) || existsSync(join(root, "src", `${path}.ts`)), `there is no src/${path}`);
    above.add(path);
  }
});

test("every file of src is imported by another, or is an entry point", async (t) => {
  const { modules } = await lint;
  const imported = new Set(modules.flatMap(({ dependencies }) => dependencies.map(({ resolved }) => resolved)));
  const reached = (file: string): boolean => imported.has(file) || ENTRY_POINTS.includes(file) || FOR_TESTS.includes(file);
  t.deepEqual(sources.filter((file) => !reached(file)), []);
  t.deepEqual([...ENTRY_POINTS, ...FOR_TESTS].filter((file) => !sources.includes(file)), []);
});

test("base, model and core are pure", (t) => {
  t.true(pure.length > 80, `only ${pure.length} files`);
  t.deepEqual(findings(pure, impurities), []);
});

test("of generated code, base, model and core know types and enums only", (t) => {
  const enums = new Map<string, Set<string>>();
  const enumsOf = (module: string): Set<string> => {
    if (!enums.has(module)) enums.set(module, enumsIn(module, read(module)));
    return enums.get(module)!;
  };
  t.deepEqual(findings(pure, (file, text) => codecImports(file, text, enumsOf)), []);
});

test("files and functions of src are short", (t) => {
  t.deepEqual(findings(sources, sizes), []);
});

test("no file has a name that says nothing", (t) => {
  t.deepEqual(everything.filter(vagueName), []);
});

test("nothing is left to be done later", (t) => {
  t.deepEqual(findings([...everything, ...filesIn("proto"), ...filesIn("docs")], (_, text) => reminders(text)), []);
});

test("no test is switched off", (t) => {
  t.deepEqual(findings(filesIn("test"), disabledTests), []);
});

test("titles of tests cite rules that exist", (t) => {
  const rules = readRules();
  t.true(rules.length > 80, `only ${rules.length} rules`);
  t.deepEqual(rules.filter((rule, i) => rules.indexOf(rule) !== i), []);
  const unknown = readCitations().filter(({ rule }) => !rules.includes(rule));
  t.deepEqual(unknown.map(({ rule, file, title }) => `${rule}: ${title} [${file}]`), []);
});

// The checks themselves, on bad input.

/** File, what it imports, and the rule it breaks. */
const badImports: readonly (readonly [file: string, text: string, rule: string])[] = [
  ["src/base/a.ts", 'import "../model/a.ts";', "room base"],
  ["src/model/a.ts", 'import "../core/registry/a.ts";', "room model"],
  ["src/core/registry/a.ts", 'import type { X } from "../master/a.ts"; export const y = (x: X) => x;', "room core/registry"],
  ["src/core/master/a.ts", 'import "../agent/a.ts";', "room core/master"],
  ["src/core/agent/a.ts", 'import type { X } from "../master/a.ts"; export const y = (x: X) => x;', "room core/agent"],
  ["src/core/master/ports.ts", 'import "../../ports/a.ts";', "room core/master, types only"],
  ["src/core/pipeline.ts", 'import "./deadlines.ts";', "room core/pipeline"],
  ["src/async/a.ts", 'import "../telemetry/a.ts";', "room async"],
  ["src/telemetry/a.ts", 'import "../wire/gen/a.ts";', "room telemetry"],
  ["src/ports/values.ts", 'import "../wire/gen/a.ts";', "room ports, types only"],
  ["src/ports/gen.ts", 'import "../wire/a.ts";', "room ports"],
  ["src/etcd/a.ts", 'import "../checkpoint/a.ts";', "room etcd"],
  ["src/checkpoint/a.ts", 'import "../containers/a.ts";', "room checkpoint"],
  ["src/containers/a.ts", 'import "../core/agent/b.ts";', "room containers"],
  ["src/api/a.ts", 'import "../grpc/a.ts";', "room api"],
  ["src/grpc/a.ts", 'import "../master/b.ts";', "room grpc"],
  ["src/master/a.ts", 'import "../etcd/b.ts";', "room master"],
  ["src/agent/a.ts", 'import "../containers/b.ts";', "room agent"],
  ["src/sdk/a.ts", 'import "../api/b.ts";', "room sdk"],
  ["src/config/a.ts", 'import "../master/b.ts";', "room config, types only"],
  ["src/somewhere/a.ts", 'import "../base/b.ts";', "known-rooms"],
  ["src/master/stray.ts", 'import "../../test/a.ts";', "src-stands-alone"],
  ["src/master/client.ts", 'import "etcd3";', "only-in etcd-client"],
  ["src/api/client.ts", 'import { Server } from "@grpc/grpc-js"; export const s = Server;', "only-in grpc"],
  ["src/master/spans.ts", 'import { trace } from "@opentelemetry/api"; export const s = trace;', "only-in telemetry-sdk"],
  ["src/master/files.ts", 'import { readFile } from "node:fs/promises"; export const s = readFile;', "only-in files"],
  ["src/agent/spawn.ts", 'import { spawn } from "node:child_process"; export const s = spawn;', "only-in processes"],
  ["src/core/agent/os.ts", 'import { hostname } from "node:os"; export const s = hostname;', "pure"],
  ["src/grpc/one.ts", 'import { two } from "./two.ts"; export const one = () => two;', "no-cycles"],
  ["src/grpc/none.ts", 'import "./nothing.ts";', "resolvable"],
  ["src/sdk/checks.ts", 'import "fast-check";', "declared-packages"],
];

test("the lint rejects what is not allowed, by the rule's name", async (t) => {
  const tree = plant([
    ...badImports,
    ["src/grpc/two.ts", 'import { one } from "./one.ts"; export const two = () => one;'],
    // What is imported above and not itself in the list.
    ...["base/b", "core/agent/b", "containers/b", "wire/a", "wire/gen/a", "api/b", "master/b", "etcd/b", "core/deadlines", "ports/a"].map(
      (name) => [`src/${name}.ts`, "export type X = number;"] as const,
    ),
    ["test/a.ts", "export {};"],
  ]);
  t.teardown(() => rmSync(tree, { recursive: true }));
  const { summary } = await lintTree(tree);
  for (const [file, text, rule] of badImports) {
    const rules = summary.violations.filter(({ from }) => from === file).map((violation) => violation.rule.name);
    t.true(rules.includes(rule), `${file}: ${text} breaks [${rules.join(", ")}], not ${rule}`);
  }
});

test("the lint allows what the rooms may do", async (t) => {
  const tree = plant([
    ["src/base/a.ts", "export type X = number;"],
    ["src/core/master/a.ts", 'import type { X } from "../../ports/a.ts"; export const y = (x: X) => x;'],
    ["src/ports/a.ts", 'export type { X } from "../base/a.ts";'],
    ["src/wire/a.ts", 'import "./gen/a.ts"; import "../base/a.ts";'],
    ["src/wire/gen/a.ts", "export {};"],
    ["src/etcd/a.ts", 'import "etcd3"; import "../ports/a.ts";'],
    ["src/cli/a.ts", 'import "../etcd/a.ts"; import "node:fs";'],
    // Types may refer to each other.
    ["src/grpc/one.ts", 'import type { Two } from "./two.ts"; export type One = Two | 1;'],
    ["src/grpc/two.ts", 'import type { One } from "./one.ts"; export type Two = One | 2;'],
  ]);
  t.teardown(() => rmSync(tree, { recursive: true }));
  const { summary } = await lintTree(tree);
  t.deepEqual(summary.violations, []);
});

for (const [text, what] of [
  ["export async function f() {}", "async"],
  ["export const f = async () => {};", "async"],
  ["await f();", "await"],
  ["for await (const x of y) x();", "await"],
  ["new Promise(() => {});", "Promise"],
  ["let x: Promise<void>;", "Promise"],
  ["Date.now();", "Date"],
  ["new Date();", "Date"],
  ["Math.random();", "Math.random"],
  ["const { random } = Math;", undefined],
  ["setTimeout(f, 1);", "setTimeout"],
  ["globalThis.f();", "globalThis"],
  ["process.env.X;", "process"],
  ["crypto.randomUUID();", "crypto"],
  ["performance.now();", "performance"],
  ['import { x } from "node:os";', "import of node:os"],
  ['import x from "long";', "import of long"],
  ['export * from "long";', "import of long"],
  ['import("./x.ts");', "import()"],
  ["a.localeCompare(b);", "localeCompare"],
  ['import { x } from "./x.ts"; clock.Date; const y = { process: 1 };', undefined],
  ["// async, Date and Promise are only talked about", undefined],
] as const) {
  test(`purity: ${text}`, (t) => {
    t.is(impurities("a.ts", text)[0], what === undefined ? undefined : `1: ${what}`);
  });
}

test("codecs of generated code are told from its types and enums", (t) => {
  const generated = "export const Color = { RED: 0, BLUE: -1 } as const; export const Message = { encode() {} }; export interface Other {}";
  const enums = enumsIn("src/wire/gen/x.ts", generated);
  t.deepEqual([...enums], ["Color"]);
  const found = (text: string) => codecImports("src/core/master/a.ts", text, () => enums);
  t.deepEqual(found('import { Color as Paint, type Message, type Other } from "../../wire/gen/x.ts";'), []);
  t.deepEqual(found('import type { Message } from "../../wire/gen/x.ts";'), []);
  t.deepEqual(found('import { Color, Message } from "../../wire/gen/x.ts";'), ["1: Message is no enum"]);
  t.deepEqual(found('import * as x from "../../wire/gen/x.ts";'), ["1: import of all of src/wire/gen/x.ts"]);
  t.deepEqual(found('import { Message } from "../../base/x.ts";'), []);
});

test("long files and functions are found", (t) => {
  t.deepEqual(sizes("a.ts", "\n".repeat(400)), []);
  t.deepEqual(sizes("a.ts", "\n".repeat(401)), ["1: 401 lines; a file has at most 400"]);
  t.deepEqual(sizes("a.ts", `function f() {${"\n".repeat(79)}}`), []);
  t.deepEqual(sizes("a.ts", `\nclass A { f = () => {${"\n".repeat(80)}} }`), ["2: a function of 81 lines; at most 80"]);
});

test("names that say nothing are found", (t) => {
  const bad = ["src/util.ts", "src/utils/a.ts", "src/a/string-helpers.ts", "src/common.test.ts", "src/misc-things.ts"];
  t.deepEqual(bad.filter(vagueName), bad);
  t.deepEqual(["src/utilisation.ts", "src/commons-fund.ts", "src/promise.ts"].filter(vagueName), []);
});

test("reminders and switched-off tests are found", (t) => {
  t.deepEqual(reminders(`a\n// ${"TO"}DO: later`), [`2: // ${"TO"}DO: later`]);
  t.deepEqual(reminders("the word todos, and 0xXXXX"), []);
  const text = 'test.only("a", f);\ntest.serial.skip("b", f); test("test.skip()", f); other.only();\nconst off = test.skip;';
  t.deepEqual(disabledTests("a.ts", text), ["1: test.only", "2: test.skip", "3: test.skip"]);
  const conditions = 'test.runIf(false)("a", f); test.serial.runIf(Disk.possible)("b", f); test.runIf(!Disk.possible)("c", f); test.skipIf(x)("d", f);';
  t.deepEqual(disabledTests("a.ts", conditions), ["1: test.runIf", "1: test.runIf", "1: test.skipIf"]);
});

test("rules and what cites them are told from other numbers", (t) => {
  t.deepEqual(rulesIn("**1.1** One.\n\nAs in **1.2**.\n**10.12** Two."), ["1.1", "10.12"]);
  t.deepEqual(citedIn("3.4: sent again (9.1, 12.2)"), ["3.4", "9.1", "12.2"]);
  t.deepEqual(citedIn("Mesos 4.2 and 6.1: 127.0.0.1, cpus:0.5, Node 22.15, 1.5 MiB, 2.5-3"), []);
  t.deepEqual(testTitles("a.ts", 'test("6.1: a", f); test.serial(`${x} is 7.4`, f); t.is("8.1", y); test.runIf(D.x)("2.1", f);'), ["6.1: a", "… is 7.4", "2.1"]);
});

async function lintTree(baseDir: string): Promise<ICruiseResult> {
  const { forbidden, options } = lintConfiguration();
  const { output } = await cruise(["src"], { ...options, baseDir, validate: true, ruleSet: { forbidden } as never });
  if (typeof output === "string") throw new Error(output);
  return output;
}

/** A throw-away project of these files. */
function plant(files: readonly (readonly [file: string, text: string, ...rest: readonly string[]])[]): string {
  const tree = mkdtempSync(join(tmpdir(), "mesarch-tidy-"));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  writeFileSync(join(tree, "package.json"), read("package.json"));
  for (const [file, text] of files) {
    mkdirSync(join(tree, dirname(file)), { recursive: true });
    writeFileSync(join(tree, file), `${text}\n`);
  }
  return tree;
}

function findings(files: readonly string[], check: (file: string, text: string) => readonly string[]): string[] {
  return files.flatMap((file) => check(file, read(file)).map((finding) => `${file}:${finding}`));
}

function filesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js|sh|proto|md)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => !file.startsWith("src/") || file.endsWith(".ts"))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
