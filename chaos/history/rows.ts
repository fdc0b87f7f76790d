/** Registry rows as the history tells of them, whoever reads the registry. */
import type { Change } from "../../src/core/registry/change.ts";
import { stateName } from "../../src/model/task-state.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";
import type { OperatorEvent } from "../../src/wire/gen/mesarch/v1/operator.ts";
import type { FrameworkRecord, TaskRecord, AgentRecord, HistoryRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import type { Resource, TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import type { Amounts, EventOf, RowChange } from "./event.ts";

export function rowChange({ kind, id, record }: Change): RowChange {
  switch (kind) {
    case "f":
      return { table: "framework", id, ...(record && { standing: frameworkStanding(record) }) };
    case "a":
      return { table: "agent", id, ...(record && { standing: agentStanding(record), active: !record.deactivated, term: record.term, total: amountsOf(record.info?.resources ?? []) }) };
    case "t":
      return { table: "task", id, ...(record && { task: taskRow(record) }) };
    case "h":
      return { table: "history", id, ...(record && { task: historyRow(record) }) };
    case "l":
      return { table: "leader", id };
    case "w":
      return { table: "weight", id, ...(record && { weight: record.weight }) };
    case "meta":
      return { table: "meta", id };
  }
}

/** What an event of the operators' stream tells of one thing; undefined if it is of something else. */
export function newsOf(event: OperatorEvent["event"]): Pick<EventOf<"news">["value"], "table" | "id" | "state"> | undefined {
  if (event?.$case === "task") return { table: "task", id: event.value.record?.launchId ?? "", state: nameOf(event.value.shownState) };
  if (event?.$case === "agent" && event.value.record !== undefined) return { table: "agent", id: event.value.id, state: agentStanding(event.value.record) };
  if (event?.$case === "framework" && event.value.record !== undefined) return { table: "framework", id: event.value.id, state: frameworkStanding(event.value.record) };
  return undefined;
}

/** In thousandths; what cannot be read counts for nothing, since the product refuses it. */
export function amountsOf(resources: readonly Resource[]): Amounts {
  const amounts: Record<string, number> = {};
  for (const { name, scalar } of resources) {
    if (scalar !== undefined && name !== undefined) amounts[name] = (amounts[name] ?? 0) + Math.round((scalar.value ?? 0) * 1_000);
  }
  return amounts;
}

function taskRow(record: TaskRecord) {
  return {
    task: record.info?.taskId?.value ?? "",
    framework: record.frameworkId,
    agent: record.agentId,
    state: nameOf(record.state),
    latest: nameOf(record.latestState),
    seq: record.seq,
    uuid: Buffer.from(record.uuid).toString("hex"),
    killed: record.kill !== undefined,
    settled: record.settled,
    resources: amountsOf(record.info?.resources ?? []),
  };
}

function historyRow({ task }: HistoryRecord) {
  return {
    launch: task?.launchId ?? "",
    task: task?.info?.taskId?.value ?? "",
    framework: task?.frameworkId ?? "",
    state: nameOf(task?.state ?? 0),
  };
}

function frameworkStanding({ standing }: FrameworkRecord): "subscribed" | "disconnected" | "removed" {
  if (standing?.$case === "subscribed") return "subscribed";
  return standing?.$case === "removedAt" ? "removed" : "disconnected";
}

function agentStanding({ standing }: AgentRecord): "in" | "unreachable" | "gone" {
  if (standing?.$case === "unreachableAt") return "unreachable";
  return standing?.$case === "goneAt" ? "gone" : "in";
}

function nameOf(state: number): TaskStateName {
  return stateName(state as TaskState) as TaskStateName;
}
