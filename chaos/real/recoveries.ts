/** How long the cluster took to answer again: from each fault to the next launch that is durable (I28). */
import { type Call, pairCalls } from "../history/calls.ts";
import type { EventOf, HistoryEvent } from "../history/event.ts";

/** For each fault by name: whether the cluster owes an answer from the strike on, or from when it was undone. */
export type AnswersAfter = ReadonlyMap<string, "strike" | "undo">;

/** One `recovery` for each fault after which a launch was made and answered. @param events in the order of time. */
export function recoveriesOf(events: readonly HistoryEvent[], answersAfter: AnswersAfter): HistoryEvent[] {
  const written = tasksWritten(events);
  const done = pairCalls(events).calls.filter(({ op, outcome }) => op === "launch" && outcome === "ok") as unknown as readonly Call<"launch">[];
  // An ACCEPT with offers that were gone is answered, too, but nothing of it is written.
  const launches = done.filter(({ value }) => value.tasks.some(({ task }) => written.has(task))).sort((a, b) => a.invokedAt - b.invokedAt);
  const faults = events.filter((event): event is EventOf<"fault"> => event.op === "fault");
  return faults.flatMap((fault, index): HistoryEvent[] => {
    const { name, on } = fault.value;
    const begins = (answersAfter.get(name) ?? "strike") === "strike" ? on : !on;
    if (!begins) return [];
    const endedAt = firstAnswer(launches, fault.t);
    if (endedAt === undefined) return [];
    return [{ seq: index + 1, t: endedAt, actor: "nemesis", kind: "observe", op: "recovery", value: { fault: name, ms: endedAt - fault.t } }];
  });
}

/** The earliest answer to a launch that was asked for after this. */
function firstAnswer(launches: readonly Call<"launch">[], after: number): number | undefined {
  let first: number | undefined;
  for (const { invokedAt, endedAt } of launches) {
    if (first !== undefined && invokedAt > first) break;
    if (invokedAt >= after && (first === undefined || endedAt < first)) first = endedAt;
  }
  return first;
}

function tasksWritten(events: readonly HistoryEvent[]): ReadonlySet<string> {
  const tasks = new Set<string>();
  for (const event of events) {
    if (event.op !== "commit") continue;
    for (const row of event.value.rows) if (row.table === "task" && row.task !== undefined) tasks.add(row.task.task);
  }
  return tasks;
}
