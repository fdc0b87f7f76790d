/** I14 and I16: what an agent has, and what is taken of it. */
import type { Amounts, EventOf } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { at, type Commit, isRestore, type Launch, type TaskRow } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";
import { type Life, livedUntil } from "./witnesses.ts";

/** What is under way when books are read is written within this time. */
const UNDER_WAY_MS = 2_000;
const MOMENT_MS = 0.001;

export function resources(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  return [neverOverCommitted(evidence, options), conserved(evidence)];
}

/** Sums that are added to and taken from. */
class Sums {
  readonly #sums = new Map<string, number>();

  add(amounts: Amounts, sign: 1 | -1): void {
    for (const [name, amount] of Object.entries(amounts)) this.#sums.set(name, (this.#sums.get(name) ?? 0) + sign * amount);
  }

  of(name: string): number {
    return this.#sums.get(name) ?? 0;
  }

  /** Names of which there is more than the total, among those given. */
  beyond(total: Amounts, names: Iterable<string>): string[] {
    return [...names].filter((name) => this.of(name) > (total[name] ?? 0));
  }
}

/** I14. Tested: launches written, and starts seen. */
function neverOverCommitted(evidence: Evidence, { beatGapMs }: CheckOptions): Verdict {
  const tally = new Tally("I14");
  const used = new Map<string, Sums>();
  const rows = new Map<string, TaskRow>();
  const totals = new Map<string, Amounts>();
  for (const commit of evidence.registry.commits) {
    const begun: TaskRow[] = [];
    for (const change of commit.value.rows) {
      if (change.table === "agent" && change.total !== undefined) totals.set(change.id, change.total);
      if (change.table !== "task") continue;
      const before = rows.get(change.id);
      if (before !== undefined && !isEnd(before.latest)) sumsOf(used, before.agent).add(before.resources, -1);
      const { task } = change;
      if (task === undefined) rows.delete(change.id);
      else {
        rows.set(change.id, task);
        if (!isEnd(task.latest)) sumsOf(used, task.agent).add(task.resources, 1);
        // Taken over with its tasks an agent may have too much; then nothing may be added.
        if (before === undefined && task.state === "TASK_STAGING" && !isRestore(commit)) begun.push(task);
      }
    }
    for (const task of begun) {
      tally.tested();
      fits(tally, sumsOf(used, task.agent), totals.get(task.agent), task, commit);
    }
  }
  livesFit(tally, evidence, beatGapMs);
  return tally.verdict();
}

function fits(tally: Tally, sums: Sums, total: Amounts | undefined, { task, agent, resources: wanted }: TaskRow, commit: Commit): void {
  if (total === undefined) return tally.violated(`${task} was launched on ${agent}, which has no row`, commit);
  for (const name of sums.beyond(total, Object.keys(wanted))) {
    tally.violated(`${task} takes ${name} of ${agent} to ${sums.of(name)} of ${total[name] ?? 0}`, commit);
  }
}

/** What ran at one time, by the tasks' own account, against the most the agent ever had. */
function livesFit(tally: Tally, evidence: Evidence, beatGapMs: number): void {
  const { launches } = evidence.registry;
  for (const [agent, lives] of Map.groupBy(evidence.witnesses.lives, ({ launch }) => launches.get(launch)?.agent ?? "")) {
    const total = mostOf(evidence, agent);
    if (total === undefined) continue;
    const sums = new Sums();
    const changes = lives.flatMap((life) => {
      const launch = launches.get(life.launch)!;
      const begin = life.start.t;
      // Who was seen once only ran for a moment.
      const end = Math.max(livedUntil(life, beatGapMs), begin + MOMENT_MS);
      return [{ t: begin, sign: 1 as const, life, launch }, { t: end, sign: -1 as const, life, launch }];
    });
    // Ends first: of one moment, what ended made room.
    changes.sort((a, b) => a.t - b.t || a.sign - b.sign);
    for (const { sign, life, launch } of changes) {
      sums.add(launch.resources, sign);
      if (sign === 1) startFits(tally, sums, total, life, launch);
    }
  }
}

function startFits(tally: Tally, sums: Sums, total: Amounts, life: Life, { task, agent, resources: wanted }: Launch): void {
  tally.tested();
  for (const name of sums.beyond(total, Object.keys(wanted))) {
    tally.violated(`with ${task}, ${sums.of(name)} of ${total[name] ?? 0} ${name} run on ${agent}`, life.start);
  }
}

function mostOf(evidence: Evidence, agent: string): Amounts | undefined {
  const most: Record<string, number> = {};
  for (const { total } of evidence.registry.agents.get(agent) ?? []) {
    for (const [name, amount] of Object.entries(total ?? {})) most[name] = Math.max(most[name] ?? 0, amount);
  }
  return Object.keys(most).length === 0 ? undefined : most;
}

function sumsOf(map: Map<string, Sums>, agent: string): Sums {
  let sums = map.get(agent);
  if (sums === undefined) map.set(agent, (sums = new Sums()));
  return sums;
}

/** I16. Tested: books that were read. */
function conserved(evidence: Evidence): Verdict {
  const tally = new Tally("I16");
  for (const event of evidence.of("books")) {
    tally.tested();
    const { agent, total, used, offered, free } = event.value;
    for (const name of new Set([total, used, offered, free].flatMap((amounts) => Object.keys(amounts)))) {
      const [all, taken, out, left] = [total, used, offered, free].map((amounts) => amounts[name] ?? 0) as [number, number, number, number];
      // An agent that came back smaller has nothing to give until it fits.
      const expected = Math.max(0, all - taken);
      if (left + out !== expected || left < 0 || out < 0) {
        tally.violated(`of ${name} of ${agent}, ${left} free and ${out} offered do not make up for ${all} less ${taken}`, event);
      }
    }
    agreesWithRows(tally, evidence, event);
  }
  return tally.verdict();
}

/** At rest what is used is what the rows take: an end frees once, and neither twice nor never. */
function agreesWithRows(tally: Tally, evidence: Evidence, event: EventOf<"books">): void {
  const { revision } = event;
  const { agent, used } = event.value;
  const settledAt = evidence.phaseAt("settled") ?? evidence.phaseAt("final") ?? Infinity;
  const launches = evidence.registry.byAgent.get(agent);
  if (revision === undefined || event.t < settledAt || launches === undefined) return;
  const sums = new Sums();
  const names = new Set(Object.keys(used));
  for (const launch of launches) {
    // Steps are counted before they are written, and in the middle of a batch.
    if (launch.versions.some(({ commit }) => commit.revision! >= revision && commit.t < event.t + UNDER_WAY_MS)) return;
    const row = at(launch.versions, revision)?.row;
    if (row === undefined || isEnd(row.latest)) continue;
    sums.add(row.resources, 1);
    Object.keys(row.resources).forEach((name) => names.add(name));
  }
  for (const name of names) {
    const counted = used[name] ?? 0;
    if (counted !== sums.of(name)) tally.violated(`of ${name} of ${agent}, ${counted} count as used, and its rows take ${sums.of(name)}`, event);
  }
}
