/** What follows for a task from the rows of its agent and framework: derived, never written per task (4.1). */
import { isTerminal } from "../../model/task-state.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { TaskState, type TaskStatus_Reason, TaskStatus_Reason as Reason } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Tables } from "../registry/tables.ts";

/** A task as frameworks and operators see it. */
export interface Standing {
  readonly state: TaskState;
  readonly reason?: TaskStatus_Reason | undefined;
  /** Wall clock, milliseconds since 1970; only of unreachable tasks. */
  readonly unreachableTimeMs?: number | undefined;
  /** Only a master can tell it: no agent says it, so nobody repeats it unless we do (7.5). */
  readonly derived: boolean;
}

/** A task that ended stays as it ended; any other is as reachable as its agent. */
export function shownState(tables: Tables, record: TaskRecord): Standing {
  const state = record.state as TaskState;
  if (isTerminal(state)) return { state, reason: record.status?.reason, derived: record.settled };
  const agent = tables.agents.get(record.agentId);
  switch (agent?.standing?.$case) {
    case "goneAt":
      return { state: TaskState.TASK_GONE_BY_OPERATOR, reason: Reason.REASON_AGENT_REMOVED_BY_OPERATOR, derived: true };
    case "in":
      return { state, reason: record.status?.reason, derived: false };
    default: {
      // A row without its agent's row is about to be pruned (4.2): nobody has heard of that agent for weeks.
      const unreachableTimeMs = agent?.unreachableTimeMs;
      return { state: TaskState.TASK_UNREACHABLE, reason: Reason.REASON_AGENT_REMOVED, unreachableTimeMs, derived: true };
    }
  }
}

export function isFrameworkRemoved(tables: Tables, frameworkId: string): boolean {
  const standing = tables.frameworks.get(frameworkId)?.standing;
  return standing === undefined || standing.$case === "removedAt";
}

/** The agent's word, or an operator's, has not ended it: it may run. */
export function mayRun(record: TaskRecord): boolean {
  return !isTerminal(record.latestState as TaskState);
}

/** To be killed by order, or because nobody owns it any more. */
export function isToBeKilled(tables: Tables, record: TaskRecord): boolean {
  return (
    record.kill !== undefined ||
    isFrameworkRemoved(tables, record.frameworkId) ||
    tables.agents.get(record.agentId)?.standing?.$case === "goneAt"
  );
}

/**
 * Whether a launch order may be given or repeated (6.2): what was announced unreachable, or comes out of a backup,
 * never starts late.
 *
 * @param generation of the present leadership.
 */
export function isDeliverable(tables: Tables, record: TaskRecord, generation: number): boolean {
  const agent = tables.agents.get(record.agentId);
  return (
    record.state === TaskState.TASK_STAGING &&
    record.latestState === TaskState.TASK_STAGING &&
    agent?.standing?.$case === "in" &&
    agent.term === record.agentTerm &&
    record.generation === generation &&
    !isToBeKilled(tables, record)
  );
}
