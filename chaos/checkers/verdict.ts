/** What a checker says of a history. */
import type { CallName, HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";

export interface Finding {
  /** What happened that must not, in one sentence with the names of all concerned. */
  readonly what: string;
  /** `seq` of the events that show it. */
  readonly events: readonly number[];
}

export interface Verdict {
  /** "I8"; or `history`, `complaints` and `coverage`, which are about the run itself. */
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
  /** After the last heal leadership must not change any more from then on (I29); it may at any time if nothing is said. */
  readonly calmMs?: number;
  /** How the masters of this run were set; what is left out is as in production. */
  readonly policy?: Partial<Policy>;
  /** What the run was to exercise. */
  readonly coverage?: Coverage;
}

/** Settings of masters that say what is legal (5.5, 10.5). */
export interface Policy {
  /** Silence that makes an agent unreachable. */
  readonly unreachableAfterMs: number;
  /** Share of the agents that may become unreachable in a minute, though at least one. */
  readonly unreachablePerMinute: number;
  /** Least patience with frameworks that a failover cut off. */
  readonly lostByMasterGraceMs: number;
}

export const PRODUCTION: Policy = { unreachableAfterMs: 75_000, unreachablePerMinute: 0.05, lostByMasterGraceMs: 600_000 };

/** A run that did less than this is red. Of every kind of call that was tried, one at least must have succeeded anyway. */
export interface Coverage {
  /** Calls answered as done. */
  readonly calls?: Partial<Record<CallName, number>>;
  /** Times a fault was begun, by name. */
  readonly faults?: Readonly<Record<string, number>>;
  /** Marks that must have been reached. */
  readonly marks?: readonly string[];
  /** Epochs that committed, after the first. */
  readonly failovers?: number;
  /** Fenced transactions refused; to be asked for where a zombie was provoked. */
  readonly fenced?: number;
  /** Updates that a framework was told again. */
  readonly redeliveries?: number;
}

export type Checker = (evidence: Evidence, options: CheckOptions) => readonly Verdict[];

export const MAX_FINDINGS = 20;

/** Gathers findings about one invariant. */
export class Tally {
  readonly #invariant: string;
  readonly #findings: Finding[] = [];
  #violations = 0;
  #tested = 0;
  #missing = false;

  constructor(invariant: string) {
    this.#invariant = invariant;
  }

  tested(times = 1): void {
    this.#tested += times;
  }

  violated(what: string, ...events: readonly (HistoryEvent | undefined)[]): void {
    this.#violations += 1;
    this.#find(what, events);
  }

  /** Something was not put to the test that should have been, whatever else was. */
  missing(what: string, ...events: readonly (HistoryEvent | undefined)[]): void {
    this.#missing = true;
    this.#find(what, events);
  }

  verdict(): Verdict {
    const untested = this.#missing || this.#tested === 0;
    const outcome = this.#violations > 0 ? "violated" : untested ? "untested" : "held";
    return { invariant: this.#invariant, outcome, findings: this.#findings, violations: this.#violations, tested: this.#tested };
  }

  #find(what: string, events: readonly (HistoryEvent | undefined)[]): void {
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push({ what, events: events.flatMap((event) => event?.seq ?? []) });
  }
}
