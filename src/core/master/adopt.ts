/** Takes over a task that the registry does not know, because it is younger than the task (9.3, 13.2). */
import { idError, isLaunchId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { Resources } from "../../model/resources.ts";
import type { HeldTask } from "../../wire/gen/mesarch/v1/agents.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { type MasterState, clusterClock } from "./state.ts";
import type { Tx } from "./tx.ts";

/**
 * Writes the task's row and, where needed, its framework as away. Its updates follow when the agent says them again.
 * False when it cannot be.
 */
export function adopt(state: MasterState, tx: Tx, agent: { readonly agentId: string; readonly term: number }, held: HeldTask): boolean {
  const problem = whyNot(state, held);
  if (problem !== undefined) {
    tx.say({ kind: "alarm", cause: `adopt/${held.launchId}`, message: `task ${held.taskId} of agent ${agent.agentId} cannot be adopted: ${problem}` });
    return false;
  }
  adoptFramework(state, tx, held);
  const record: TaskRecord = {
    launchId: held.launchId,
    frameworkId: held.frameworkId,
    info: held.info,
    agentId: agent.agentId,
    agentTerm: agent.term,
    generation: state.leadership.generation,
    state: held.state,
    latestState: held.state,
    seq: 0,
    uuid: new Uint8Array(),
    traceparent: held.traceparent,
    settled: false,
    settledTold: false,
    role: held.role,
    launchedAt: clusterClock(state, tx.now),
  };
  tx.put({ kind: "t", id: record.launchId, record });
  return true;
}

function adoptFramework(state: MasterState, tx: Tx, held: HeldTask): void {
  if (state.tables.frameworks.has(held.frameworkId)) return;
  const clock = clusterClock(state, tx.now);
  const info = held.framework;
  tx.put({
    kind: "f",
    id: held.frameworkId,
    record: {
      info,
      principal: info?.principal ?? "",
      suppressedRoles: [],
      standing: { $case: "disconnectedAt", value: clock },
      lostByMaster: true,
    },
  });
  const patience = Math.max(info?.failoverTimeout ?? 0, state.settings.lostByMasterGraceSeconds);
  state.deadlines.set(`framework/${held.frameworkId}`, tx.now + 1000 * patience);
}

function whyNot(state: MasterState, held: HeldTask): string | undefined {
  const { launchId, frameworkId, taskId, info, framework } = held;
  if (!isLaunchId(launchId)) return "its launch id is malformed";
  if (idError(frameworkId) !== undefined || framework?.id?.value !== frameworkId) return "its framework is not described";
  if (info === undefined || info.taskId?.value !== taskId) return "it is not described";
  if (state.tables.taskById(frameworkId, taskId) !== undefined) return "another task has its id";
  const resources = Resources.fromMesos(info.resources);
  if (!resources.ok) return resources.error;
  if (state.tables.frameworkBooks(frameworkId).live.size >= limits.liveTasksPerFramework) return "its framework has too many";
  return undefined;
}
