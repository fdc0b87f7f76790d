/** Counts the cluster's tasks around one round: who ran before it, and what became of each. */
import { delay, withDeadline } from "../../async/abort.ts";
import { MesarchError } from "../../base/errors.ts";
import type { OperatorClient } from "../../sdk/operator.ts";
import { isTerminal } from "../../sdk/tasks.ts";
import type { TaskView } from "../../wire/gen/mesarch/v1/operator.ts";
import { hasGoneOn, readCanaryLog, type CanaryLog } from "./canary-log.ts";
import type { TaskCounts } from "./report.ts";
import { duplicates, fateOf, runningTasks, taskName } from "./task-fates.ts";

export interface CensusOptions {
  readonly operator: OperatorClient;
  /** Of the canaries. */
  readonly frameworkId: string;
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly counts: TaskCounts;
  /** One line for each task that came to harm. */
  readonly findings: readonly string[];
}

const MOST_TASKS = 1_000_000;
const LOOK_MS = 250;
/** Canaries speak every second: one that is silent for so long, its agent being there, does not run. */
const SPEAK_MS = 15_000;

export class Census implements AsyncDisposable {
  readonly #options: CensusOptions;
  readonly #before: ReadonlyMap<string, TaskView>;
  readonly #logs: ReadonlyMap<string, CanaryLog>;
  /** Tasks that were seen to end: history keeps the last thousand of a framework only. */
  readonly #ended = new Map<string, TaskView>();
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(options: CensusOptions, before: ReadonlyMap<string, TaskView>, logs: ReadonlyMap<string, CanaryLog>) {
    this.#options = options;
    this.#before = before;
    this.#logs = logs;
    // Ends by its signal only.
    this.#watching = this.#watch().catch(() => {});
  }

  static async begin(options: CensusOptions): Promise<Census> {
    const before = runningTasks(await liveTasks(options));
    const canaries = [...before].filter(([, { record }]) => record?.frameworkId === options.frameworkId);
    const logs = await Promise.all(canaries.map(async ([launchId]) => [launchId, await logOf(options, launchId)] as const));
    return new Census(options, before, new Map(logs));
  }

  get running(): number {
    return this.#before.size;
  }

  /** Asked when the cluster is whole again. */
  async outcome(): Promise<Outcome> {
    const now = await liveTasks(this.#options);
    const live = new Map(now.map((task) => [task.record?.launchId ?? "", task]));
    const findings: string[] = [];
    let frameworksLeft: ReadonlySet<string> | undefined;
    const counts = { running_before: this.#before.size, lost: 0, killed: 0, restarted: 0, duplicated: 0 };
    for (const [launchId, before] of this.#before) {
      const fate = fateOf(live.get(launchId) ?? (await this.#known(launchId)));
      if (fate !== "lost" && fate !== "killed") continue;
      const { frameworkId = "", agentId } = before.record ?? {};
      // Its tasks end with it, and no row says that this was ordered.
      if (!(frameworksLeft ??= await this.#frameworksLeft()).has(frameworkId)) continue;
      counts[fate] += 1;
      findings.push(`task ${taskName(before.record)} of framework ${frameworkId} on agent ${agentId} was ${fate}`);
    }
    for (const name of duplicates(now)) {
      counts.duplicated += 1;
      findings.push(`task ${name} has more than one live launch`);
    }
    for (const [launchId, before] of this.#logs) {
      if (!live.has(launchId)) continue;
      const verdict = await this.#listen(launchId, before);
      if (verdict === undefined) continue;
      counts[verdict] += 1;
      findings.push(`canary ${taskName(live.get(launchId)?.record)}, by its own output, was ${verdict}`);
    }
    return { counts, findings };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for await (const news of this.#options.operator.events({ signal: this.#over.signal })) {
      if (news.type !== "task" || !isTerminal(news.task.shownState)) continue;
      const launchId = news.task.record?.launchId ?? "";
      if (this.#before.has(launchId)) this.#ended.set(launchId, news.task);
    }
  }

  /** Those that were not removed meanwhile. */
  async #frameworksLeft(): Promise<ReadonlySet<string>> {
    const { operator, signal } = this.#options;
    const all = await operator.frameworks({ signal });
    return new Set(all.flatMap(({ id, record }) => (record?.standing?.$case === "removedAt" ? [] : id)));
  }

  /** A task that is not in the list of the living any more. */
  async #known(launchId: string): Promise<TaskView | undefined> {
    const { operator, signal } = this.#options;
    return (
      this.#ended.get(launchId) ??
      (await operator.task(launchId, { signal }).catch((error: unknown) => {
        if (error instanceof MesarchError && error.code === "not_found") return undefined;
        throw error;
      }))
    );
  }

  /** Waits until a canary has spoken since. Undefined: it is the same process as before, and goes on. */
  async #listen(launchId: string, before: CanaryLog): Promise<"lost" | "restarted" | "duplicated" | undefined> {
    using deadline = withDeadline(this.#options.signal, SPEAK_MS);
    for (;;) {
      const after = await logOf(this.#options, launchId);
      if (after.overlapped) return "duplicated";
      if (after.pids.length > 1 || (before.pids.length > 0 && after.pids[0] !== before.pids[0])) return "restarted";
      if (hasGoneOn(before, after)) return undefined;
      const late = await delay(LOOK_MS, deadline.signal).then(() => false, () => true);
      this.#options.signal.throwIfAborted();
      // Unless somebody has just ended it.
      if (late) return fateOf(await this.#known(launchId)) === "ended" ? undefined : "lost";
    }
  }
}

async function liveTasks({ operator, signal }: CensusOptions): Promise<TaskView[]> {
  const { tasks, truncated } = await operator.tasks({ limit: MOST_TASKS }, { signal });
  if (!truncated) return tasks;
  // More than one answer holds.
  const lists: TaskView[][] = [];
  for (const { id } of await operator.agents({ signal })) lists.push((await operator.tasks({ agentId: id, limit: MOST_TASKS }, { signal })).tasks);
  return lists.flat();
}

async function logOf({ operator, signal }: CensusOptions, launchId: string): Promise<CanaryLog> {
  const parts: Uint8Array[] = [];
  for await (const { data } of operator.logs(launchId, { signal })) parts.push(data);
  return readCanaryLog(Buffer.concat(parts).toString());
}
