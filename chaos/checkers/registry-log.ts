/**
 * The registry as it was at each of its revisions, replayed from its commits. A restore stands among them as a commit of
 * nobody, which takes back all that was undone (13.2).
 */
import type { AgentStanding, Amounts, EventOf, FrameworkStanding, RowChange } from "../history/event.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";
import { countUpTo } from "./search.ts";
import { isEnd } from "./states-table.ts";

export type Commit = EventOf<"commit">;
export type TaskRow = NonNullable<Extract<RowChange, { table: "task" }>["task"]>;
type HistoryRow = Extract<RowChange, { table: "history" }>;

type Restore = EventOf<"restored">;

interface Version {
  readonly revision: number;
  readonly commit: Commit;
  /** A restore took it back. */
  undone?: true;
}
/** Neither row nor past: it is not, or not any more, in the registry. */
export interface LaunchVersion extends Version {
  readonly row: TaskRow | undefined;
  /** Its state in history. */
  readonly past: TaskStateName | undefined;
}
export interface AgentVersion extends Version {
  readonly standing: AgentStanding | undefined;
  readonly active: boolean | undefined;
  readonly term: number | undefined;
  readonly total: Amounts | undefined;
}
export interface FrameworkVersion extends Version {
  readonly standing: FrameworkStanding | undefined;
}

export interface WeightVersion extends Version {
  readonly weight: number | undefined;
}

export type StandingVersion = AgentVersion | FrameworkVersion;

/** One launch, through all revisions that changed it. */
export interface Launch {
  readonly launch: string;
  readonly task: string;
  readonly framework: string;
  readonly agent: string;
  readonly resources: Amounts;
  readonly versions: LaunchVersion[];
}

export class RegistryLog {
  /** In the order of revisions, each once. */
  readonly commits: readonly Commit[];
  readonly #restores: readonly Restore[];
  /** What each row was, if anything is ever restored. */
  readonly #rows = new Map<string, { readonly revision: number; readonly change: RowChange }[]>();
  readonly launches = new Map<string, Launch>();
  /** By task id; in the order of their first rows. */
  readonly byTask = new Map<string, Launch[]>();
  readonly byAgent = new Map<string, Launch[]>();
  readonly agents = new Map<string, AgentVersion[]>();
  readonly frameworks = new Map<string, FrameworkVersion[]>();
  /** By role. */
  readonly weights = new Map<string, WeightVersion[]>();
  #revisions: readonly number[] | undefined;
  readonly #slots = new Map<string, string>();

  constructor(commits: readonly Commit[], restores: readonly Restore[] = []) {
    this.#restores = restores;
    const all = restores.length === 0 ? inOrder(commits) : inOrder([...commits, ...restores]);
    this.commits = all.map((event) => {
      const commit = event.op === "commit" ? event : this.#undo(event);
      this.#replay(commit);
      return commit;
    });
  }

  /** The state shown to all: of what has not ended it follows from its agent's row, too. */
  shown(launch: Launch, revision: number): TaskStateName | undefined {
    const version = at(launch.versions, revision);
    if (version?.row === undefined) return version?.past;
    const { state } = version.row;
    if (isEnd(state)) return state;
    const standing = at(this.agents.get(launch.agent), revision)?.standing;
    if (standing === "in") return state;
    return standing === "gone" ? "TASK_GONE_BY_OPERATOR" : "TASK_UNREACHABLE";
  }

  /** Revision of the last commit up to this one: between commits, others may raise the store's. 0 before the first. */
  floor(revision: number): number {
    return this.commitAt(revision)?.revision ?? 0;
  }

