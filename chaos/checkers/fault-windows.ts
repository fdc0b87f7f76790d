/** When something was broken on purpose, and whom it concerned. */
import type { EventOf, HistoryEvent } from "../history/event.ts";
import { countUpTo } from "./search.ts";

export interface FaultWindow {
  readonly name: string;
  readonly target: string;
  readonly from: number;
  /** Infinity while it lasts. */
  to: number;
  readonly event: EventOf<"fault">;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Faults that are not the control plane's: of hosts and tasks, which excuse, and of agents, which are counted apart. */
const BESIDE = /^(host|task|agent)\//;

export class FaultWindows {
  readonly all: readonly FaultWindow[];
  readonly #byTarget: ReadonlyMap<string, readonly FaultWindow[]>;
  /** Disjoint and in order: something is broken. */
  readonly #busy: readonly Span[];
  readonly #busyEnds: readonly number[];
  /** Spells of faults of masters, store, frameworks and links. */
  readonly #control: { readonly starts: readonly number[]; readonly ends: readonly number[] };

  /** @param events in the order of time. */
  constructor(events: readonly HistoryEvent[]) {
    this.all = windowsOf(events);
    this.#byTarget = Map.groupBy(this.all, ({ target }) => target);
    this.#busy = union(this.all);
    this.#busyEnds = this.#busy.map(({ to }) => to);
    const control = union(this.all.filter(({ target }) => !BESIDE.test(target)));
    this.#control = { starts: control.map(({ from }) => from), ends: control.map(({ to }) => to) };
  }

  /** When `patience` has passed since `t` with nothing broken all the while; a fault before that starts it over. */
  deadline(t: number, patience: number): number {
    let from = t;
    for (let i = countUpTo(this.#busyEnds, t); i < this.#busy.length && this.#busy[i]!.from < from + patience; i++) {
      from = Math.max(from, this.#busy[i]!.to);
    }
    return from + patience;
  }

  /** Whether a fault names one of these targets between these times. */
  hit(targets: readonly string[], from: number, to: number): boolean {
    return this.count(targets, from, to) > 0;
  }

  /** Faults that name one of these targets between these times. */
  count(targets: readonly string[], from: number, to: number): number {
    let count = 0;
    for (const target of targets) for (const window of this.#byTarget.get(target) ?? []) if (window.from <= to && window.to >= from) count += 1;
    return count;
  }

  /** What excuses a task that runs on this host. */
  excuses(host: string, task: string, from: number, to: number): boolean {
    return this.hit([`host/${host}`, "host/*", `task/${task}`], from, to);
  }

  /** Spells of faults of masters, store, frameworks and links that overlap these times. */
  controlFaults(from: number, to: number): number {
    const { starts, ends } = this.#control;
    return Math.max(0, countUpTo(starts, to) - countUpTo(ends, from));
  }
}

function windowsOf(events: readonly HistoryEvent[]): FaultWindow[] {
  const all: FaultWindow[] = [];
  const open = new Map<string, FaultWindow>();
  const close = (at: number, ends: (window: FaultWindow) => boolean): void => {
    for (const [key, window] of open) {
      if (!ends(window)) continue;
      window.to = at;
      open.delete(key);
    }
  };
  for (const event of events) {
    if (event.op === "phase" && event.value.name === "healed") close(event.t, () => true);
    if (event.op !== "fault") continue;
    const { name, targets, on } = event.value;
    if (!on) {
      close(event.t, (window) => window.name === name && (targets.length === 0 || targets.includes(window.target)));
      continue;
    }
    for (const target of targets.length === 0 ? [""] : targets) {
      const key = `${name}\0${target}`;
      if (open.has(key)) continue;
      const window = { name, target, from: event.t, to: Infinity, event };
      open.set(key, window);
      all.push(window);
    }
  }
  return all;
}

/** In the order of `from`. */
function union(windows: readonly FaultWindow[]): Span[] {
  const spans: { from: number; to: number }[] = [];
  for (const { from, to } of windows) {
    const last = spans.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else spans.push({ from, to });
  }
  return spans;
}
