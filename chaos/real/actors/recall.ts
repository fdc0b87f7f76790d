/** What a framework that starts again remembers: what its earlier processes wrote into the history. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { stateNamed } from "../../../src/model/task-state.ts";
import { isTerminal, TaskState } from "../../../src/sdk/index.ts";
import type { HistoryEvent } from "../../history/event.ts";
import { readHistory } from "../../history/reader.ts";

export interface KnownTask {
  readonly id: string;
  /** Wanted for as long as its framework works. */
  readonly service: boolean;
  state: TaskState;
  agent: string;
  killed: boolean;
}

/** All histories in the directory whose names begin with `stem`, in the order in which they were begun. */
export function earlier(directory: string, stem: string): HistoryEvent[] {
  const files = readdirSync(directory).filter((name) => name.startsWith(stem));
  return files.flatMap((name) => readHistory(join(directory, name))).sort((a, b) => a.t - b.t);
}

/** The tasks of a framework that may still be there. */
export function recall(events: readonly HistoryEvent[], framework: string): KnownTask[] {
  const tasks = new Map<string, KnownTask>();
  for (const event of events) {
    if (event.op === "launch" && event.kind === "invoke" && event.value.framework === framework) {
      for (const { task: id } of event.value.tasks) {
        tasks.set(id, { id, service: /\.s\d+$/.test(id), state: TaskState.TASK_STAGING, agent: event.value.agent, killed: false });
      }
    } else if (event.op === "launch" && event.kind === "fail") {
      for (const { task } of event.value.tasks) tasks.delete(task);
    } else if (event.op === "kill" && event.kind === "invoke" && event.value.framework === framework) {
      const task = tasks.get(event.value.task);
      if (task !== undefined) task.killed = true;
    } else if (event.op === "update" && event.value.framework === framework) {
      const task = tasks.get(event.value.task);
      if (task === undefined) continue;
      task.state = stateNamed(event.value.state) ?? task.state;
      if (isTerminal(task.state)) tasks.delete(task.id);
    }
  }
  return [...tasks.values()];
}
