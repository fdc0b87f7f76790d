/**
 * When the store last proved that this leadership holds: what keeps its lease, and ends it when there is no answer for
 * too long (2.7, 2.8).
 */
import type { Clock } from "../async/clock.ts";
import type { BarrierResult } from "../ports/registry.ts";

export interface FenceProofOptions {
  readonly clock: Clock;
  readonly barrier: () => Promise<BarrierResult>;
  /** Hears when a transaction was sent that was then answered. */
  readonly onProof: (sentAt: number) => void;
}

export class FenceProof {
  readonly #options: FenceProofOptions;
  #sentAt: number;
  #asking = false;

  /** Proved now, by the promotion. */
  constructor(options: FenceProofOptions) {
    this.#options = options;
    this.#sentAt = options.clock.now();
  }

  /** A transaction sent at that time was answered. */
  proved(sentAt: number): void {
    this.#sentAt = Math.max(this.#sentAt, sentAt);
    this.#options.onProof(sentAt);
  }

  ageMs(now: number): number {
    return now - this.#sentAt;
  }

  /** Asks with a barrier of its own, one at a time. True if the key is gone. */
  async isGone(): Promise<boolean> {
    if (this.#asking) return false;
    this.#asking = true;
    try {
      const sentAt = this.#options.clock.now();
      const { kind } = await this.#options.barrier();
      if (kind === "passed") this.proved(sentAt);
      return kind === "deposed";
    } finally {
      this.#asking = false;
    }
  }
}
