/** Who led, what was broken, and when the cluster answered, on one axis of time. */
import type { Facts, ShownFault } from "./facts.ts";
import { AMID_OTHERS } from "../nemesis/nemesis.ts";
import { escape, isWithin, place, round, type Scale, seconds, ticks } from "./markup.ts";

const WIDTH = 1_160;
const SCALE = { left: 90, right: WIDTH - 10 } as const;
const LANE = 18;
const BAR = 12;
const PLOT = 70;
const GAP = 14;
/** Answers slower than this are drawn at the top. */
const SLOWEST_MS = 10_000;
const FASTEST_MS = 1;
const LETTER = 6.2;
/** Of a long run each is drawn on its own: on one axis nobody could tell its faults apart. */
const STRETCH_MS = 360_000;

export function timeline(facts: Facts): string {
  const count = Math.max(1, Math.ceil(facts.lengthMs / STRETCH_MS));
  const each = Math.ceil(facts.lengthMs / count);
  return Array.from({ length: count }, (_, index) => stretch(facts, { ...SCALE, from: index * each, to: Math.min((index + 1) * each, facts.lengthMs) })).join("\n");
}

function stretch(facts: Facts, scale: Scale): string {
  const parts: string[] = [];
  let y = 22;
  parts.push(phases(facts, scale));
  const masters = [...new Set(facts.leaderships.map(({ master }) => master))].sort();
  for (const [index, master] of masters.entries()) {
    parts.push(label(y, master));
    for (const { from, to, epoch } of facts.leaderships.filter((one) => one.master === master && isWithin(scale, one))) {
      parts.push(bar(scale, y, from, Math.max(to, from), `leader c${index % 6}`, `${master} led epoch ${epoch}: ${seconds(from)} to ${seconds(to)}`));
    }
    y += LANE;
  }
  y += GAP;
  const [answered, height] = answers(facts, scale, y);
  parts.push(answered);
  y += height + GAP;
  for (const lane of lanes(facts.faults.filter((fault) => isWithin(scale, fault)), scale)) {
    for (const fault of lane) parts.push(faultBar(scale, y, fault));
    y += LANE;
  }
  const axis = ticks(scale).map((at) => `<line class="grid" x1="${place(scale, at)}" x2="${place(scale, at)}" y1="18" y2="${y}"/><text class="tick" x="${place(scale, at)}" y="${y + 12}">${at / 1_000}</text>`);
  return `<svg viewBox="0 0 ${WIDTH} ${y + 18}" role="img" aria-label="timeline">${axis.join("")}${parts.join("")}</svg>`;
}

function phases({ phases: all, lengthMs }: Facts, scale: Scale): string {
  return all
    .map(({ name, at }, index) => ({ name, at, from: at, to: all[index + 1]?.at ?? lengthMs }))
    .filter((phase) => isWithin(scale, phase))
    .map(({ name, at, to }) => {
      const [x, end] = [place(scale, at), place(scale, to)];
      const shown = end - x > name.length * LETTER + 6 ? `<text class="phase" x="${x + 4}" y="13">${name}</text>` : "";
      return `<rect class="phase-${name}" x="${x}" y="2" width="${round(end - x)}" height="15"><title>${name} from ${seconds(at)}</title></rect>${shown}`;
    })
    .join("");
}

function label(y: number, text: string): string {
  return `<text class="lane" x="${SCALE.left - 8}" y="${y + BAR - 2}">${escape(text)}</text>`;
}

function bar(scale: Scale, y: number, from: number, to: number, kind: string, title: string): string {
  const [x, end] = [place(scale, from), place(scale, to)];
  return `<rect class="${kind}" x="${x}" y="${y}" width="${Math.max(2, round(end - x))}" height="${BAR}" rx="2"><title>${escape(title)}</title></rect>`;
}

/** Each answer as a dot, the higher the longer it took. */
function answers(facts: Facts, scale: Scale, y: number): [string, number] {
  const height = (ms: number): number => (Math.log10(Math.min(SLOWEST_MS, Math.max(FASTEST_MS, ms)) / FASTEST_MS) / Math.log10(SLOWEST_MS / FASTEST_MS)) * PLOT;
  const lines = [1, 10, 100, 1_000, 10_000].map((ms) => {
    const at = round(y + PLOT - height(ms));
    return `<line class="grid" x1="${SCALE.left}" x2="${SCALE.right}" y1="${at}" y2="${at}"/><text class="lane" x="${SCALE.left - 8}" y="${at + 3}">${ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`}</text>`;
  });
  const dots = facts.answers.filter(({ at }) => isWithin(scale, { from: at, to: at })).map(({ at, ms }) => `M${place(scale, at)},${round(y + PLOT - height(ms))}h.01`).join("");
  return [`${lines.join("")}<path class="answer" d="${dots}"><title>launches, by how long their answers took</title></path>`, PLOT];
}

function faultBar(scale: Scale, y: number, { name, targets, from, to }: ShownFault): string {
  const shown = shownName(name);
  const title = `${name}: ${targets.join(", ")}; ${seconds(from)} to ${seconds(to)}`;
  const [x, end] = [place(scale, from), place(scale, to)];
  const room = end - x > shown.length * LETTER + 6;
  // Beside the bar, on the side where there is room.
  const after = end + shown.length * LETTER + 8 < WIDTH;
  const [at, anchor] = room ? [x + 4, "start"] : after ? [end + 4, "start"] : [x - 4, "end"];
  return `${bar(scale, y, from, to, "fault", title)}<text class="${room ? "on-fault" : "beside"}" x="${at}" y="${y + BAR - 2}" text-anchor="${anchor}">${escape(shown)}</text>`;
}

/** That others overlap is there to see. */
function shownName(name: string): string {
  return name.endsWith(AMID_OTHERS) ? name.slice(0, -AMID_OTHERS.length) : name;
}

/** Faults, with their names, so that none covers another. */
function lanes(faults: readonly ShownFault[], scale: Scale): ShownFault[][] {
  const all: { readonly faults: ShownFault[]; end: number }[] = [];
  for (const fault of [...faults].sort((a, b) => a.from - b.from)) {
    const name = shownName(fault.name).length * LETTER + 12;
    const [x, end] = [place(scale, fault.from), place(scale, fault.to)];
    const isLate = end + name > WIDTH;
    const lane = all.find((each) => each.end < x - (isLate ? name : 0));
    const takes = Math.max(end, end - x > name ? 0 : isLate ? end : end + name);
    if (lane === undefined) all.push({ faults: [fault], end: takes });
    else {
      lane.faults.push(fault);
      lane.end = takes;
    }
  }
  return all.map(({ faults: those }) => those);
}
