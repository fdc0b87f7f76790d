/**
 * What must hold between any two steps of a leader. Recounts everything, so it is for tests and simulation; the names
 * say what is wrong when one fails.
 */
import { Resources } from "../../model/resources.ts";
import { limits } from "../../model/limits.ts";
import { isTerminal } from "../../model/task-state.ts";
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import type { AgentRecord, FrameworkRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { AgentBooks, type Holding } from "../registry/books.ts";
import { type Tables, taskIdOf } from "../registry/tables.ts";
import { isDeliverable, isToBeKilled } from "./standing.ts";
import { type MasterState, confirmedStream } from "./state.ts";

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

type Report = (invariant: string, holds: boolean, detail: string) => void;

export function violations(state: MasterState): Violation[] {
  const found: Violation[] = [];
  const report: Report = (invariant, holds, detail) => {
    if (!holds) found.push({ invariant, detail });
  };
  checkBooks(state.tables, report);
  checkStreams(state, report);
  checkFrameworks(state, report);
  checkOffers(state, report);
  checkAllocator(state, report);
  checkOrders(state, report);
  return found;
}

/** 3.12: what is kept up to date equals what a recount yields. */
function checkBooks(tables: Tables, report: Report): void {
  const recount = new Map<string, AgentBooks>();
  const live = new Map<string, Map<string, string>>();
  for (const task of tables.tasks.values()) {
    const books = recount.get(task.agentId) ?? new AgentBooks();
    books.add(task, tables.resourcesOf(task));
    recount.set(task.agentId, books);
    const ids = live.get(task.frameworkId) ?? new Map<string, string>();
    report("1.5 a task id names one live row", !ids.has(taskIdOf(task)), taskIdOf(task));
    live.set(task.frameworkId, ids.set(taskIdOf(task), task.launchId));
    const term = tables.agents.get(task.agentId)?.term ?? Infinity;
    report("6.2 no task is of a later term than its agent", task.agentTerm <= term, task.launchId);
  }
  for (const id of new Set([...recount.keys(), ...tables.agents.keys()])) {
    const kept = tables.agentBooks(id);
    const counted = recount.get(id) ?? new AgentBooks();
    report("9.1 the digest is that of the rows", kept.digest.equals(counted.digest), id);
    report("the launches of an agent are those of its rows", sameSet(kept.launches, counted.launches), id);
    report("the settled launches are those of its rows", sameSet(kept.settled, counted.settled), id);
    report("the orders of an agent are counted right", kept.orders === counted.orders, `${id}: ${kept.orders}, not ${counted.orders}`);
    report("4.3 used is what rows without end take", sameHoldings(kept.holdings, counted.holdings), id);
  }
  for (const [id, ids] of live) {
    const kept = tables.frameworkBooks(id);
    const same = kept.live.size === ids.size && [...ids].every(([task, launch]) => kept.live.get(task) === launch);
    report("the live tasks of a framework are those of its rows", same, id);
    let cpus = 0;
    for (const launchId of ids.values()) {
      const task = tables.tasks.get(launchId)!;
      if (!isTerminal(task.latestState as TaskState)) cpus += tables.resourcesOf(task).scalar("cpus");
    }
    report("what a framework uses is counted right", (kept.used.get("cpus") ?? 0) === cpus, id);
    const agents = [...recount].filter(([, books]) => [...books.launches].some((launch) => tables.tasks.get(launch)!.frameworkId === id));
    report("the agents of a framework are those of its rows", sameSet(kept.agents, new Map(agents)), id);
  }
  const members = [...tables.agents.values()].filter(({ standing }) => standing?.$case === "in");
  report("members are counted right", members.length === tables.agentsIn, `${tables.agentsIn}, not ${members.length}`);
  const rows: (AgentRecord | FrameworkRecord)[] = [...tables.agents.values(), ...tables.frameworks.values()];
  const timed = rows.filter(({ standing }) => standing?.$case === "disconnectedAt" || standing?.$case === "unreachableAt");
  report("11.1 durable deadlines are counted right", timed.length === tables.timed, `${tables.timed}, not ${timed.length}`);
}

function checkStreams(state: MasterState, report: Report): void {
  const { membership, agentSessions, agentStreams, tables } = state;
  for (const [id, stream] of agentStreams) {
    report("13.4 an agent's current stream is open", agentSessions.get(stream.session) === stream, id);
    report("an agent's current stream claims its id", stream.agentId === id, id);
    if (stream.phase !== "confirmed") continue;
    report("9.4 a confirmed agent is in", tables.agents.get(id)?.standing?.$case === "in", id);
  }
  const confirmed = new Map([...agentStreams].filter(([, stream]) => stream.phase === "confirmed"));
  report("the confirmed agents are those with a confirmed stream", sameSet(membership.confirmed, confirmed), "");
  for (const [id, streams] of membership.claims) {
    for (const stream of streams) {
      report("a claim is of an open stream", agentSessions.get(stream.session) === stream && stream.agentId === id, id);
      report("8.6 one process has an id", stream.phase !== "confirmed" || agentStreams.get(id) === stream, id);
    }
  }
  const contests = [...agentSessions.values()].filter(({ contest }) => contest !== undefined).length;
  report("5.3 no more agents than allowed are led at once", membership.led.size <= limits.unconfirmedAgents + contests, "");
  for (const launchId of membership.told.keys()) {
    report("4.5 only settled rows are told", tables.tasks.get(launchId)?.settled !== false, launchId);
  }
}

function checkFrameworks(state: MasterState, report: Report): void {
  const { tables, frameworks, frameworkSessions, deadlines } = state;
  report("13.4 a framework has one stream", frameworks.size === frameworkSessions.size, "");
  for (const [id, stream] of frameworks) {
    report("a stream is its framework's", frameworkSessions.get(stream.session) === stream, id);
    const standing = tables.frameworks.get(id)?.standing?.$case;
    report("a subscribed framework is not removed", standing !== undefined && standing !== "removedAt", id);
    report("5.2 it is written as subscribed", standing === "subscribed" || state.readOnly !== "", id);
  }
  for (const [id, { standing }] of tables.frameworks) {
    const away = standing?.$case !== "removedAt" && !frameworks.has(id);
    report("10.5 a framework that is away has a deadline", away === deadlines.has(`framework/${id}`), id);
  }
}

/** 10.2. */
function checkOffers(state: MasterState, report: Report): void {
  const { offers, offersByAgent, frameworks, tables } = state;
  for (const offer of offers.values()) {
    report("5.4 offers are of confirmed agents", confirmedStream(state, offer.agentId) !== undefined, offer.id);
    report("offers are of active agents", tables.agents.get(offer.agentId)?.deactivated === false, offer.id);
    report("an offer is its framework's", frameworks.get(offer.frameworkId)?.offers.has(offer.id) === true, offer.id);
    report("an offer is known by its agent", offersByAgent.get(offer.agentId)?.has(offer.id) === true, offer.id);
  }
}

/** 10.2: offered + used never exceeds the total, unless the agent came back smaller; both are what the books say. */
function checkAllocator(state: MasterState, report: Report): void {
  for (const { invariant, detail } of state.allocator.invariants()) report(`allocator: ${invariant}`, false, detail);
  for (const agentId of state.membership.confirmed) {
    const strangers = Resources.sum(state.membership.strangers.get(agentId)?.values() ?? []);
    const holdings = state.allocator.holdingsOn(agentId);
    const used = Resources.sum(holdings.map((holding) => holding.used));
    const booked = state.tables.agentBooks(agentId).used.add(strangers);
    report("4.3 the allocator's used is that of the books", used.equals(booked), `${agentId}: ${used}, not ${booked}`);
    const offered = [...(state.offersByAgent.get(agentId) ?? [])].map((id) => state.offers.get(id)!.resources);
    const set = Resources.sum(holdings.map((holding) => holding.offered));
    report("10.2 what is offered has an offer", set.equals(Resources.sum(offered)), agentId);
    if (state.allocator.isOverCommitted(agentId)) continue;
    const total = Resources.fromMesos(state.tables.agents.get(agentId)?.info?.resources ?? []);
    report("10.2 offered + used is within the total", total.ok && total.value.contains(used.add(set)), agentId);
  }
}

/** 6.1: an order without word on a live session is said again some time. */
function checkOrders(state: MasterState, report: Report): void {
  for (const task of state.tables.tasks.values()) {
    if (task.latestState !== TaskState.TASK_STAGING || confirmedStream(state, task.agentId) === undefined) continue;
    const watched = state.deadlines.has(`launch/${task.launchId}`);
    const isOrdered = isToBeKilled(state.tables, task) || isDeliverable(state.tables, task, state.epoch.generation);
    report("6.1 an order without word is watched", watched || !isOrdered, task.launchId);
  }
}

interface Keyed {
  readonly size: number;
  keys(): Iterable<string>;
  has(key: string): boolean;
}

function sameSet(a: Keyed, b: Keyed): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}

function sameHoldings(a: Iterable<Holding>, b: Iterable<Holding>): boolean {
  const sums = (all: Iterable<Holding>) =>
    new Map([...all].map(({ frameworkId, role, used, clashing }) => [`${frameworkId}\0${role}`, Resources.sum([used, ...clashing])]));
  const [left, right] = [sums(a), sums(b)];
  return left.size === right.size && [...left].every(([key, sum]) => right.get(key)?.equals(sum) === true);
}
