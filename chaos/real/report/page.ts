/** The report as one page that needs nothing else: no script, no font, no picture from elsewhere. */
import type { Finding, Verdict } from "../../checkers/index.ts";
import type { HistoryEvent } from "../../history/event.ts";
import type { Facts } from "./facts.ts";
import { lifeLines } from "./life-lines.ts";
import { AMID_OTHERS } from "../nemesis/nemesis.ts";
import { escape, seconds } from "./markup.ts";
import { meanings } from "./meanings.ts";
import { STYLE } from "./style.ts";
import { timeline } from "./timeline.ts";

export interface PageInput {
  readonly facts: Facts;
  readonly verdicts: readonly Verdict[];
  readonly expected: ReadonlySet<string>;
  readonly red: ReadonlySet<string>;
  /** Of findings, by number. */
  readonly events: ReadonlyMap<number, HistoryEvent>;
  readonly command: string;
  readonly seed: number;
  readonly startedAt: string;
  readonly network: string;
  readonly problems: readonly { readonly what: string; readonly problem: string }[];
}

const EVENT_CHARACTERS = 400;
const EVENTS_PER_FINDING = 6;
const SHOWN_FINDINGS = 5;
const SHOWN_ROWS = 25;

export function page(input: PageInput): string {
  const { facts, red, command, seed, startedAt, network } = input;
  const title = red.size === 0 ? "Held" : `Not held: ${[...red].join(", ")}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chaos, seed ${seed}: ${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header class="${red.size === 0 ? "good" : "bad"}">
<h1>${escape(title)}</h1>
<p>seed ${seed} · ${escape(startedAt.replace("T", " ").slice(0, 19))} UTC · ${seconds(facts.lengthMs)} · ${facts.events} events · ${escape(network)}</p>
<p><code>${escape(command)}</code></p>
</header>
${tiles(facts)}
<section><h2>What happened</h2><p class="note">Seconds since the beginning. Bars of masters: from the first to the last batch each leadership wrote. Dots: launches, by how long their durable answers took.</p><div class="wide">${timeline(facts)}</div></section>
${findings(input)}
<section><h2>Verdicts</h2>${verdictTable(input)}</section>
<section><h2>Recoveries</h2>${recoveries(facts)}</section>
<section><h2>Failovers</h2>${failovers(facts)}</section>
<section><h2>Tasks</h2><p class="note">One line each, from start to end; shaded while anything was broken.
<span class="key living"></span> lives on <span class="key exited"></span> ended by itself <span class="key signalled"></span> signalled <span class="key gap"></span> stood still for more than a second</p><div class="wide">${lifeLines(facts)}</div></section>
<section><h2>Calls</h2>${calls(facts)}</section>
${untried(input)}
</body>
</html>
`;
}

function tiles(facts: Facts): string {
  const { tasks, failovers, faults, answers, stalls } = facts;
  const all: readonly [string, string][] = [
    [String(faults.length), "faults"],
    [String(failovers.length), "failovers"],
    [String(tasks.started), "tasks started"],
    [`${Math.round(tasks.longestGapMs)} ms`, `longest gap of a task${tasks.longestGapOf === "" ? "" : ` (${tasks.longestGapOf})`}`],
    [String(answers.length), "launches answered"],
    ...(stalls.count === 0 ? [] : [[String(stalls.count), `stalls of the machine itself, up to ${Math.round(stalls.longestMs)} ms`] satisfies [string, string]]),
  ];
  return `<div class="tiles">${all.map(([value, name]) => `<div><b>${escape(value)}</b><span>${escape(name)}</span></div>`).join("")}</div>`;
}

function verdictTable({ verdicts, expected, red }: PageInput): string {
  const rows = [...verdicts].sort(byNumber).map(({ invariant, outcome, tested, violations }) => {
    const isRed = red.has(invariant);
    const kind = isRed ? "bad" : outcome === "held" ? "good" : "idle";
    const word = outcome === "untested" && !expected.has(invariant) ? "not tested here" : outcome;
    return `<tr class="${kind}"><td>${escape(invariant)}</td><td>${escape(meanings[invariant] ?? "")}</td><td class="mark">${word}</td><td class="number">${tested}</td><td class="number">${violations === 0 ? "" : violations}</td></tr>`;
  });
  return table(["", "what must hold", "verdict", "tested", "violated"], rows);
}

