/**
 * Knows who leads. A stream stays open to every master, so that a client acts on the very message by which a new leader
 * announces itself. A view of an older epoch never overrides a newer one, whoever says it.
 */
import type { ChannelCredentials } from "@grpc/grpc-js";
import { onAbort } from "../async/abort.ts";
import { backoff } from "../async/backoff.ts";
import { systemClock, type Clock } from "../async/clock.ts";
import { systemRandom } from "../async/system-random.ts";
import { compareEpochs, epochText, NO_EPOCH, type Epoch } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { LeaderView } from "../wire/gen/mesarch/v1/cluster.ts";
import { Channels } from "./channels.ts";
import { GrpcTransport } from "./grpc-transport.ts";
import { parseMasters } from "./masters.ts";
import type { Outside, Transport } from "./transport.ts";

/** One leadership, as seen from outside. */
export interface Leader {
  /** Name of the master. */
  readonly name: string;
  /** host:port of its gRPC door. */
  readonly address: string;
  readonly epoch: Epoch;
}

export interface LeaderTrackerOptions {
  /** Comma list or array of `host:port`; the port is 6050 unless named. Those a leader names are added. */
  readonly masters: string | readonly string[];
  /** Default: plain TCP. */
  readonly credentials?: ChannelCredentials | undefined;
  readonly clock?: Clock;
}

/** Addresses taken from what masters say, beyond those given. */
const MAX_LEARNED = 16;

export class LeaderTracker implements Disposable {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #given: number;
  readonly #watches = new Map<string, MasterWatch>();
  readonly #listeners = new Set<(leader: Leader) => void>();
  #leader: Leader | undefined;
  /** The leader said so itself; hearsay may name an address that cannot be reached from here. */
  #firstHand = false;
  #highest: Epoch = NO_EPOCH;
  #clusterId = "";

  /** @internal `outside`: for who has a transport already, which ends with the tracker, and for the simulation. */
  constructor(options: LeaderTrackerOptions, outside: Partial<Outside> = {}) {
    const addresses = parseMasters(options.masters);
    this.#clock = options.clock ?? systemClock;
    this.#given = addresses.length;
    this.#transport = outside.transport ?? new GrpcTransport(new Channels(options.credentials));
    this.#random = outside.random ?? systemRandom;
    for (const address of addresses) this.#watch(address);
  }

  /** The leader, as far as known now. It may be gone already: only a call tells. */
  get leader(): Leader | undefined {
    return this.#leader;
  }

