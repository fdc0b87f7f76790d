/** What a checker says of a history. */
import type { HistoryEvent } from "../history/event.ts";

export interface Finding {
  /** What happened that must not, in one sentence with the names of all concerned. */
  readonly what: string;
  /** `seq` of the events that show it. */
  readonly events: readonly number[];
}

export interface Verdict {
  /** "I8" */
  readonly invariant: string;
  /** Untested: the history holds nothing that could have broken it, which is as red as a violation. */
  readonly outcome: "held" | "violated" | "untested";
  /** At most `MAX_FINDINGS`. */
  readonly findings: readonly Finding[];
  readonly violations: number;
  /** How many times it was put to the test: what was counted is the checker's to say. */
  readonly tested: number;
}

/** Everything a checker may ask beside the events. */
export interface CheckOptions {
  /** Upper bounds of recoveries in milliseconds, by fault (I28). */
  readonly recoveryBoundsMs: Readonly<Record<string, number>>;
  /** Longest gap between two beats of a witness while nothing disturbs its host (I9). */
  readonly beatGapMs: number;
  /** After the last heal, ends and registry must agree within this (I12). */
  readonly settleMs: number;
}

export type Checker = (events: readonly HistoryEvent[], options: CheckOptions) => readonly Verdict[];

const MAX_FINDINGS = 20;

/** Gathers findings about one invariant. */
export class Tally {
  readonly #invariant: string;
  readonly #findings: Finding[] = [];
  #violations = 0;
  #tested = 0;

  constructor(invariant: string) {
    this.#invariant = invariant;
  }

  tested(times = 1): void {
    this.#tested += times;
  }

  violated(what: string, ...events: readonly (HistoryEvent | undefined)[]): void {
    this.#violations += 1;
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push({ what, events: events.flatMap((event) => event?.seq ?? []) });
  }

  verdict(): Verdict {
    const outcome = this.#violations > 0 ? "violated" : this.#tested === 0 ? "untested" : "held";
    return { invariant: this.#invariant, outcome, findings: this.#findings, violations: this.#violations, tested: this.#tested };
  }
}