  /** The last commit up to this revision. */
  commitAt(revision: number): Commit | undefined {
    this.#revisions ??= this.commits.map((commit) => commit.revision!);
    return this.commits[countUpTo(this.#revisions, revision) - 1];
  }

  /** First commit after which the framework was removed, though that may have been undone. */
  removal(framework: string): Commit | undefined {
    return this.frameworks.get(framework)?.find(isRemoved)?.commit;
  }

  /** First commit after which the framework was removed for good. */
  lastingRemoval(framework: string): Commit | undefined {
    return lasting(this.frameworks.get(framework)).find(isRemoved)?.commit;
  }

  /** The first version in which it is over for good. What went to history as unreachable has not ended (4.2). */
  end(launch: Launch): LaunchVersion | undefined {
    return lasting(launch.versions).find(isOver);
  }

  /** The first version that knows of its end. Its framework hears of it in turn, after what it did not acknowledge (7.1). */
  knownEnd(launch: Launch): LaunchVersion | undefined {
    return lasting(launch.versions).find((version) => isOver(version) || (version.row !== undefined && isEnd(version.row.latest)));
  }

  /** The first version in which it is over, though that may have been undone. */
  firstEnd(launch: Launch): LaunchVersion | undefined {
    return launch.versions.find(isOver);
  }

  /** Whether what stood at this revision only was taken back by a restore, up to a moment. */
  isUndone(revision: number, until = Infinity): boolean {
    return this.#restores.some(({ t, value, revision: at }) => t <= until && value.to < revision && revision < at!);
  }

  /** Whether an update had been taken back when it was told: it was on its way. */
  isUndoneUpdate({ t, value: { task, uuid } }: EventOf<"update">): boolean {
    if (this.#restores.length === 0 || uuid === "") return false;
    const says = (this.byTask.get(task) ?? []).flatMap(({ versions }) => versions.filter(({ row, commit }) => row?.uuid === uuid && commit.t <= t));
    return says.length > 0 && says.every(({ revision }) => this.isUndone(revision, t));
  }

  /** When a restore last took back something of the launch; undefined if none did. */
  undoneAt(launch: Launch): number | undefined {
    return launch.versions.findLast(isRestored)?.commit.t;
  }

  /** Its row as it was last, and what it is now. */
  last(launch: Launch): LaunchVersion {
    return launch.versions.at(-1)!;
  }

  /** The restore as a commit: every row that is not what it was, as it was. */
  #undo({ seq, t, actor, revision, value: { to } }: Restore): Commit {
    const rows: RowChange[] = [];
    for (const versions of this.#rows.values()) {
      const last = versions.at(-1)!;
      if (last.revision <= to) continue;
      const { table, id } = last.change;
      rows.push(versions.findLast((version) => version.revision <= to)?.change ?? ({ table, id } as RowChange));
    }
    for (const all of [this.launches.values().map(({ versions }) => versions), this.agents.values(), this.frameworks.values(), this.weights.values()]) {
      for (const versions of all) for (const version of versions) if (version.revision > to) version.undone = true;
    }
    return { seq, t, actor, kind: "observe", op: "commit", revision: revision!, value: { master: "", n: 0, ops: rows.length, rows } };
  }

  #replay(commit: Commit): void {
    const revision = commit.revision!;
    if (this.#restores.length > 0) for (const change of commit.value.rows) push(this.#rows, `${change.table}\0${change.id}`, { revision, change });
    const rows = new Map<string, TaskRow | undefined>();
    const past = new Map<string, HistoryRow | undefined>();
    for (const change of commit.value.rows) {
      if (change.table === "task") rows.set(change.id, change.task);
      else if (change.table === "history") past.set(change.id, change);
      else if (change.table === "agent") {
        const { standing, active, term, total } = change;
        push(this.agents, change.id, { revision, commit, standing, active, term, total });
      } else if (change.table === "framework") {
        push(this.frameworks, change.id, { revision, commit, standing: change.standing });
      } else if (change.table === "weight") push(this.weights, change.id, { revision, commit, weight: change.weight });
    }
    const entries = this.#entries(past);
    for (const [id, row] of rows) this.#version(id, row, entries.get(id), commit);
    for (const [id, entry] of entries) if (!rows.has(id)) this.#version(id, undefined, entry, commit);
  }

  /** What the history rows of a commit say, by launch; nothing of those that they take the place of. */
  #entries(past: ReadonlyMap<string, HistoryRow | undefined>): Map<string, HistoryRow["task"]> {
    const entries = new Map<string, HistoryRow["task"]>();
    for (const [slot, change] of past) {
      const evicted = this.#slots.get(slot);
      if (evicted !== undefined) entries.set(evicted, undefined);
      this.#slots.delete(slot);
      if (change?.task !== undefined) this.#slots.set(slot, change.task.launch);
    }
    for (const change of past.values()) if (change?.task !== undefined) entries.set(change.task.launch, change.task);
    return entries;
  }

  #version(id: string, row: TaskRow | undefined, entry: HistoryRow["task"], commit: Commit): void {
    let launch = this.launches.get(id);
    if (launch === undefined) {
      const { task, framework } = row ?? entry ?? {};
      // The deletion of what nobody has seen.
      if (task === undefined || framework === undefined) return;
      launch = { launch: id, task, framework, agent: row?.agent ?? "", resources: row?.resources ?? {}, versions: [] };
      this.launches.set(id, launch);
      push(this.byTask, task, launch);
      push(this.byAgent, launch.agent, launch);
    }
    launch.versions.push({ revision: commit.revision!, commit, row, past: row === undefined ? entry?.state : undefined });
  }
}

/** What stood at a revision; undefined before the first. */
export function at<V extends Version>(versions: readonly V[] | undefined, revision: number): V | undefined {
  if (versions === undefined) return undefined;
  let [low, high] = [0, versions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (versions[middle]!.revision <= revision) low = middle + 1;
    else high = middle;
  }
  return versions[low - 1];
}

/** Of versions those that no restore took back, and that none brought back: their first commit stands again. */
export function lasting<V extends Version>(versions: readonly V[] = []): readonly V[] {
  return versions.some(isRestored) ? versions.filter((version) => version.undone !== true && !isRestored(version)) : versions;
}

/** Whether a restore made it, and no leader. */
export function isRestored({ commit }: Version): boolean {
  return isRestore(commit);
}

export function isRestore({ value }: Commit): boolean {
  return value.n === 0 && value.master === "";
}

function isRemoved({ standing }: FrameworkVersion): boolean {
  return standing === "removed";
}

function isOver({ row, past }: LaunchVersion): boolean {
  return row === undefined ? past !== undefined && past !== "TASK_UNREACHABLE" : isEnd(row.state);
}

/** Of a revision that was seen twice the first counts; leadership.ts says whether they agree. */
function inOrder<E extends Commit | Restore>(commits: readonly E[]): E[] {
  const sorted = commits.filter(({ revision }) => revision !== undefined).sort((a, b) => a.revision! - b.revision!);
  return sorted.filter(({ revision }, index) => index === 0 || sorted[index - 1]!.revision !== revision);
}

function push<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
