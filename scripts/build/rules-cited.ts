/**
 * Which rules of docs/protocol.md the titles of tests cite: `node scripts/build/rules-cited.ts [--missing]`.
 *
 *   (nothing)   each cited rule with the tests that name it
 *   --missing   the rules that no test names
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { testTitles } from "./tidy.ts";

const root = join(import.meta.dirname, "../..");

export interface Citation {
  readonly rule: string;
  readonly file: string;
  readonly title: string;
}

/** Numbers of the rules, in the order of the document: each stands in bold at the beginning of its line. */
export function rulesIn(document: string): string[] {
  return [...document.matchAll(/^\*\*(\d+\.\d+)\*\*/gm)].map(([, rule]) => rule!);
}

/** Rules that a text names: `6.2: …`, `… (7.4, 9.1)`. Sections of other documents and versions are none. */
export function citedIn(text: string): string[] {
  const ours = text.replaceAll(/\b(Mesos|Node|etcd|version)\s+[\d.,\s-]+(and\s+[\d.]+)?/gi, " ");
  return [...ours.matchAll(/(?<![\w.:/-])([1-9]\d?\.\d{1,2})(?![\w./%]|-\d|\s?(ms|s|MiB|GiB)\b)/g)].map(([, rule]) => rule!);
}

export function readRules(): string[] {
  return rulesIn(readFileSync(join(root, "docs/protocol.md"), "utf8"));
}

export function readCitations(): Citation[] {
  const files = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts")).sort();
  return files.flatMap((name) => {
    const path = join(root, "test", name);
    const file = relative(root, path);
    const titles = testTitles(file, readFileSync(path, "utf8"));
    return titles.flatMap((title) => [...new Set(citedIn(title))].map((rule) => ({ rule, file, title })));
  });
}

if (import.meta.main) {
  const rules = readRules();
  const citations = readCitations();
  const cited = Map.groupBy(citations, ({ rule }) => rule);
  if (process.argv.includes("--missing")) {
    const missing = rules.filter((rule) => !cited.has(rule));
    for (const rule of missing) console.log(rule);
    console.log(`${missing.length} of ${rules.length} rules are named by no test`);
  } else {
    for (const rule of rules) {
      for (const { file, title } of cited.get(rule) ?? []) console.log(`${rule.padEnd(6)}${title}  [${file}]`);
    }
    const unknown = citations.filter(({ rule }) => !rules.includes(rule));
    for (const { rule, file, title } of unknown) console.log(`${rule.padEnd(6)}IS NO RULE: ${title}  [${file}]`);
    console.log(`${rules.length - rules.filter((rule) => !cited.has(rule)).length} of ${rules.length} rules are named by tests`);
  }
}
