/** Tasks as lines, from start to end, grouped by their hosts: the longest that fit a page. */
import type { Facts, LifeLine } from "./facts.ts";
import { escape, place, round, type Scale, seconds, ticks } from "./markup.ts";

const WIDTH = 1_160;
const SCALE = { left: 90, right: WIDTH - 10 } as const;
const STEP = 4;
const SHOWN = 300;
/** A gap that somebody might notice. */
const GAP_MS = 1_000;

export function lifeLines(facts: Facts): string {
  const scale: Scale = { ...SCALE, from: 0, to: facts.lengthMs };
  const longest = [...facts.lives].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, SHOWN);
  const parts: string[] = [];
  let y = 8;
  for (const [host, lives] of [...Map.groupBy(longest, ({ host }) => host)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    parts.push(`<text class="lane" x="${SCALE.left - 8}" y="${y + 8}">${escape(host)}</text>`);
    for (const row of rows(lives)) {
      for (const life of row) parts.push(line(scale, y, life));
      y += STEP;
    }
    y += 10;
  }
  const faults = facts.faults.map(({ from, to }) => `<rect class="shade" x="${place(scale, from)}" y="0" width="${Math.max(1, round(place(scale, to) - place(scale, from)))}" height="${y}"/>`);
  const axis = ticks(scale).map((at) => `<text class="tick" x="${place(scale, at)}" y="${y + 10}">${at / 1_000}</text>`);
  return `<svg viewBox="0 0 ${WIDTH} ${y + 16}" role="img" aria-label="life lines of tasks">${faults.join("")}${parts.join("")}${axis.join("")}</svg>`;
}

/** Lives one after the other share a row. */
function rows(lives: readonly LifeLine[]): LifeLine[][] {
  const all: LifeLine[][] = [];
  for (const life of [...lives].sort((a, b) => a.from - b.from)) {
    const row = all.find((each) => each.at(-1)!.to + 500 < life.from);
    if (row === undefined) all.push([life]);
    else row.push(life);
  }
  return all;
}

function line(scale: Scale, y: number, { task, from, to, longestGapMs, signals, status }: LifeLine): string {
  const end = status === undefined ? "" : status === 0 ? ", exited" : `, ended with status ${status}`;
  const title = `${task}: ${seconds(from)} to ${seconds(to)}${end}; longest gap ${Math.round(longestGapMs)} ms, ${signals} signals`;
  const kind = longestGapMs > GAP_MS ? "gap" : signals > 0 ? "signalled" : status === undefined ? "living" : "exited";
  return `<line class="life ${kind}" x1="${place(scale, from)}" x2="${Math.max(place(scale, from) + 1, place(scale, to))}" y1="${y + 2}" y2="${y + 2}"><title>${escape(title)}</title></line>`;
}
