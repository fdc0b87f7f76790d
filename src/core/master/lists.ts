/** When an agent's digest will not do (9.2, 9.3). */
import type { HeldTask, Report } from "../../wire/gen/mesarch/v1/agents.ts";
import type { AgentRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { isSame } from "./identity.ts";
import { isExpired } from "./prune.ts";
import type { AgentStream, MasterState } from "./state.ts";

/**
 * Its tasks may be unknown to a registry that is younger than they are, new to this agent or restored (13.2), or that
 * has given up this agent and forgotten some of them by now (4.2).
 */
export function mayBringTasks(state: MasterState, now: number, row: AgentRecord | undefined, report: Report): boolean {
  const { generation } = state.leadership;
  if (row === undefined || row.generation < generation || isExpired(state, now, row)) return true;
  return (report.storedEpoch?.generation ?? 0) < generation;
}

/** `infos`: a list with TaskInfo and FrameworkInfo, since tasks may have to be adopted. */
export function listNeeded(
  state: MasterState,
  stream: AgentStream,
  row: AgentRecord | undefined,
  report: Report,
): "nothing" | "list" | "infos" {
  if (report.listed) return stream.adopting && lacksInfos(state, report.held) ? "infos" : "nothing";
  if (stream.adopting) return "infos";
  const sameProcess = row?.incarnation !== undefined && report.incarnation !== undefined && isSame(row.incarnation, report.incarnation);
  if (!sameProcess) return "list";
  const { digest } = state.tables.agentBooks(stream.agentId);
  return report.tasks?.count === digest.count && report.tasks.sum === digest.sumText ? "nothing" : "list";
}

function lacksInfos(state: MasterState, list: readonly HeldTask[]): boolean {
  return list.some((held) => !state.tables.tasks.has(held.launchId) && (held.info === undefined || held.framework === undefined));
}
