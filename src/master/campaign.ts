/**
 * One candidacy: queued behind the leader until it is this master's turn, or until its key is lost (2.2-2.6, 2.10).
 */
import type { Clock } from "../async/clock.ts";
import { anySignal, delay, onAbort } from "../async/abort.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Candidate, Fence, Store } from "../ports/registry.ts";
import type { Follower } from "./follower.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import type { KnownCandidate, Watchtower } from "./watchtower.ts";

export interface CampaignOptions {
  readonly store: Store;
  readonly follower: Follower;
  readonly watchtower: Watchtower;
  readonly lease: LeaseKeeper;
  readonly clock: Clock;
  readonly log: Logger;
  readonly canaryMs: number;
  /** The candidate set as a transaction just saw it. */
  readonly onCandidates: (candidates: readonly Candidate[], revision?: number) => void;
}

export type FailoverCause = "bootstrap" | "crash" | "silence" | "stuck" | "handover" | "expiry";

/** How a leadership was won, with times on the monotonic clock. */
export interface Victory {
  readonly kind: "leading";
  readonly revision: number;
  readonly cause: FailoverCause;
  readonly previous: KnownCandidate | undefined;
  readonly firstSignAt: number;
  readonly detectedAt: number;
  readonly electedAt: number;
}

export type CampaignResult = Victory | { readonly kind: "lost" };

