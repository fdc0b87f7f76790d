/**
 * Settles the differences between the registry and an agent's list (9.3), each an ordinary write with its words. The
 * agent is told only after the last one is durable (9.4): what it is told is returned.
 */
import { MAX_ID_BYTES } from "../../model/ids.ts";
import { Resources } from "../../model/resources.ts";
import { isTerminal, stateName } from "../../model/task-state.ts";
import type { HeldTask, Settle } from "../../wire/gen/mesarch/v1/agents.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { TaskState, TaskStatus_Reason as Reason } from "../../wire/gen/mesos/v1/mesos.ts";
import { adopt, catchUp } from "./adopt.ts";
import * as history from "./history.ts";
import { type HeldStanding, type RowStanding, type Verdict, verdictOn } from "./settle-table.ts";
import { type Ending, KILLED_BEFORE_START, end } from "./settled.ts";
import { isDeliverable, isFrameworkRemoved, isToBeKilled } from "./standing.ts";
import type { MasterState } from "./state.ts";
import { wasRemoved } from "./subscription.ts";
import type { Tx } from "./tx.ts";

/** Problems of different kinds that one alarm names. */
const PROBLEMS = 10;

/** The agent as it will be once settled. */
export interface Settling {
  readonly agentId: string;
  /** For rows of adopted tasks. */
  readonly term: number;
  /** Tasks the registry does not know, and states that it is behind, are taken over (4.2, 13.2). */
  readonly adopting: boolean;
}

/** What to tell the agent after its confirmation. */
export interface Orders extends Settle {
  /** Launches it does not hold and has to start. */
  readonly missing: string[];
  /** Tasks without a row that have to end. */
  readonly kill: string[];
}

export function settle(state: MasterState, tx: Tx, agent: Settling, list: readonly HeldTask[]): Orders {
  const orders: Orders = { missing: [], start: [], cancel: [], forget: [], kill: [] };
  const strangers = new Map<string, Resources>();
  const listed = new Set<string>();
  const problems = new Problems();
  let vanished = 0;
  for (const held of list) {
    listed.add(held.launchId);
    const row = state.tables.tasks.get(held.launchId);
    const verdict = verdictOn(standingOf(state, agent, row, held), standingOfHeld(held));
    carryOut(state, tx, orders, verdict, held.launchId, row);
    if (row !== undefined && verdict.catchUp === true && agent.adopting) catchUp(tx, agent, row, held);
    const problem = verdict.adopt === true ? adopt(state, tx, agent, held) : undefined;
    if (verdict.stranger || problem !== undefined) strangers.set(held.launchId, resourcesOf(held));
    if (verdict.alarm !== undefined) problems.note(held, verdict.alarm);
    if (problem !== undefined) problems.note(held, `cannot be adopted: ${problem}`);
  }
  for (const launchId of [...state.tables.agentBooks(agent.agentId).launches]) {
    const row = state.tables.tasks.get(launchId);
    if (listed.has(launchId) || row === undefined) continue;
    const verdict = verdictOn(standingOf(state, agent, row, undefined), "absent");
    carryOut(state, tx, orders, verdict, launchId, row);
    if (verdict.alarm !== undefined) vanished += 1;
  }
  if (vanished > 1) problems.add(`${vanished} started tasks are not on it any more`);
  problems.tell(tx, agent.agentId);
  if (strangers.size > 0) state.membership.strangers.set(agent.agentId, strangers);
  else state.membership.strangers.delete(agent.agentId);
  return orders;
}

function carryOut(state: MasterState, tx: Tx, orders: Orders, verdict: Verdict, launchId: string, row: TaskRecord | undefined): void {
  if (row !== undefined && verdict.end !== undefined) end(state, tx, row, endingOf(row, verdict.end));
  if (row !== undefined && verdict.retire) history.retire(state, tx, row);
  if (verdict.order === "launch") orders.missing.push(launchId);
  else if (verdict.order !== undefined) orders[verdict.order].push(launchId);
}

function standingOf(state: MasterState, agent: Settling, row: TaskRecord | undefined, held: HeldTask | undefined): RowStanding {
  const { tables, leadership } = state;
  if (row === undefined) return held === undefined ? "unknown" : standingWithoutRow(state, agent, held);
  if (row.agentId !== agent.agentId) return "elsewhere";
  if (row.settled) return "settled";
  if (isTerminal(row.state as TaskState)) return "ended";
  if (row.latestState !== TaskState.TASK_STAGING) return "started";
  if (isToBeKilled(tables, row)) return "toBeKilled";
  return isDeliverable(tables, row, leadership.generation) ? "deliverable" : "undeliverable";
}

function standingWithoutRow(state: MasterState, agent: Settling, held: HeldTask): RowStanding {
  const { tables } = state;
  const past = tables.finishedLaunch(held.launchId)?.task;
  // Who went to history as unreachable (4.2) did not end.
  if (past !== undefined && isTerminal(past.state as TaskState)) return "history";
  if (tables.frameworks.has(held.frameworkId)) {
    if (isFrameworkRemoved(tables, held.frameworkId)) return "ownerless";
  } else if (wasRemoved(state, held.frameworkId)) {
    return "ownerless";
  }
  return agent.adopting ? "adoptable" : "unknown";
}

function standingOfHeld(held: HeldTask): HeldStanding {
  if (isTerminal(held.state as TaskState)) return "ended";
  return held.unstarted ? "unstarted" : "alive";
}

function endingOf(row: TaskRecord, state: TaskState): Ending {
  // The agent had said how it ended, only its framework was not told yet: that stands (7.4).
  if (isTerminal(row.latestState as TaskState)) {
    const latest = row.latestState as TaskState;
    return { state: latest, reason: Reason.REASON_RECONCILIATION, message: `The agent reported ${stateName(latest)}` };
  }
  switch (state) {
    case TaskState.TASK_KILLED:
      return KILLED_BEFORE_START;
    case TaskState.TASK_DROPPED:
      return { state, reason: Reason.REASON_AGENT_REMOVED, message: "Its agent was unreachable before it was started" };
    default:
      return { state, reason: Reason.REASON_TASK_UNKNOWN, message: "The task is unknown to its agent" };
  }
}

function resourcesOf(held: HeldTask): Resources {
  const parsed = Resources.fromMesos(held.info?.resources ?? []);
  return parsed.ok ? parsed.value : Resources.none;
}

/** What is wrong with an agent's list: one alarm, however many tasks it is about. */
class Problems {
  readonly #counts = new Map<string, { readonly first: HeldTask; more: number }>();
  readonly #others: string[] = [];

  note(held: HeldTask, problem: string): void {
    const known = this.#counts.get(problem);
    if (known === undefined) this.#counts.set(problem, { first: held, more: 0 });
    else known.more += 1;
  }

  add(problem: string): void {
    this.#others.push(problem);
  }

  tell(tx: Tx, agentId: string): void {
    const all = [...this.#others];
    for (const [problem, { first, more }] of [...this.#counts].slice(0, PROBLEMS)) {
      const task = `task ${first.taskId.slice(0, MAX_ID_BYTES)} (launch ${first.launchId.slice(0, MAX_ID_BYTES)})`;
      all.push(`${task} ${problem}${more === 0 ? "" : ` (and ${more} more like it)`}`);
    }
    if (all.length > 0) tx.say({ kind: "alarm", cause: `agent/${agentId}`, message: `agent ${agentId}: ${all.join("; ")}` });
  }
}
