/**
 * Takes over a task that the registry does not know, because it is younger than the task (9.3, 13.2) or forgot it with its
 * agent (4.2).
 */
import { idError, isLaunchId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { Resources } from "../../model/resources.ts";
import { roleError } from "../../model/roles.ts";
import { isTerminal, mayFollow } from "../../model/task-state.ts";
import type { HeldTask } from "../../wire/gen/mesarch/v1/agents.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Change } from "../registry/change.ts";
import { type MasterState, clusterClock } from "./state.ts";
import type { Tx } from "./tx.ts";
import { frameworkError } from "./validate-framework.ts";

/**
 * Writes the task's row and, where needed, its framework as away. Its updates follow when the agent says them again.
 * Returns why it cannot be, if so.
 */
export function adopt(
  state: MasterState,
  tx: Tx,
  agent: { readonly agentId: string; readonly term: number },
  held: HeldTask,
): string | undefined {
  const problem = whyNot(state, held);
  if (problem !== undefined) return problem;
  const framework = state.tables.frameworks.has(held.frameworkId) ? undefined : frameworkRow(state, tx.now, held);
  const task: Change = { kind: "t", id: held.launchId, record: taskRow(state, tx.now, agent, held) };
  if (tx.sizeOf(task) > limits.taskInfoBytes) return `it is larger than ${limits.taskInfoBytes} bytes`;
  if (framework !== undefined && tx.sizeOf(framework) > limits.infoBytes) {
    return `its framework's info is larger than ${limits.infoBytes} bytes`;
  }
  if (framework !== undefined) {
    tx.put(framework);
    const patience = Math.max(held.framework?.failoverTimeout ?? 0, state.settings.lostByMasterGraceSeconds);
    state.deadlines.set(`framework/${held.frameworkId}`, tx.now + 1000 * patience);
  }
  tx.put(task);
  return undefined;
}

/**
 * A row out of a backup may be behind what its framework has acknowledged since, which the agent does not say again
 * (13.2): it takes over the agent's state, and the framework is told as of an agent that is back (7.5).
 */
export function catchUp(tx: Tx, agent: { readonly term: number }, row: TaskRecord, held: HeldTask): void {
  if (held.state === row.latestState || !mayFollow(row.latestState as TaskState, held.state as TaskState, "agent")) return;
  tx.put({ kind: "t", id: row.launchId, record: { ...row, state: held.state, latestState: held.state, agentTerm: agent.term - 1 } });
}

function taskRow(
  state: MasterState,
  now: number,
  agent: { readonly agentId: string; readonly term: number },
  held: HeldTask,
): TaskRecord {
  return {
    launchId: held.launchId,
    frameworkId: held.frameworkId,
    info: held.info,
    agentId: agent.agentId,
    // As of one that was given up: its framework has to be told that it is back (7.5), and it never starts late (6.2).
    agentTerm: agent.term - 1,
    generation: state.leadership.generation,
    state: toldSoFar(held.state as TaskState),
    latestState: held.state,
    seq: 0,
    uuid: new Uint8Array(),
    traceparent: held.traceparent,
    settled: false,
    settledTold: false,
    role: held.role,
    launchedAt: clusterClock(state, now),
  };
}

/**
 * The agent says its updates again from the oldest unacknowledged one on, the end last: as long as it was not said, what
 * comes before it may still be news (7.4). Of what it never started nothing does, and nobody is to hear that it runs.
 */
function toldSoFar(latest: TaskState): TaskState {
  if (latest === TaskState.TASK_DROPPED || latest === TaskState.TASK_ERROR) return latest;
  return isTerminal(latest) ? TaskState.TASK_RUNNING : latest;
}

function frameworkRow(state: MasterState, now: number, { frameworkId, framework }: HeldTask): Change {
  return {
    kind: "f",
    id: frameworkId,
    record: {
      info: framework,
      principal: framework?.principal ?? "",
      suppressedRoles: [],
      standing: { $case: "disconnectedAt", value: clusterClock(state, now) },
      lostByMaster: true,
    },
  };
}

function whyNot(state: MasterState, held: HeldTask): string | undefined {
  const { launchId, frameworkId, taskId, info, framework } = held;
  if (!isLaunchId(launchId)) return "its launch id is malformed";
  if (idError(frameworkId) !== undefined || framework?.id?.value !== frameworkId) return "its framework is not described";
  if (info === undefined || info.taskId?.value !== taskId) return "it is not described";
  if (idError(taskId) !== undefined) return "its id is malformed";
  if (!mayFollow(TaskState.TASK_STAGING, held.state as TaskState, "agent")) return "its state is none";
  const invalid = frameworkError(framework, [], undefined) ?? roleError(held.role);
  if (invalid !== undefined) return invalid;
  if (state.tables.taskById(frameworkId, taskId) !== undefined) return "another task has its id";
  const resources = Resources.fromMesos(info.resources);
  if (!resources.ok) return resources.error;
  if (state.tables.frameworkBooks(frameworkId).live.size >= limits.liveTasksPerFramework) return "its framework has too many";
  return undefined;
}
