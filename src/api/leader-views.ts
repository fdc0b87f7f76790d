/** Tells every watcher who leads: at once, on each change, and every few seconds. */
import type { Clock } from "../async/clock.ts";
import { compareEpochs, type Epoch, NO_EPOCH } from "../base/epoch.ts";
import type { LeaderView } from "../wire/gen/mesarch/v1/cluster.ts";

export interface LeaderViewSink {
  send(view: LeaderView): void;
}

/** A watcher that hears nothing for several of these may conclude that this master is gone. */
const REPEAT_MS = 5_000;

export class LeaderViews {
  readonly #sinks = new Set<LeaderViewSink>();
  readonly #master: string;
  #view: LeaderView;
  readonly #cancel: { current: () => void };

  constructor(master: string, clock: Clock) {
    this.#master = master;
    this.#view = { clusterId: "", master, leading: false, leader: "", leaderAddress: "", epoch: undefined };
    const cancel = { current: () => {} };
    const repeat = (): void => {
      cancel.current = clock.after(REPEAT_MS, repeat);
      this.#tell();
    };
    cancel.current = clock.after(REPEAT_MS, repeat);
    this.#cancel = cancel;
  }

  get view(): LeaderView {
    return this.#view;
  }

  /** Returns what ends the watch. */
  watch(sink: LeaderViewSink): () => void {
    this.#sinks.add(sink);
    sink.send(this.#view);
    return () => void this.#sinks.delete(sink);
  }

  clusterIs(clusterId: string): void {
    this.#view = { ...this.#view, clusterId };
  }

  leaderIs(leader: { readonly master: string; readonly address: string; readonly epoch: Epoch } | undefined): void {
    const epoch = leader?.epoch;
    const known = this.#view.epoch ?? NO_EPOCH;
    if (leader !== undefined && leader.master === this.#view.leader && compareEpochs(leader.epoch, known) === 0) return;
    this.#view = {
      ...this.#view,
      leading: leader?.master === this.#master,
      leader: leader?.master ?? "",
      leaderAddress: leader?.address ?? "",
      // The epoch of a leader that is gone stays, so that watchers can tell the next one is newer.
      epoch: epoch === undefined ? this.#view.epoch : { ...epoch },
    };
    this.#tell();
  }

  close(): void {
    this.#cancel.current();
    this.#sinks.clear();
  }

  #tell(): void {
    for (const sink of this.#sinks) sink.send(this.#view);
  }
}
