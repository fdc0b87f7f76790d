/** Everything that can happen to an agent. One machine lives as long as the agent's process. */
import type { Storage } from "../../ports/checkpoint.ts";
import type { RunState } from "../../ports/containers.ts";
import type { MasterBatch } from "../../wire/gen/mesarch/v1/agents.ts";

/** Numbers a stream to a master within this process; never used twice. */
export type LinkId = number;

export type Input =
  /** First of all, once: what became of every run this agent, or one before it, ever asked for (8.4). */
  | { readonly kind: "started"; readonly runs: ReadonlyMap<string, RunState> }
  | { readonly kind: "linkOpened"; readonly link: LinkId }
  | { readonly kind: "linkClosed"; readonly link: LinkId }
  | { readonly kind: "fromMaster"; readonly link: LinkId; readonly batch: MasterBatch }
  | { readonly kind: "runChanged"; readonly launchId: string; readonly state: RunState }
  /** A `start` was carried out: a monitor is on its way to the start mark. */
  | { readonly kind: "spawned"; readonly launchId: string }
  /** A `start` was refused by the host; nothing was spawned by it. */
  | { readonly kind: "startFailed"; readonly launchId: string; readonly reason: string }
  /** Answer to `cancel`: `won` if the run will never start. */
  | { readonly kind: "cancelled"; readonly launchId: string; readonly won: boolean }
  | { readonly kind: "storage"; readonly storage: Storage }
  /** The clock reached `nextDeadline()`. */
  | { readonly kind: "deadline" };
