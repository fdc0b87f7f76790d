/**
 * Whether current readings agree with time: each key is a register, and its readings have to find places between its
 * writes (linearizable.ts).
 */
import type { AgentStanding, EventOf, FrameworkStanding } from "../history/event.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";
import type { Evidence } from "./evidence.ts";
import { linearizable, type Model, type Operation } from "./linearizable.ts";
import { at, type Launch, type StandingVersion } from "./registry-log.ts";
import { countUpTo } from "./search.ts";
import { isEnd } from "./states-table.ts";
import type { Tally } from "./verdict.ts";

export type Read = EventOf<"read">;
/** Undefined: not there. */
export type Shown = TaskStateName | AgentStanding | FrameworkStanding | undefined;

/** What is done to one key: the registry's k-th write, or a reading. */
type Step = { readonly write: number } | { readonly read: Shown; readonly by: Read };

/** Each key is a register whose writes have a known order; the state is how many of them are done. */
function register(values: readonly Shown[]): Model<number, Step> {
  return {
    initial: 0,
    step: (state, step) => {
      if ("write" in step) return step.write === state + 1 ? step.write : undefined;
      const value = state === 0 ? undefined : values[state - 1];
      const isSame = step.read === value || (step.read === undefined && isOver(value));
      return isSame ? state : undefined;
    },
    key: (state) => state,
  };
}

interface Write {
  readonly value: Shown;
  readonly start: number;
  readonly end: number;
}

/** Current readings of each key, put between its writes. */
export function fitsTime(tally: Tally, evidence: Evidence): void {
  const readings = new Readings(evidence.of("read").filter(({ value }) => !value.stale));
  for (const [task, launches] of evidence.registry.byTask) {
    if (launches.length === 1) judge(tally, task, taskWrites(evidence, launches[0]!), readings, ({ value }) => value.tasks[task]);
  }
  for (const kind of ["agents", "frameworks"] as const) {
    const those = new Readings(readings.all.filter(({ value }) => value[kind] !== undefined));
    for (const [id, versions] of evidence.registry[kind] as ReadonlyMap<string, readonly StandingVersion[]>) {
      const writes = versions.map(({ standing, commit }) => ({ value: standing, start: -Infinity, end: commit.t }));
      judge(tally, id, inOrder(writes), those, ({ value }) => value[kind]?.[id]);
    }
  }
}

function judge(tally: Tally, id: string, writes: readonly Write[], readings: Readings, of: (read: Read) => Shown): void {
  const relevant = readings.thatMatter(writes, of);
  if (relevant.length === 0) return;
  const operations: Operation<Step>[] = [
    ...writes.map(({ start, end }, index) => ({ start, end, value: { write: index + 1 } })),
    ...relevant.map((read) => ({ start: read.value.startedAt, end: read.t, value: { read: of(read), by: read } })),
  ];
  const { verdict, stuckAt } = linearizable(register(writes.map(({ value }) => value)), operations);
  if (verdict === "yes") return;
  const step = stuckAt?.value;
  const read = step !== undefined && "by" in step ? step.by : undefined;
  if (verdict === "undecided") tally.missing(`whether ${id} is linearizable could not be decided`, read);
  else tally.violated(`readings of ${id} fit no order of its writes in time${read === undefined ? "" : `: ${read.actor} read ${of(read) ?? "nothing"}`}`, read);
}

/** Current readings, in the order of their beginnings. */
class Readings {
  readonly all: readonly Read[];
  readonly #starts: readonly number[];
  readonly #longest: number;

  constructor(reads: readonly Read[]) {
    this.all = reads.toSorted((a, b) => a.value.startedAt - b.value.startedAt);
    this.#starts = this.all.map(({ value }) => value.startedAt);
    this.#longest = this.all.reduce((longest, { t, value }) => Math.max(longest, t - value.startedAt), 0);
  }

  /**
   * Those that overlap the time in which the key changes, and all others that say something else than they must: before
   * it nothing, and after it what it is for good, or nothing where that is an end.
   */
  thatMatter(writes: readonly Write[], of: (read: Read) => Shown): Read[] {
    const last = writes.at(-1);
    if (last === undefined) return [];
    const from = countUpTo(this.#starts, writes[0]!.start - this.#longest);
    const to = countUpTo(this.#starts, last.end);
    return this.all.filter((read, index) => {
      if (index >= from && index < to) return true;
      const shown = of(read);
      return index < from ? shown !== undefined : shown !== last.value && !(shown === undefined && isOver(last.value));
    });
  }
}

/** A task changes with its row, and with its agent's. */
function taskWrites(evidence: Evidence, launch: Launch): Write[] {
  const { registry } = evidence;
  const agents = registry.agents.get(launch.agent) ?? [];
  const first = launch.versions[0]!.revision;
  const changes = [...launch.versions, ...agents.filter(({ revision }) => revision > first)].sort((a, b) => a.revision - b.revision);
  const attempts = evidence.attempts(launch.task);
  const begun = attempts.length === 0 ? -Infinity : attempts[0]!.invokedAt;
  const answered = attempts.filter(({ outcome, revision }) => outcome === "ok" && revision !== undefined && revision >= first);
  const writes = changes.map(({ revision, commit }, index): Write => {
    // Whoever was answered knows of it before the watcher does.
    const end = index === 0 ? Math.min(commit.t, ...answered.map(({ endedAt }) => endedAt)) : commit.t;
    return { value: listedAs(registry.shown(launch, revision), at(launch.versions, revision)?.row !== undefined), start: begun, end };
  });
  return inOrder(writes);
}

function isOver(shown: Shown): boolean {
  return shown === undefined || isEnd(shown as TaskStateName);
}

/** History is not listed; what went there without having ended is simply absent. */
function listedAs(shown: Shown, hasRow: boolean): Shown {
  return hasRow || (shown !== undefined && isEnd(shown as TaskStateName)) ? shown : undefined;
}

/** A write cannot end after those that follow it, whatever the watcher's order of seeing them. */
function inOrder(writes: Write[]): Write[] {
  for (let i = writes.length - 2; i >= 0; i--) writes[i] = { ...writes[i]!, end: Math.min(writes[i]!.end, writes[i + 1]!.end) };
  return writes;
}
