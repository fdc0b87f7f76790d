/** What a leader does beside leading: compacts the store's history and watches its size (13.3). */
import type { Clock } from "../async/clock.ts";
import { withDeadline } from "../async/abort.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Store } from "../ports/registry.ts";
import type { LeaderLoop } from "./leader-loop.ts";
import type { MasterReport } from "./master-report.ts";
import type { MasterOptions } from "./options.ts";

/** How often history is sampled, compacted, and the store's size read. */
const INTERVAL_MS = 10_000;
/** Above this share of the store's quota nothing is launched (13.3); below the other, launches go on. */
const FULL_SHARE = 0.8;
const ROOM_SHARE = 0.75;

/** Bytes of batches behind the head after which history is compacted sooner, and from which nobody is waited for. */
const HISTORY_BYTES = 256 * 2 ** 20;
const HISTORY_BYTES_MAX = 512 * 2 ** 20;

interface Sample {
  readonly at: number;
  readonly revision: number;
  /** Written by this leadership until then. */
  readonly bytes: number;
}

export interface HousekeepingOptions {
  readonly options: MasterOptions;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly loop: LeaderLoop;
  readonly report: MasterReport;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #samples: Sample[] = [];
  #compacted = 0;
  #nearlyFull = false;
  #stopped = false;
  #cancel: () => void = () => {};

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #next(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => {
      void this.#round().finally(() => this.#next());
    });
  }

  /** What runs must still be booked when the store is full, so launches stop before it is. */
  #watchRoom({ usedBytes, quotaBytes }: { readonly usedBytes: number; readonly quotaBytes: number }): void {
    if (quotaBytes === 0) return;
    const share = usedBytes / quotaBytes;
    const { loop, log } = this.#options;
    if (share > FULL_SHARE && !this.#nearlyFull) {
      this.#nearlyFull = true;
      log.error("no launches until the store has room", { usedBytes, quotaBytes });
    } else if (share < ROOM_SHARE && this.#nearlyFull) {
      this.#nearlyFull = false;
      log.info("the store has room again", { usedBytes, quotaBytes });
      loop.deliver({ kind: "nearlyFull", reason: "" });
    }
    // Each time: a machine that was made anew does not know (3.5).
    if (this.#nearlyFull) {
      const reason = `the store holds ${usedBytes} of ${quotaBytes} bytes; give etcd a larger quota or compact and defragment it`;
      loop.deliver({ kind: "nearlyFull", reason });
    }
  }

  async #round(): Promise<void> {
    const { clock, store, log, loop, report, options } = this.#options;
    const now = clock.now();
    // At rest one sample stands for as long as nothing is written.
    if (this.#samples.at(-1)?.revision !== loop.revision) this.#samples.push({ at: now, revision: loop.revision, bytes: loop.bytesCommitted });
    using bounded = withDeadline(undefined, INTERVAL_MS, clock);
    try {
      // The older of "five minutes ago" and the slowest standby's fold: nobody who is alive must load again, unless
      // history grows faster than that (13.3).
      const behind = (sample: Sample): number => loop.bytesCommitted - sample.bytes;
      const old = this.#samples.findLast((sample) => now - sample.at >= options.compactAfterMs || behind(sample) >= HISTORY_BYTES);
      const waited = behind(this.#samples[0]!) >= HISTORY_BYTES_MAX ? Infinity : report.slowestFold();
      const target = Math.min(old?.revision ?? 0, waited);
      if (target > this.#compacted) {
        await store.compact(target, bounded.signal);
        this.#compacted = target;
        this.#samples = this.#samples.filter((sample) => sample.revision >= target);
      }
      const size = await store.size(bounded.signal);
      report.storeSize(size);
      this.#watchRoom(size);
    } catch (error) {
      if (!this.#stopped) log.warn("compaction or size check of the store failed", { error });
    }
  }
}
