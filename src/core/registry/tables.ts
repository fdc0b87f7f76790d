/**
 * The registry in memory: the durable tables and what is derived from them. A leader's steps and a standby's fold
 * change them through the same `apply` (3.12), which also keeps, per agent, the resources in use and the digest of
 * what it should hold, and, per framework, its task ids: promotion then computes nothing per task.
 */
import { assert } from "../../base/assert.ts";
import { Resources } from "../../model/resources.ts";
import { taskResources } from "../../model/task-resources.ts";
import type {
  AgentRecord,
  FrameworkRecord,
  HeadRecord,
  HistoryRecord,
  LeaderRecord,
  MetaRecord,
  TaskRecord,
} from "../../wire/gen/mesarch/v1/registry.ts";
import { type AgentAccount, AgentBooks, type FrameworkAccount, FrameworkBooks, taskIdOf } from "./books.ts";
import type { Change } from "./change.ts";
import { SharedParts } from "./shared-parts.ts";

export { taskIdOf };

/** Of whoever has no rows: nothing is kept of every name that was ever asked about. */
const NOTHING_ON_AGENT: AgentAccount = new AgentBooks();
const NOTHING_OF_FRAMEWORK: FrameworkAccount = new FrameworkBooks();

export class Tables {
  meta: MetaRecord | undefined;
  head: HeadRecord | undefined;
  readonly frameworks = new Map<string, FrameworkRecord>();
  readonly agents = new Map<string, AgentRecord>();
  readonly tasks = new Map<string, TaskRecord>();
  readonly history = new Map<string, HistoryRecord>();
  readonly leaders = new Map<string, LeaderRecord>();
  readonly weights = new Map<string, number>();
  /** Ids of the frameworks that are not removed: promotion passes over the tombstones. */
  readonly present = new Set<string>();

  readonly #agentBooks = new Map<string, AgentBooks>();
  readonly #frameworkBooks = new Map<string, FrameworkBooks>();
  /** Launch id to the key of its history row. */
  readonly #finishedLaunches = new Map<string, string>();
  /** Registration nonce to agent id (8.7). */
  readonly #nonces = new Map<string, string>();
  readonly #parts = new SharedParts();
  #agentsIn = 0;
  #timed = 0;

  /** Applies one change and returns the change that undoes it (3.7). */
  apply(change: Change): Change {
    switch (change.kind) {
      case "meta": {
        const before = this.meta;
        this.meta = change.record;
        return { kind: "meta", id: "", record: before };
      }
      case "f": {
        const before = replace(this.frameworks, change.id, change.record);
        if (change.record === undefined || change.record.standing?.$case === "removedAt") this.present.delete(change.id);
        else this.present.add(change.id);
        this.#timed += Number(isTimed(change.record)) - Number(isTimed(before));
        return { kind: "f", id: change.id, record: before };
      }
      case "a": {
        const before = replace(this.agents, change.id, change.record);
        this.#agentsIn += Number(isIn(change.record)) - Number(isIn(before));
        this.#timed += Number(isTimed(change.record)) - Number(isTimed(before));
        if (before?.registrationNonce !== change.record?.registrationNonce) this.#renameNonce(change.id, before, change.record);
        return { kind: "a", id: change.id, record: before };
      }
      case "t": {
        // Fails, if at all, before anything is changed.
        if (change.record !== undefined) this.resourcesOf(change.record);
        const record = change.record && this.#parts.share(change.record);
        const before = replace(this.tasks, change.id, record);
        if (before !== undefined) this.#removeTask(before);
        if (record !== undefined) this.#addTask(record);
        return { kind: "t", id: change.id, record: before };
      }
      case "h": {
        const before = replace(this.history, change.id, change.record);
        if (before !== undefined) this.#removeHistory(change.id, before);
        if (change.record !== undefined) this.#addHistory(change.id, change.record);
        return { kind: "h", id: change.id, record: before };
      }
      case "l":
        return { kind: "l", id: change.id, record: replace(this.leaders, change.id, change.record) };
      case "w": {
        const before = this.weights.get(change.id);
        if (change.record === undefined) this.weights.delete(change.id);
        else this.weights.set(change.id, change.record.weight);
        return { kind: "w", id: change.id, record: before === undefined ? undefined : { role: change.id, weight: before } };
      }
    }
  }

