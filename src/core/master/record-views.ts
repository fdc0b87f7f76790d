/**
 * Rows as operators see them: pure functions of the tables, so that a standby answers from its fold, and of the
 * leader's own state where that knows more (streams, offers).
 */
import { UNRESERVED } from "../../model/resource-entries.ts";
import { Resources } from "../../model/resources.ts";
import { isTerminal, stateName } from "../../model/task-state.ts";
import type { AgentView, FrameworkView, Status, TaskView } from "../../wire/gen/mesarch/v1/operator.ts";
import type { AgentRecord, FrameworkRecord, TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Tables } from "../registry/tables.ts";
import { shownState } from "./standing.ts";
import type { MasterState, Offer } from "./state.ts";

/** @param past it is in history; what has ended otherwise only waits to be forgotten. */
export function taskView(tables: Tables, record: TaskRecord, past = false): TaskView {
  const shown = past ? (record.state as TaskState) : shownState(tables, record).state;
  return {
    record,
    shownState: shown,
    finished: past || isTerminal(shown),
    agentAddress: tables.agents.get(record.agentId)?.address ?? "",
  };
}

export function agentView(tables: Tables, id: string, record: AgentRecord, live?: MasterState): AgentView {
  const total = Resources.fromMesos(record.info?.resources ?? []);
  const books = tables.agentBooks(id);
  const stream = live?.agentStreams.get(id);
  return {
    id,
    record,
    connected: stream !== undefined,
    confirmed: stream?.phase === "confirmed",
    total: (total.ok ? total.value : Resources.none).toMesos(),
    used: books.used.toMesos(),
    offered: offered(live, live?.offersByAgent.get(id)).toMesos(),
    tasks: books.launches.size,
  };
}

export function frameworkView(tables: Tables, id: string, record: FrameworkRecord, live?: MasterState): FrameworkView {
  const books = tables.frameworkBooks(id);
  const stream = live?.frameworks.get(id);
  return {
    id,
    record,
    connected: stream !== undefined,
    used: scalarsOf(books.used).toMesos(),
    offered: scalarsOf(offeredQuantities(live, stream?.offers)).toMesos(),
    tasks: books.live.size,
  };
}

/** What the tables tell of the cluster's state; the caller adds what its process knows. */
export type StatusFacts = Omit<
  Status,
  "leader" | "leaderAddress" | "epoch" | "ledForMs" | "masters" | "storeUsedBytes" | "storeQuotaBytes" | "_unknownFields"
>;

export function statusView(tables: Tables, live?: MasterState): StatusFacts {
  let agentsUnreachable = 0;
  for (const { standing } of tables.agents.values()) if (standing?.$case === "unreachableAt") agentsUnreachable += 1;
  let [frameworksActive, frameworksKnown] = [0, 0];
  for (const [id, { standing }] of tables.frameworks) {
    if (standing?.$case === "removedAt") continue;
    frameworksKnown += 1;
    if (live === undefined ? standing?.$case === "subscribed" : live.frameworks.has(id)) frameworksActive += 1;
  }
  const tasks: Record<string, number> = {};
  for (const record of tables.tasks.values()) {
    const name = stateName(shownState(tables, record).state);
    tasks[name] = (tasks[name] ?? 0) + 1;
  }
  const warnings: string[] = [];
  if (live?.mute === true) warnings.push("mute: the store does not answer");
  if (live !== undefined && live.readOnly !== "") warnings.push(`read-only: ${live.readOnly}`);
  if (live !== undefined && live.nearlyFull !== "") warnings.push(`no launches: ${live.nearlyFull}`);
  let agentsConfirmed = 0;
  for (const stream of live?.agentStreams.values() ?? []) if (stream.phase === "confirmed") agentsConfirmed += 1;
  return {
    clusterId: tables.meta?.clusterId ?? "",
    agentsIn: tables.agentsIn,
    agentsConnected: live?.agentStreams.size ?? 0,
    agentsConfirmed,
    agentsUnreachable,
    frameworksActive,
    frameworksKnown,
    tasks,
    warnings,
  };
}

function offered(live: MasterState | undefined, ids: Iterable<string> | undefined): Resources {
  if (live === undefined || ids === undefined) return Resources.none;
  const all: Resources[] = [];
  for (const id of ids) {
    const offer: Offer | undefined = live.offers.get(id);
    if (offer !== undefined) all.push(offer.resources);
  }
  return Resources.sum(all);
}

/** Over several agents only scalars can be added up. */
function offeredQuantities(live: MasterState | undefined, ids: Iterable<string> | undefined): Map<string, number> {
  const sums = new Map<string, number>();
  for (const id of ids ?? []) {
    for (const entry of live?.offers.get(id)?.resources.entries ?? []) {
      if (entry.kind === "scalar") sums.set(entry.name, (sums.get(entry.name) ?? 0) + entry.value);
    }
  }
  return sums;
}

/** @param amounts thousandths by name. */
function scalarsOf(amounts: ReadonlyMap<string, number>): Resources {
  return Resources.of([...amounts].map(([name, value]) => ({ kind: "scalar", name, role: UNRESERVED, value })));
}
