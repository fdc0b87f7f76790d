/** Text as markup: nothing of a history is taken for markup itself. */
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 9_950 ? 2 : 1)} s`;
}

/** Maps times of a stretch to horizontal places. */
export interface Scale {
  readonly left: number;
  readonly right: number;
  readonly from: number;
  readonly to: number;
}

export function place({ left, right, from, to }: Scale, ms: number): number {
  return round(left + ((right - left) * Math.max(0, Math.min(ms, to) - from)) / Math.max(1, to - from));
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Round times for an axis, some ten of them. */
export function ticks({ from, to }: Scale): number[] {
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600].map((each) => each * 1_000).find((each) => (to - from) / each <= 12) ?? 7_200_000;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, index) => (first + index) * step);
}

/** Whether any of it is within the stretch. */
export function isWithin({ from, to }: Scale, span: { readonly from: number; readonly to: number }): boolean {
  return span.from <= to && span.to >= from;
}
