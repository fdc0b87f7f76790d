/** Records of the cluster as rows: the names here are those of `-o json`, and stay. */
import { epochText, NO_EPOCH, type Epoch } from "../base/epoch.ts";
import { amounts, taskStateName } from "../sdk/tasks.ts";
import type { AgentView, FrameworkView, MasterView, TaskView } from "../wire/gen/mesarch/v1/operator.ts";
import type { LeaderRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { age, measured, type Kind } from "./render.ts";

const epoch = (value: Epoch | undefined): string => epochText(value ?? NO_EPOCH);
const amount = (resources: { readonly [name: string]: number }, name: string): string => String(resources[name] ?? 0);

export const masters: Kind<MasterView> = {
  name: "Master",
  columns: [
    { header: "NAME", value: (row) => row.name },
    { header: "ROLE", value: (row) => row.role },
    { header: "ADDRESS", value: (row) => row.address },
    { header: "REVISION", value: (row) => row.foldedRevision, align: "right" },
    { header: "HEARD", value: (row) => (row.lastHeardMs === 0 ? "now" : `${age(row.lastHeardMs)} ago`) },
    { header: "AGENTS", value: (row) => row.agentsConnected, align: "right" },
    { header: "EPOCH", value: (row) => epoch(row.epoch), wide: true },
    { header: "VERSION", value: (row) => row.version, wide: true },
  ],
};

export interface AgentRow {
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  /** confirmed | connected | away | unreachable | gone */
  readonly state: string;
  readonly active: boolean;
  readonly tasks: number;
  readonly total: { readonly [name: string]: number };
  readonly used: { readonly [name: string]: number };
  readonly offered: { readonly [name: string]: number };
}

export function agentRow({ id, record, connected, confirmed, total, used, offered, tasks }: AgentView): AgentRow {
  const { $case } = record?.standing ?? { $case: "in" };
  const state =
    $case === "unreachableAt" ? "unreachable" : $case === "goneAt" ? "gone" : confirmed ? "confirmed" : connected ? "connected" : "away";
  return {
    id,
    hostname: record?.info?.hostname ?? "",
    address: record?.address ?? "",
    state,
    active: record?.deactivated !== true,
    tasks,
    total: amounts({ resources: total }),
    used: amounts({ resources: used }),
    offered: amounts({ resources: offered }),
  };
}

export const agents: Kind<AgentRow> = {
  name: "Agent",
  columns: [
    { header: "ID", value: (row) => row.id },
    { header: "HOST", value: (row) => row.hostname },
    { header: "STATE", value: (row) => (row.active ? row.state : `${row.state}, inactive`) },
    { header: "TASKS", value: (row) => row.tasks, align: "right" },
    { header: "CPUS", value: (row) => `${amount(row.used, "cpus")}/${amount(row.total, "cpus")}`, align: "right" },
    { header: "MEM", value: (row) => `${amount(row.used, "mem")}/${amount(row.total, "mem")}`, align: "right" },
    { header: "DISK", value: (row) => `${amount(row.used, "disk")}/${amount(row.total, "disk")}`, align: "right", wide: true },
    { header: "OFFERED CPUS", value: (row) => amount(row.offered, "cpus"), align: "right", wide: true },
    { header: "ADDRESS", value: (row) => row.address, wide: true },
  ],
};

export interface FrameworkRow {
  readonly id: string;
  readonly name: string;
  /** active | disconnected | removed */
  readonly state: string;
  readonly roles: readonly string[];
  readonly user: string;
  readonly principal: string;
  readonly failoverTimeoutSeconds: number;
  readonly tasks: number;
  readonly used: { readonly [name: string]: number };
}

export function frameworkRow({ id, record, connected, used, tasks }: FrameworkView): FrameworkRow {
  return {
    id,
    name: record?.info?.name ?? "",
    state: record?.standing?.$case === "removedAt" ? "removed" : connected ? "active" : "disconnected",
    roles: record?.info?.roles ?? [],
    user: record?.info?.user ?? "",
    principal: record?.principal ?? "",
    failoverTimeoutSeconds: record?.info?.failoverTimeout ?? 0,
    tasks,
    used: amounts({ resources: used }),
  };
}

export const frameworks: Kind<FrameworkRow> = {
  name: "Framework",
  columns: [
    { header: "ID", value: (row) => row.id },
    { header: "NAME", value: (row) => row.name },
    { header: "STATE", value: (row) => row.state },
    { header: "TASKS", value: (row) => row.tasks, align: "right" },
    { header: "CPUS", value: (row) => amount(row.used, "cpus"), align: "right" },
    { header: "MEM", value: (row) => amount(row.used, "mem"), align: "right" },
    { header: "ROLES", value: (row) => row.roles.join(","), wide: true },
    { header: "USER", value: (row) => row.user, wide: true },
    { header: "FAILOVER TIMEOUT", value: (row) => age(row.failoverTimeoutSeconds * 1_000), align: "right", wide: true },
  ],
};

export interface TaskRow {
  readonly id: string;
  readonly launchId: string;
  readonly name: string;
  readonly state: string;
  readonly finished: boolean;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly agentAddress: string;
  readonly message: string;
  readonly resources: { readonly [name: string]: number };
}

export function taskRow({ record, shownState, finished, agentAddress }: TaskView): TaskRow {
  return {
    id: record?.info?.taskId?.value ?? "",
    launchId: record?.launchId ?? "",
    name: record?.info?.name ?? "",
    state: taskStateName(shownState),
    finished,
    frameworkId: record?.frameworkId ?? "",
    agentId: record?.agentId ?? "",
    agentAddress,
    message: record?.status?.message ?? "",
    resources: amounts({ resources: record?.info?.resources ?? [] }),
  };
}

export const tasks: Kind<TaskRow> = {
  name: "Task",
  columns: [
    { header: "ID", value: (row) => row.id },
    { header: "NAME", value: (row) => row.name },
    { header: "STATE", value: (row) => row.state },
    { header: "AGENT", value: (row) => row.agentId },
    { header: "FRAMEWORK", value: (row) => row.frameworkId },
    { header: "CPUS", value: (row) => amount(row.resources, "cpus"), align: "right", wide: true },
    { header: "MEM", value: (row) => amount(row.resources, "mem"), align: "right", wide: true },
    { header: "LAUNCH", value: (row) => row.launchId, wide: true },
    { header: "MESSAGE", value: (row) => row.message, wide: true },
  ],
};

export const leaders: Kind<LeaderRecord> = {
  name: "Leadership",
  columns: [
    { header: "EPOCH", value: (row) => epoch(row.epoch) },
    { header: "MASTER", value: (row) => row.master },
    { header: "SINCE", value: (row) => (row.electedAtMs === 0 ? undefined : new Date(row.electedAtMs).toISOString()) },
    { header: "CAUSE", value: (row) => row.cause },
    { header: "FROM", value: (row) => row.previousMaster },
    { header: "DETECTED", value: (row) => measured(row.phases?.detectedMs), align: "right", wide: true },
    { header: "DEPOSED", value: (row) => measured(row.phases?.deposedMs), align: "right", wide: true },
    { header: "ELECTED", value: (row) => measured(row.phases?.electedMs), align: "right" },
    { header: "LOADED", value: (row) => measured(row.phases?.loadedMs), align: "right" },
    { header: "AGENTS", value: (row) => measured(row.phases?.agentsConfirmedMs), align: "right" },
    { header: "FIRST LAUNCH", value: (row) => measured(row.phases?.firstLaunchMs), align: "right" },
    { header: "TASKS", value: (row) => row.tasksCarried, align: "right" },
  ],
};
