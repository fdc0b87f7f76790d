/**
 * After a restore agents may hold tasks that the registry does not know yet (5.4, 13.2). Until they were heard nothing
 * is said about such a task, or its framework would replace what is adopted a moment later.
 */
import { parseIssuedId } from "../../model/ids.ts";
import type { AgentRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { Call } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import { listeningTime } from "./membership.ts";
import type { FrameworkStream, MasterState } from "./state.ts";

/** Whether this agent may still bring tasks nobody knows. */
export function isAwaited(state: MasterState, now: number, agentId: string): boolean {
  const agent = state.tables.agents.get(agentId);
  return agent === undefined ? isOfBefore(state, agentId) && isFirstWindow(state, now) : isUnheard(state, agent);
}

/** Whether any may; found out when first asked. */
export function anyAwaited(state: MasterState, now: number): () => boolean {
  let known: boolean | undefined;
  return () => (known ??= isAnyAwaited(state, now));
}

/**
 * Whether a call is about a task that an agent may still bring: what would be done without it may be wrong then. Nobody
 * is put off like this for longer than one window.
 */
export function concernsAwaited(state: MasterState, now: number, stream: FrameworkStream, { accept, kill }: Call): boolean {
  if (!isFirstWindow(state, now)) return false;
  const { frameworkId, offers } = stream;
  const any = anyAwaited(state, now);
  const mayCome = (taskId = "", agentId = ""): boolean => {
    const { tables } = state;
    const isKnown = tables.taskById(frameworkId, taskId) !== undefined || tables.finishedById(frameworkId, taskId) !== undefined;
    return !isKnown && (agentId === "" ? any() : isAwaited(state, now, agentId));
  };
  if (kill !== undefined) return mayCome(kill.taskId?.value, kill.agentId?.value);
  // With a good offer it is a launch of today; else perhaps the repetition of one that the backup lacks (10.3).
  if (accept === undefined || accept.offerIds.every(({ value = "" }) => offers.has(value))) return false;
  return accept.operations.some(({ launch }) => launch?.taskInfos.some(({ taskId, agentId }) => mayCome(taskId?.value, agentId?.value)));
}

function isAnyAwaited(state: MasterState, now: number): boolean {
  // Nothing was ever restored: no agent is of an older generation, and nobody has to look.
  if (!isRestored(state)) return false;
  if (isFirstWindow(state, now)) return true;
  for (const agent of state.tables.agents.values()) if (isUnheard(state, agent)) return true;
  return false;
}

/** A member that did not confirm in this generation yet. */
function isUnheard(state: MasterState, { generation, standing }: AgentRecord): boolean {
  return standing?.$case === "in" && generation < state.epoch.generation;
}

/** Named by an older generation: without a row it is younger than the backup, and comes back with its tasks. */
function isOfBefore(state: MasterState, agentId: string): boolean {
  const issued = parseIssuedId(agentId);
  return issued?.kind === "agent" && issued.epoch.generation < state.epoch.generation;
}

/** Agents that a restored registry does not know have this time to be heard; then they count as lost. */
function isFirstWindow(state: MasterState, now: number): boolean {
  return isRestored(state) && listeningTime(state, now) < state.settings.agentPingTimeoutMs;
}

function isRestored(state: MasterState): boolean {
  return state.tables.meta?.lastEpochBefore !== undefined;
}