/** Not next in line: leave it to the one who is for this long (2.10). */
const OTHERS_TURN_MS = 100;
/** A fold that is behind gets this long to catch up before it is loaded anew (2.5). */
const CATCH_UP_MS = 200;
/** Pause after an election transaction failed. */
const RETRY_MS = 50;
/** Two barriers this far apart prove the store while the leader is stuck (2.11). */
const STUCK_PROOF_MS = 300;

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #fence: Fence;
  #wake: () => void = () => {};
  #woken = false;
  #lost = false;
  /** The candidate that was first when this one last looked: who led. */
  #leader: KnownCandidate | undefined;
  #trouble: { cause: FailoverCause; firstSignAt: number; detectedAt: number } | undefined;
  #accusedAt: number | undefined;

  constructor(options: CampaignOptions, fence: Fence) {
    this.#options = options;
    this.#fence = fence;
  }

  /** Something changed: candidates, verdicts or the fold. */
  poke(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Resolves when this master leads, or its key is gone. Rejects with the signal's reason when aborted. */
  async run(signal: AbortSignal): Promise<CampaignResult> {
    const ending = new AbortController();
    using both = anySignal([signal, ending.signal]);
    const canary = this.#canary(both.signal);
    try {
      for (;;) {
        signal.throwIfAborted();
        if (this.#lost) return { kind: "lost" };
        const wait = await this.#look(signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          this.#options.log.debug("an election transaction failed", { error: String(error) });
          return RETRY_MS;
        });
        if (typeof wait === "object") return wait;
        await this.#sleep(wait, signal);
      }
    } finally {
      ending.abort();
      await canary;
    }
  }

  /** One look at the queue. Returns how long to wait for a change, or the outcome. */
  async #look(signal: AbortSignal): Promise<number | CampaignResult> {
    const { watchtower, store, follower, clock } = this.#options;
    const candidates = watchtower.candidates;
    const own = candidates.findIndex((one) => one.createRevision === this.#fence.createRevision);
    // Not listed: gone, or this view is older than the key. The canary tells.
    if (own < 0) return this.#options.canaryMs;
    const ahead = candidates.slice(0, own);
    const deposable = watchtower.deposable();
    this.#noticeTrouble(ahead, deposable);
    const accused = ahead.filter((one) => deposable.has(one.key));
    if (accused.length < ahead.length) {
      if (accused.length === 0) {
        this.#accusedAt = undefined;
        return this.#options.canaryMs;
      }
      this.#accusedAt ??= clock.now();
      const left = this.#accusedAt + OTHERS_TURN_MS - clock.now();
      if (left > 0) return left;
      for (const one of accused) await store.remove(one.key, one.createRevision, signal);
      return OTHERS_TURN_MS;
    }
    const result = await store.promote(
      this.#fence,
      { modRevision: follower.headModRevision },
      ahead.map((one) => one.candidate),
      signal,
    );
    switch (result.kind) {
      case "leading":
        return this.#victory(result.revision);
      case "gone":
        return { kind: "lost" };
      case "queued":
        this.#options.onCandidates(result.candidates);
        return RETRY_MS;
      case "behind":
        // The accused go in a transaction of their own: whoever leads next must not wait for this fold (2.5).
        for (const one of ahead) await store.remove(one.key, one.createRevision, signal);
        await this.#catchUp(result.headModRevision, signal);
        return 0;
    }
  }

  async #catchUp(revision: number, signal: AbortSignal): Promise<void> {
    const { follower, clock } = this.#options;
    const late = new AbortController();
    using both = anySignal([signal, late.signal]);
    const cancel = clock.after(CATCH_UP_MS, () => late.abort());
    try {
      await follower.reached(revision, both.signal);
    } catch {
      signal.throwIfAborted();
      this.#options.log.warn("the fold did not catch up in time; loading the registry", { revision });
      await follower.load(signal);
    } finally {
      cancel();
    }
  }

  /** Remembers when and how the leader's end was first seen, for the record of this failover (D15). */
  #noticeTrouble(ahead: readonly KnownCandidate[], deposable: ReadonlySet<string>): void {
    const { watchtower, clock } = this.#options;
    const first = ahead[0];
    const now = clock.now();
    if (first !== undefined && deposable.has(first.key)) {
      this.#leader = first;
      const cause = watchtower.handingOver().has(first.key) ? "handover" : causes[watchtower.verdictOn(first)];
      if (this.#trouble === undefined) this.#options.log.debug(`may depose ${first.record.master}`, { cause });
      this.#trouble ??= { cause: cause ?? "silence", firstSignAt: cause === "handover" ? now : watchtower.firstSign(first), detectedAt: now };
    } else if (first !== undefined) {
      this.#leader = first;
      this.#trouble = undefined;
    } else if (this.#leader !== undefined) {
      // Its key may be seen to go before its own word of a handover arrives.
      const cause = watchtower.verdictOn(this.#leader) === "alive" ? "handover" : "expiry";
      this.#trouble ??= { cause, firstSignAt: now, detectedAt: now };
    }
  }

  #victory(revision: number): Victory {
    const electedAt = this.#options.clock.now();
    const trouble = this.#trouble ?? { cause: "bootstrap", firstSignAt: electedAt, detectedAt: electedAt };
    return { kind: "leading", revision, previous: this.#leader, electedAt, ...trouble };
  }

  /** Proves, while queued, that the store answers and the key is there (2.6). */
  async #canary(signal: AbortSignal): Promise<void> {
    const { store, watchtower, lease, clock, canaryMs } = this.#options;
    while (!signal.aborted) {
      try {
        const sentAt = clock.now();
        const result = await store.barrier(this.#fence, signal);
        if (result.kind === "deposed") {
          this.#lost = true;
          this.poke();
          return;
        }
        lease.proved(sentAt);
        watchtower.barrierPassed();
        this.#options.onCandidates(result.candidates, result.revision);
        await delay(watchtower.leaderStuck() ? STUCK_PROOF_MS : canaryMs, signal, clock);
      } catch {
        if (!signal.aborted) await delay(RETRY_MS, signal, clock).catch(() => {});
      }
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(ms, resolve);
    this.#wake = resolve;
    const stopListening = onAbort(signal, resolve);
    await promise;
    stopListening();
    cancel();
    this.#wake = () => {};
    this.#woken = false;
  }
}

const causes: Partial<Record<string, FailoverCause>> = { dead: "crash", silent: "silence", stuck: "stuck" };
