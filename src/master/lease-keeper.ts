/**
 * Keeps the one lease that this master's candidate keys hang on, and only while it deserves to be kept: a transaction
 * was answered within half a TTL, and the main loop runs (2.7). A keep-alive's answer proves nothing by itself.
 */
import { delay } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ElectionPort } from "../ports/registry.ts";

export class LeaseKeeper {
  readonly #election: ElectionPort;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  #provedAt = -Infinity;
  #granted = false;

  constructor(election: ElectionPort, ttlMs: number, clock: Clock, log: Logger) {
    this.#election = election;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#log = log;
  }

  /** A transaction sent at that time was answered. */
  proved(sentAt: number): void {
    this.#provedAt = Math.max(this.#provedAt, sentAt);
  }

  /** Grants the lease if there is none. */
  async ensure(signal: AbortSignal): Promise<void> {
    if (this.#granted) return;
    const sentAt = this.#clock.now();
    await this.#election.grantLease(this.#ttlMs / 1000, signal);
    this.#granted = true;
    this.proved(sentAt);
  }

  /** The store does not know the lease any more: the next `ensure` grants another. */
  lost(): void {
    if (this.#granted) this.#log.warn("the lease of this master's candidate keys expired");
    this.#granted = false;
  }

  /** Renews until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(this.#ttlMs / 3, signal, this.#clock).catch(() => {});
      if (signal.aborted || !this.#granted) continue;
      if (this.#clock.now() - this.#provedAt > this.#ttlMs / 2) continue;
      try {
        if (await this.#election.keepAlive(signal)) continue;
        this.lost();
      } catch (error) {
        if (!signal.aborted) this.#log.debug("a keep-alive got no answer", { error: String(error) });
      }
    }
  }
}
