/** What a person who kills things wants to see: who leads, after how long, and which agents are there. */
import { compareEpochs, epochText } from "../base/epoch.ts";
import type { Leader, LeaderTracker } from "../sdk/leader.ts";

export interface ClusterNewsOptions {
  readonly tracker: LeaderTracker;
  /** When each process died last, by name, on the scale of `now`. */
  readonly deaths: ReadonlyMap<string, number>;
  readonly now: () => number;
  readonly note: (line: string) => void;
}

/** Longer after a death, a new leader has nothing to do with it. */
const RELATED_MS = 30_000;

export class ClusterNews implements Disposable {
  readonly #options: ClusterNewsOptions;
  readonly #stop: () => void;
  #leader: Leader | undefined;

  constructor(options: ClusterNewsOptions) {
    this.#options = options;
    this.#stop = options.tracker.onLeader((leader) => this.#leads(leader));
    if (options.tracker.leader !== undefined) this.#leads(options.tracker.leader);
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #leads(leader: Leader): void {
    const before = this.#leader;
    if (before !== undefined && compareEpochs(before.epoch, leader.epoch) === 0) return;
    this.#leader = leader;
    const died = before === undefined ? undefined : this.#options.deaths.get(before.name);
    const passed = died === undefined ? Infinity : this.#options.now() - died;
    const after = before !== undefined && passed < RELATED_MS ? `, ${Math.round(passed)} ms after ${before.name} died` : "";
    this.#options.note(`${leader.name} leads (epoch ${epochText(leader.epoch)})${after}`);
  }
}
