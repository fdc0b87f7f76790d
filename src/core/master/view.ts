/**
 * The cluster as operators see it: their questions, answered from tables, so that a standby answers from its fold; and
 * from the leader's own state where that knows more (streams, offers).
 */
import type { OperatorEvent, OperatorRequest, OperatorResponse, Status } from "../../wire/gen/mesarch/v1/operator.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { isTerminal } from "../../model/task-state.ts";
import type { Tables } from "../registry/tables.ts";
import type { RefusalCode } from "./output.ts";
import { dumpError, dumpPage } from "./registry-dump.ts";
import type { MasterState } from "./state.ts";
import { agentView, frameworkView, statusView, taskView } from "./record-views.ts";
import * as find from "./find.ts";
import { shownState } from "./standing.ts";

export { agentView, frameworkView, taskView } from "./record-views.ts";

export type OperatorAnswer = NonNullable<OperatorResponse["answer"]>;
export type OperatorCall = NonNullable<OperatorRequest["call"]>;

export interface Refusal {
  readonly refused: RefusalCode;
  readonly message: string;
}

const DEFAULT_TASKS = 1_000;
const DEFAULT_LEADERS = 20;

/** What a standby answers: nothing to orders, and nothing when it finds nothing, since the leader may know better. */
export function answerFromTables(
  tables: Tables,
  live: MasterState | undefined,
  request: OperatorRequest,
): OperatorAnswer | undefined {
  const outcome = request.call === undefined ? undefined : read(tables, request.call, live);
  return outcome === undefined || "refused" in outcome ? undefined : outcome;
}

/** The tasks, agents and frameworks, each as it is when it is asked for: for a new subscriber of events, between the news. */
export function* snapshotEvents(state: MasterState): Generator<OperatorEvent, undefined> {
  const { tables } = state;
  const at = (event: OperatorEvent["event"]): OperatorEvent => ({ epoch: { ...state.epoch }, revision: 0, event });
  for (const [id, record] of tables.agents) yield at({ $case: "agent", value: agentView(tables, id, record, state) });
  for (const [id, record] of tables.frameworks) {
    yield at({ $case: "framework", value: frameworkView(tables, id, record, state) });
  }
  for (const record of tables.tasks.values()) yield at({ $case: "task", value: taskView(tables, record) });
}

/**
 * The answer to a question; undefined for an order. Of masters and the store only the caller knows more.
 *
 * @param live the leader's state, absent on a standby.
 */
export function read(tables: Tables, call: OperatorCall, live?: MasterState): OperatorAnswer | Refusal | undefined {
  switch (call.$case) {
    case "listAgents": {
      const agents = [...tables.agents].map(([id, record]) => agentView(tables, id, record, live));
      return { $case: "agents", value: { agents } };
    }
    case "listFrameworks": {
      const frameworks = [...tables.frameworks].map(([id, record]) => frameworkView(tables, id, record, live));
      return { $case: "frameworks", value: { frameworks } };
    }
    case "listTasks":
      return { $case: "tasks", value: tasksPage(tables, call.value) };
    case "getTask": {
      const found = find.findTask(tables, call.value.id);
      if (found.kind !== "found") return notFound(found, call.value.id);
      const task = taskView(tables, found.record, found.finished);
      return { $case: "tasks", value: { tasks: [task], truncated: false } };
    }
    case "getLeaderHistory": {
      const limit = call.value.limit === 0 ? DEFAULT_LEADERS : call.value.limit;
      const leaders = [...tables.leaders.values()].sort((a, b) => b.number - a.number).slice(0, limit);
      return { $case: "leaderHistory", value: { leaders } };
    }
    case "dumpRegistry": {
      const error = dumpError(call.value);
      if (error !== undefined) return { refused: "invalid", message: error };
      return { $case: "registry", value: dumpPage(tables, call.value) };
    }
    case "getStatus":
      return { $case: "status", value: status(tables, live) };
    case "listMasters":
      return { $case: "masters", value: { masters: [] } };
    default:
      return undefined;
  }
}

/** The refusal for an id that names no task, or several. */
export function notFound(found: Exclude<find.Found, { kind: "found" }>, id: string): Refusal {
  if (found.kind === "none") return { refused: "notFound", message: `no task has an id that begins with '${id}'` };
  return { refused: "invalid", message: `'${id}' is the id, or the beginning of ids, of several tasks: ${found.examples.join(", ")}` };
}

function status(tables: Tables, live: MasterState | undefined): Status {
  const epoch = live?.epoch ?? tables.head?.epoch;
  return {
    ...statusView(tables, live),
    leader: live?.leadership.master ?? tables.head?.master ?? "",
    leaderAddress: live?.leadership.address ?? "",
    ...(epoch === undefined ? {} : { epoch: { generation: epoch.generation, revision: epoch.revision } }),
    ledForMs: 0,
    masters: 0,
    storeUsedBytes: 0,
    storeQuotaBytes: 0,
  };
}

/** Ended by the master's or an operator's word: nobody waits for it but the framework that has to hear of it (4.5). */
function isSettled(tables: Tables, record: TaskRecord): boolean {
  const { state, derived } = shownState(tables, record);
  return derived && isTerminal(state);
}

type ListTasks = Extract<OperatorCall, { $case: "listTasks" }>["value"];

function tasksPage(tables: Tables, { frameworkId, agentId, finished, limit: asked }: ListTasks) {
  const limit = asked === 0 ? DEFAULT_TASKS : asked;
  const wanted = (record: TaskRecord): boolean =>
    (frameworkId === "" || record.frameworkId === frameworkId) && (agentId === "" || record.agentId === agentId);
  const matching: { record: TaskRecord; past: boolean }[] = [];
  for (const record of tables.tasks.values()) {
    if (wanted(record) && (finished || !isSettled(tables, record))) matching.push({ record, past: false });
  }
  if (finished) {
    for (const record of find.finishedTasks(tables)) if (wanted(record)) matching.push({ record, past: true });
  }
  matching.sort((a, b) => b.record.launchedAt - a.record.launchedAt);
  const tasks = matching.slice(0, limit).map(({ record, past }) => taskView(tables, record, past));
  return { tasks, truncated: matching.length > limit };
}
