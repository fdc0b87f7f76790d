/** What an agent knows. The durable part is a fold of its journal; the rest is learned anew by each process. */
import type { Epoch } from "../../base/epoch.ts";
import type { Random } from "../../base/random.ts";
import type { Digest } from "../../model/digest.ts";
import type { Resources } from "../../model/resources.ts";
import type { Storage } from "../../ports/checkpoint.ts";
import type { IdentityTaken, TaskAccepted, UpdateMade } from "../../wire/gen/mesarch/v1/checkpoint.ts";
import type { Deadlines } from "../deadlines.ts";
import type { LinkId } from "./input.ts";
import type { AgentSettings } from "./settings.ts";

/**
 * Where a task that has not ended stands, in this process:
 * unstarted, accepted by an earlier process and without a start mark (6.3); starting, its start was asked for;
 * running, its process was seen. `ended` once its last update is made.
 */
export type Phase = "unstarted" | "starting" | "running" | "ended";

/** Why a run is being cancelled, and so what follows when that succeeds. */
export type CancelReason =
  | { readonly kind: "killed" }
  /** The leader said that it must never start; its row says how it ended. */
  | { readonly kind: "withdrawn" }
  | { readonly kind: "failed"; readonly reason: string };

export interface AgentTask {
  readonly accepted: TaskAccepted;
  readonly resources: Resources;
  /** Updates not acknowledged, oldest first: the first is the head of the stream (7.1). */
  readonly updates: UpdateMade[];
  /** The last one acknowledged. */
  acknowledged: UpdateMade | undefined;
  /** Grace of the kill ordered, in milliseconds. */
  killGraceMs: number | undefined;

  phase: Phase;
  cancelling: CancelReason | undefined;
  /** Pause before the head is said again. */
  retryMs: number;
}

/** A leader this agent obeys, from its Lead on. At most one at a time. */
export interface Leader {
  readonly link: LinkId;
  readonly session: number;
  readonly clusterId: string;
  /** Epoch stored before this leader was obeyed: what the report tells. */
  readonly storedBefore: Epoch;
  readonly pingTimeoutMs: number;
  /** When anything was last heard in this session. */
  heardAt: number;
  confirmed: boolean;
  /** The leader knows this agent, so a digest does instead of a list. */
  wantsList: boolean;
  wantsInfos: boolean;
}

export interface AgentState {
  readonly settings: AgentSettings;
  readonly random: Random;
  readonly deadlines: Deadlines;

  /** Of the registration; ids are empty before the first. */
  identity: IdentityTaken;
  /** The highest epoch obeyed. */
  epoch: Epoch;
  /** By launch id: everything held, ended or not, until it is forgotten. */
  readonly tasks: Map<string, AgentTask>;
  /** Of the keys of `tasks` (9.1). */
  readonly digest: Digest;
  /** Of tasks that have not ended. */
  used: Resources;

  /** Open streams, and whether the master's last words on each were refused. */
  readonly links: Set<LinkId>;
  leader: Leader | undefined;
  /** A session of this process was confirmed in the present generation: reports are digests from now on (9.3). */
  confirmedOnce: boolean;
  storage: Storage;
  /** The registry says that this agent is gone: it ends its tasks, then itself. */
  leaving: string | undefined;
}

/** The newest state of a task that the agent knows, as a number of mesos.v1.TaskState. */
export function latestUpdate(task: AgentTask): UpdateMade | undefined {
  return task.updates.at(-1) ?? task.acknowledged;
}

export function idOf(task: AgentTask): string {
  return task.accepted.launchId;
}
