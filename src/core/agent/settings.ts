import type { Incarnation } from "../../wire/gen/mesarch/v1/registry.ts";
import type { AgentInfo } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Resources } from "../../model/resources.ts";

/** Who this agent is and how it behaves. Milliseconds unless the name says otherwise. */
export interface AgentSettings {
  /** Without id: the registry gives that. */
  readonly info: AgentInfo;
  /** What `info.resources` says, as a value. */
  readonly resources: Resources;
  /** host:port of the agent's own gRPC door. */
  readonly address: string;
  /** Address of tasks, which share the host's network. */
  readonly ip: string;
  /** Names the time since the host started (8.4). */
  readonly bootId: string;
  readonly incarnation: Incarnation;
  /** Pause before an unacknowledged update is said again; doubles up to `updateRetryMaxMs` (7.1). */
  readonly updateRetryMs: number;
  readonly updateRetryMaxMs: number;
  /** An end waits this long for the acknowledgement of the update before it, then that one is repeated to tell of it. */
  readonly latestStateDelayMs: number;
  /** A monitor that has not taken its start mark so long after it was spawned never will. */
  readonly startTimeoutMs: number;
  /** Grace of kills that nobody but the agent asked for, where the task names none. */
  readonly killGraceMs: number;
  /** Pause before reporting again to a leader that called the report invalid. */
  readonly invalidRetryMs: number;
}

export type AgentTimings = Pick<
  AgentSettings,
  "updateRetryMs" | "updateRetryMaxMs" | "latestStateDelayMs" | "startTimeoutMs" | "killGraceMs" | "invalidRetryMs"
>;

export const defaultAgentTimings: AgentTimings = Object.freeze({
  updateRetryMs: 10_000,
  updateRetryMaxMs: 600_000,
  latestStateDelayMs: 1_000,
  startTimeoutMs: 60_000,
  killGraceMs: 3_000,
  invalidRetryMs: 10_000,
});
