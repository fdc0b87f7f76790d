import type { Epoch } from "../base/epoch.ts";
import type { Input } from "../core/master/input.ts";

/** What the doors may do with the leadership this master holds. */
export interface LeadershipAccess {
  readonly epoch: Epoch;
  readonly clusterId: string;
  /** False when the master cannot take it now: answer 503. */
  submit(input: Input): boolean;
  /** For what must not be refused. */
  deliver(input: Input): void;
}

/** Where the leader is, as far as this master knows. */
export interface LeaderHint {
  readonly master: string;
  readonly address: string;
  readonly epoch: Epoch;
}

/** Numbers for streams and calls, unique within this process, so that a late word never meets a newer stream. */
export class Numbers {
  #next = 1;
  take(): number {
    return this.#next++;
  }
}
