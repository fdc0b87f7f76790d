/** What an agent's row becomes by its report (8.6, 8.7), and which reports make none. */
import { agentId as issueAgentId, idError } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { Resources } from "../../model/resources.ts";
import type { Report } from "../../wire/gen/mesarch/v1/agents.ts";
import type { AgentRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { isSame } from "./identity.ts";
import type { MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";

/** Why a report cannot be taken. */
export function reportError(tx: Tx, report: Report): string | undefined {
  const { info, incarnation, agentId } = report;
  if (info === undefined) return "the report has no AgentInfo";
  if (incarnation === undefined || incarnation.nonce === "") return "the report has no incarnation";
  if (agentId === "" && report.registrationNonce === "") return "a registration needs a nonce";
  if (agentId !== "" && idError(agentId) !== undefined) return idError(agentId);
  const resources = Resources.fromMesos(info.resources);
  if (!resources.ok) return resources.error;
  if (tx.sizeOf({ kind: "a", id: agentId, record: blankRow(report) }) > limits.infoBytes) {
    return `AgentInfo is larger than ${limits.infoBytes} bytes`;
  }
  return undefined;
}

export function newAgentId(state: MasterState): string {
  return issueAgentId({ epoch: state.epoch, nonce: state.idNonce }, state.counters.agent++);
}

/** The row of an agent that joins or comes back. `before` itself when nothing changes: no write then (9.2). */
export function joinedRow(state: MasterState, agentId: string, before: AgentRecord | undefined, report: Report): AgentRecord {
  const { generation } = state.leadership;
  if (before !== undefined && before.generation === generation && before.standing?.$case === "in" && isSameProcess(before, report)) {
    return before;
  }
  const joined: AgentRecord = {
    ...(before ?? blankRow(report)),
    info: { ...report.info!, id: { value: agentId } },
    incarnation: report.incarnation,
    address: report.address,
    standing: { $case: "in", value: true },
    unreachableTimeMs: 0,
    generation,
  };
  return joined;
}

/** A process never changes what it told of itself. */
function isSameProcess(row: AgentRecord, { incarnation }: Report): boolean {
  return row.incarnation !== undefined && incarnation !== undefined && isSame(row.incarnation, incarnation);
}

function blankRow(report: Report): AgentRecord {
  return {
    info: report.info,
    incarnation: report.incarnation,
    address: report.address,
    registrationNonce: report.registrationNonce,
    term: 1,
    unreachableTimeMs: 0,
    deactivated: false,
    generation: 0,
  };
}
