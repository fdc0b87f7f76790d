/** What a leader's loop is given, and how it can end. */
import type { Clock } from "../async/clock.ts";
import type { Input } from "../core/master/input.ts";
import type { MachineOptions } from "../core/master/machine.ts";
import type { Output } from "../core/master/output.ts";
import type { Fence, RegistryPort } from "../ports/registry.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Follower } from "./follower.ts";

export type LeadershipEnd =
  | { readonly kind: "deposed" }
  | { readonly kind: "handedOver" }
  /** The registry did not answer for a whole lease. */
  | { readonly kind: "expired" }
  | { readonly kind: "intruder"; readonly detail: string }
  /** A step threw, or the store called a batch malformed: a bug, contained by ending the leadership (3.9). */
  | { readonly kind: "failed"; readonly error: unknown };

/** Who says the words. `revision`: registry revision they are durable at. */
export interface Speaker {
  say(output: Output, revision: number): void;
  /** The leadership starts over without its volatile state: cut schedulers, greet agents anew (3.5). */
  restart(submit: (input: Input) => void): void;
}

export interface LeaderLoopOptions {
  readonly machine: Omit<MachineOptions, "tables">;
  readonly fence: Fence;
  readonly follower: Follower;
  readonly registry: RegistryPort;
  readonly speaker: Speaker;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** No answer for this long: mute (3.6). */
  readonly muteAfterMs: number;
  /** No answer for this long: over (2.8). The lease's TTL. */
  readonly expireAfterMs: number;
  /** A candidate with nothing in flight sends a barrier this often (2.6). */
  readonly canaryMs: number;
  /** How often a full store is tried again (3.5). */
  readonly fullRetryMs: number;
  /** Hears when a transaction was sent that was then answered: what keeps the lease alive (2.7). */
  readonly onProof: (sentAt: number) => void;
}