  agentBooks(agentId: string): AgentAccount {
    return this.#agentBooks.get(agentId) ?? NOTHING_ON_AGENT;
  }

  frameworkBooks(frameworkId: string): FrameworkAccount {
    return this.#frameworkBooks.get(frameworkId) ?? NOTHING_OF_FRAMEWORK;
  }

  /** Number of agents that are members of the cluster, connected or not. */
  get agentsIn(): number {
    return this.#agentsIn;
  }

  /** Number of rows with a deadline in the cluster clock: frameworks that are away, unreachable agents (11.1). */
  get timed(): number {
    return this.#timed;
  }

  /** The row of a task that is not forgotten yet, by the framework's own id for it. */
  taskById(frameworkId: string, taskId: string): TaskRecord | undefined {
    const launch = this.#frameworkBooks.get(frameworkId)?.live.get(taskId);
    return launch === undefined ? undefined : this.tasks.get(launch);
  }

  /** The newest finished task of that id still in history. */
  finishedById(frameworkId: string, taskId: string): HistoryRecord | undefined {
    const key = this.#frameworkBooks.get(frameworkId)?.finished.get(taskId);
    return key === undefined ? undefined : this.history.get(key);
  }

  /** The history row of a launch, as long as it is not overwritten. */
  finishedLaunch(launchId: string): HistoryRecord | undefined {
    const key = this.#finishedLaunches.get(launchId);
    return key === undefined ? undefined : this.history.get(key);
  }

  agentByNonce(nonce: string): string | undefined {
    return this.#nonces.get(nonce);
  }

  /** What a task takes from its agent while it lives. Validated at launch and at reading, so it always parses. */
  resourcesOf({ info, launchId }: TaskRecord): Resources {
    if (info === undefined) return Resources.none;
    const resources = taskResources(info);
    assert(resources.ok, () => `task ${launchId} was stored with resources that do not parse`);
    return resources.value;
  }

  /** A nonce is its first owner's: whoever shows it later does not become that agent. */
  #renameNonce(agentId: string, before: AgentRecord | undefined, after: AgentRecord | undefined): void {
    const old = before?.registrationNonce ?? "";
    const next = after?.registrationNonce ?? "";
    if (this.#nonces.get(old) === agentId) this.#nonces.delete(old);
    if (next !== "" && !this.#nonces.has(next)) this.#nonces.set(next, agentId);
  }

  #addTask(task: TaskRecord): void {
    const resources = this.resourcesOf(task);
    getOrMake(this.#agentBooks, task.agentId, () => new AgentBooks()).add(task, resources);
    getOrMake(this.#frameworkBooks, task.frameworkId, () => new FrameworkBooks()).add(task, resources);
  }

  #removeTask(task: TaskRecord): void {
    const resources = this.resourcesOf(task);
    const agent = this.#agentBooks.get(task.agentId)!;
    agent.remove(task, resources);
    if (agent.isEmpty) this.#agentBooks.delete(task.agentId);
    const framework = this.#frameworkBooks.get(task.frameworkId)!;
    framework.remove(task, resources);
    if (framework.isEmpty) this.#frameworkBooks.delete(task.frameworkId);
  }

  #addHistory(key: string, { task, number }: HistoryRecord): void {
    if (task === undefined) return;
    getOrMake(this.#frameworkBooks, task.frameworkId, () => new FrameworkBooks()).addHistory(key, task, number);
    this.#finishedLaunches.set(task.launchId, key);
  }

  #removeHistory(key: string, { task }: HistoryRecord): void {
    if (task === undefined) return;
    if (this.#finishedLaunches.get(task.launchId) === key) this.#finishedLaunches.delete(task.launchId);
    const framework = this.#frameworkBooks.get(task.frameworkId)!;
    framework.removeHistory(key, task);
    if (framework.isEmpty) this.#frameworkBooks.delete(task.frameworkId);
  }
}

function isIn(agent: AgentRecord | undefined): boolean {
  return agent?.standing?.$case === "in";
}

function isTimed(record: AgentRecord | FrameworkRecord | undefined): boolean {
  return record?.standing?.$case === "disconnectedAt" || record?.standing?.$case === "unreachableAt";
}

function replace<V>(table: Map<string, V>, id: string, record: V | undefined): V | undefined {
  const before = table.get(id);
  if (record === undefined) table.delete(id);
  else table.set(id, record);
  return before;
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