/** I2 before I10; what is about the run itself comes first. */
export function byNumber(a: Verdict, b: Verdict): number {
  const number = ({ invariant }: Verdict): number => (/^I\d+$/.test(invariant) ? Number(invariant.slice(1)) : 0);
  return number(a) - number(b);
}

function findings({ verdicts, red, events }: PageInput): string {
  const told = verdicts.filter(({ invariant, findings: all }) => red.has(invariant) && all.length > 0);
  if (told.length === 0) return "";
  const items = told.flatMap(({ invariant, findings: all, violations }) => {
    const shown = all.slice(0, SHOWN_FINDINGS).map((finding) => `<li><b>${escape(invariant)}</b> ${escape(finding.what)}${excerpt(finding, events)}</li>`);
    const more = Math.max(violations, all.length) - shown.length;
    return more > 0 ? [...shown, `<li><b>${escape(invariant)}</b> and ${more} more</li>`] : shown;
  });
  return `<section><h2>Findings</h2><ul class="findings">${items.join("")}</ul></section>`;
}

function excerpt({ events: numbers }: Finding, events: ReadonlyMap<number, HistoryEvent>): string {
  const lines = numbers.slice(0, EVENTS_PER_FINDING).flatMap((number) => events.get(number) ?? []);
  if (lines.length === 0) return "";
  return `<details><summary>${lines.length === 1 ? "the event" : `${lines.length} events`}</summary><pre>${lines.map((event) => escape(JSON.stringify(event).slice(0, EVENT_CHARACTERS))).join("\n")}</pre></details>`;
}

function recoveries({ recoveries: all }: Facts): string {
  if (all.length === 0) return "<p>None was measured.</p>";
  const row = ({ fault, count, p50, p99, max, boundMs }: Facts["recoveries"][number]): string => {
    const kind = boundMs === undefined ? "idle" : max > boundMs ? "bad" : "good";
    return `<tr class="${kind}"><td>${escape(fault)}</td>${[count, seconds(p50), seconds(p99), seconds(max), boundMs === undefined ? "" : seconds(boundMs)].map((value) => `<td class="number">${value}</td>`).join("")}</tr>`;
  };
  const heads = ["fault", "times", "p50", "p99", "longest", "bound"];
  const [alone, amid] = [all.filter(({ fault }) => !fault.endsWith(AMID_OTHERS)), all.filter(({ fault }) => fault.endsWith(AMID_OTHERS))].map((those) => those.map(row)) as [string[], string[]];
  const rest = amid.length === 0 ? "" : folded("of faults amid others", Infinity, table(heads, amid));
  return `<p class="note">From the fault, or from when it was undone where nothing could be answered before, to the next durable launch.</p>${table(heads, alone)}${rest}`;
}

function failovers({ failovers: all }: Facts): string {
  if (all.length === 0) return "<p>None.</p>";
  const rows = all.map(({ at, from, to, epoch, silentMs }) => `<tr><td class="number">${seconds(at)}</td><td>${escape(from)}</td><td>${escape(to)}</td><td>${escape(epoch)}</td><td class="number">${Math.round(silentMs)} ms</td></tr>`);
  const longest = Math.max(...all.map(({ silentMs }) => silentMs));
  return folded(`${all.length} failovers, with ${seconds(longest)} between the batches of two leaders at most`, rows.length, table(["at", "from", "to", "epoch", "between their batches"], rows));
}

/** A long table is there for who asks. */
function folded(summary: string, rows: number, content: string): string {
  return rows <= SHOWN_ROWS ? content : `<details><summary>${summary}</summary>${content}</details>`;
}

function calls({ calls: all }: Facts): string {
  const rows = Object.entries(all).map(([op, { ok, fail, unknown }]) => `<tr><td>${escape(op)}</td><td class="number">${ok}</td><td class="number">${fail}</td><td class="number">${unknown}</td></tr>`);
  return table(["call", "done", "refused", "unknown"], rows);
}

function untried({ problems }: PageInput): string {
  if (problems.length === 0) return "";
  return `<section><h2>What this machine could not do</h2><ul>${problems.map(({ what, problem }) => `<li>${escape(what)}: ${escape(problem)}</li>`).join("")}</ul></section>`;
}

function table(heads: readonly string[], rows: readonly string[]): string {
  return `<div class="wide"><table><thead><tr>${heads.map((head) => `<th>${escape(head)}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}