  /** Random id of the cluster, fixed by the first master that answers; empty before. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** Every master address known, given ones first. */
  get addresses(): readonly string[] {
    return [...this.#watches.keys()];
  }

  /** Calls `listener` for each new leader; returns what ends that. */
  onLeader(listener: (leader: Leader) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Resolves with the leader, at once if it is known already and newer than `after`. Rejects with the signal's reason.
   */
  async next(after: Epoch = NO_EPOCH, signal?: AbortSignal): Promise<Leader> {
    signal?.throwIfAborted();
    if (this.#leader !== undefined && compareEpochs(this.#leader.epoch, after) > 0) return this.#leader;
    const { promise, resolve, reject } = Promise.withResolvers<Leader>();
    const stop = this.onLeader((leader) => compareEpochs(leader.epoch, after) > 0 && resolve(leader));
    const stopListening = onAbort(signal, () => reject(signal!.reason));
    try {
      return await promise;
    } finally {
      stop();
      stopListening();
    }
  }

  /** Resolves after `ms`, or sooner when a leader newer than `epoch` appears. Rejects with the signal's reason. */
  async pause(ms: number, epoch: Epoch, signal?: AbortSignal): Promise<void> {
    const limit = new AbortController();
    const stopListening = onAbort(signal, () => limit.abort(signal!.reason));
    const cancel = this.#clock.after(ms, () => limit.abort());
    try {
      await this.next(epoch, limit.signal);
    } catch {
      signal?.throwIfAborted();
    } finally {
      cancel();
      stopListening();
    }
  }

  /** Watches one more master, named by another one. Does nothing for known, empty and too many addresses. */
  learn(address: string): void {
    if (address === "" || this.#watches.has(address) || this.#watches.size >= this.#given + MAX_LEARNED) return;
    this.#watch(address);
  }

  /** What each master says, for the error of a call that found no leader. */
  noLeader(waitedMs: number): MesarchError {
    const views = [...this.#watches.values()].map((watch) => `${watch.address} ${watch.state}`).join("; ");
    return new MesarchError("no_leader", `no leader answered within ${Math.round(waitedMs)} ms: ${views}`, {
      remedy: "Check that the addresses are right, that masters run, and that a majority of etcd members is up.",
    });
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#listeners.clear();
    this.#transport[Symbol.dispose]();
  }

  #watch(address: string): void {
    const watch = new MasterWatch({
      address,
      transport: this.#transport,
      clock: this.#clock,
      random: this.#random,
      see: (view) => this.#see(address, view),
    });
    this.#watches.set(address, watch);
  }

  #see(from: string, view: LeaderView): string {
    if (this.#clusterId === "") this.#clusterId = view.clusterId;
    if (view.clusterId !== "" && view.clusterId !== this.#clusterId) {
      return `belongs to cluster ${view.clusterId}, not to ${this.#clusterId}`;
    }
    const { generation, revision } = view.epoch ?? NO_EPOCH;
    const epoch: Epoch = { generation, revision };
    const order = compareEpochs(epoch, this.#highest);
    // It led and has stepped down; its successor has not been heard yet.
    if (!view.leading && this.#leader?.name === view.master && order >= 0 && view.leader !== view.master) {
      this.#leader = undefined;
    }
    const address = view.leading ? from : view.leaderAddress;
    if (view.leader === "" || address === "") return "answers and knows no leader";
    // A leader that said so itself is believed over hearsay of the same epoch, and hearsay cannot revive one.
    if (order > 0 || (order === 0 && view.leading && !(this.#firstHand && this.#leader !== undefined))) {
      this.#highest = epoch;
      this.#firstHand = view.leading;
      this.#leader = { name: view.leader, address, epoch };
      if (!view.leading) this.learn(address);
      for (const listener of [...this.#listeners]) listener(this.#leader);
    }
    return view.leading ? `leads (epoch ${epochText(epoch)})` : `names ${address} (epoch ${epochText(epoch)})`;
  }
}

interface MasterWatchOptions extends Outside {
  readonly address: string;
  readonly clock: Clock;
  /** Returns what was heard, in words. */
  readonly see: (view: LeaderView) => string;
}

/** The stream to one master, opened again as long as it is wanted. */
class MasterWatch implements Disposable {
  /** For people: what was last heard. */
  state = "has not answered yet";
  readonly #options: MasterWatchOptions;
  #pauses: Generator<number, never, void>;
  #cancelStream: () => void = () => {};
  #cancelPause: (() => void) | undefined;
  #disposed = false;

  constructor(options: MasterWatchOptions) {
    this.#options = options;
    this.#pauses = newPauses(options.random);
    this.#open();
  }

  get address(): string {
    return this.#options.address;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#cancelPause?.();
    this.#cancelStream();
  }

  #open(): void {
    const { address, transport, clock, random, see } = this.#options;
    this.#cancelStream = transport.watch(address, {
      onItem: (view) => {
        if (this.#disposed) return;
        this.#pauses = newPauses(random);
        this.state = see(view);
      },
      onEnd: ({ reason, broke }) => {
        if (this.#disposed) return;
        if (broke) this.state = reason;
        this.#cancelPause = clock.after(this.#pauses.next().value, () => this.#open());
      },
    });
  }
}

function newPauses(random: Random): Generator<number, never, void> {
  return backoff({ baseMs: 20, maxMs: 100, minMs: 10, random: () => random.uniform() });
}
