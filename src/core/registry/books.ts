/** What follows from the rows, kept up to date with each change so that nobody ever has to count tasks. */
import { assert } from "../../base/assert.ts";
import { Digest } from "../../model/digest.ts";
import { Resources } from "../../model/resources.ts";
import { isTerminal } from "../../model/task-state.ts";
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";

/** What one framework uses of an agent in one role. */
export interface Holding {
  readonly frameworkId: string;
  readonly role: string;
  readonly used: Resources;
  /** Used a second time: ports or set items already in `used`. Only after an agent brought clashing tasks. */
  readonly clashing: readonly Resources[];
}

/** An agent's books, to be read. */
export type AgentAccount = Omit<AgentBooks, "add" | "remove">;
/** A framework's books, to be read. */
export type FrameworkAccount = Omit<FrameworkBooks, "add" | "remove" | "addHistory" | "removeHistory">;

/** What an agent holds by the registry's account. */
export class AgentBooks {
  /** Launch ids of all its rows. */
  readonly launches = new Set<string>();
  /** Of these, the launch ids of rows ended by the master's word (4.5). */
  readonly settled = new Set<string>();
  /** Of all rows not ended by the master's word (9.1). */
  readonly digest = new Digest();
  readonly #holdings = new Map<string, Holding>();
  /** Number of its rows by the agent's term they are of; never 0. */
  readonly #terms = new Map<number, number>();
  #orders = 0;

  get isEmpty(): boolean {
    return this.launches.size === 0;
  }

  /** Who uses what, of rows whose newest state is not terminal (4.3). */
  get holdings(): Iterable<Holding> {
    return this.#holdings.values();
  }

  /** All that is in use. */
  get used(): Resources {
    let sum = Resources.none;
    for (const { used, clashing } of this.#holdings.values()) sum = Resources.sum([sum, used, ...clashing]);
    return sum;
  }

  /** Whether any row is of an earlier term than this one: it was told to be unreachable since. */
  anyBefore(term: number): boolean {
    for (const each of this.#terms.keys()) if (each < term) return true;
    return false;
  }

  /** Launches without word and kills not carried out: what a new session has to be told (5.3, 6.4). */
  get orders(): number {
    return this.#orders;
  }

  add(task: TaskRecord, resources: Resources): void {
    this.launches.add(task.launchId);
    if (task.settled) this.settled.add(task.launchId);
    else this.digest.add(task.launchId);
    if (isOrder(task)) this.#orders += 1;
    change(this.#terms, task.agentTerm, 1);
    if (isTerminal(task.latestState as TaskState)) return;
    const { frameworkId, role, used, clashing } = this.#holdingOf(task);
    const next = used.meets(resources)
      ? { frameworkId, role, used, clashing: [...clashing, resources] }
      : { frameworkId, role, used: used.add(resources), clashing };
    this.#holdings.set(holdingKey(task), next);
  }

  remove(task: TaskRecord, resources: Resources): void {
    this.launches.delete(task.launchId);
    if (task.settled) this.settled.delete(task.launchId);
    else this.digest.remove(task.launchId);
    if (isOrder(task)) this.#orders -= 1;
    change(this.#terms, task.agentTerm, -1);
    if (isTerminal(task.latestState as TaskState)) return;
    const { frameworkId, role, used, clashing } = this.#holdingOf(task);
    const clash = clashing.findIndex((other) => other.equals(resources));
    const left = clash === -1 ? used.subtract(resources) : used;
    assert(left !== undefined, () => `agent ${task.agentId} used less than its tasks take`);
    const next = { frameworkId, role, used: left, clashing: clash === -1 ? clashing : clashing.toSpliced(clash, 1) };
    if (left.isEmpty && next.clashing.length === 0) this.#holdings.delete(holdingKey(task));
    else this.#holdings.set(holdingKey(task), next);
  }

  #holdingOf(task: TaskRecord): Holding {
    const { frameworkId, role } = task;
    return this.#holdings.get(holdingKey(task)) ?? { frameworkId, role, used: Resources.none, clashing: [] };
  }
}

/** What a framework has by the registry's account. */
export class FrameworkBooks {
  /** Task id to launch id of its rows. */
  readonly live = new Map<string, string>();
  /** Number of its rows by agent; never 0. */
  readonly agents = new Map<string, number>();
  /** Thousandths of scalars in use on all agents, by name, of rows whose newest state is not terminal. */
  readonly used = new Map<string, number>();
  /** Numbers of its history rows, by their keys. */
  readonly slots = new Map<string, number>();
  /** Task id to the key of its newest history row. */
  readonly finished = new Map<string, string>();
  /** Number of the next history row. */
  nextHistory = 0;

  get isEmpty(): boolean {
    return this.live.size === 0 && this.slots.size === 0;
  }

  add(task: TaskRecord, resources: Resources): void {
    this.live.set(taskIdOf(task), task.launchId);
    this.#count(task, resources, 1);
  }

  remove(task: TaskRecord, resources: Resources): void {
    if (this.live.get(taskIdOf(task)) === task.launchId) this.live.delete(taskIdOf(task));
    this.#count(task, resources, -1);
  }

  addHistory(key: string, task: TaskRecord, number: number): void {
    const newest = this.finished.get(taskIdOf(task));
    this.slots.set(key, number);
    // Rows are loaded in the order of their keys, not in the order in which they were written.
    if (newest === undefined || this.slots.get(newest)! <= number) this.finished.set(taskIdOf(task), key);
    this.nextHistory = Math.max(this.nextHistory, number + 1);
  }

  removeHistory(key: string, task: TaskRecord): void {
    this.slots.delete(key);
    if (this.finished.get(taskIdOf(task)) === key) this.finished.delete(taskIdOf(task));
  }

  /** Counts a row of its own, or takes it out of the count. */
  #count({ agentId, latestState }: TaskRecord, resources: Resources, difference: 1 | -1): void {
    change(this.agents, agentId, difference);
    if (isTerminal(latestState as TaskState)) return;
    for (const entry of resources.entries) {
      if (entry.kind === "scalar") change(this.used, entry.name, difference * entry.value);
    }
  }
}

/** The framework's own id of a task. */
export function taskIdOf(task: TaskRecord): string {
  return task.info?.taskId?.value ?? "";
}

/** Adds to a count; one of 0 is left out. */
function change<K>(counts: Map<K, number>, key: K, difference: number): void {
  const count = (counts.get(key) ?? 0) + difference;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function isOrder(task: TaskRecord): boolean {
  if (isTerminal(task.latestState as TaskState)) return false;
  return task.kill !== undefined || task.latestState === TaskState.TASK_STAGING;
}

function holdingKey(task: TaskRecord): string {
  return `${task.frameworkId}\0${task.role}`;
}
