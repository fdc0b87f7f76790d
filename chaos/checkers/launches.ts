/** I6: what was acknowledged is there until it ends, and its framework hears of the end; what was refused never is. */
import type { EventOf, HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { at, type Commit, isRestored, type Launch, type LaunchVersion } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";

/** Tested: tasks whose launch was acknowledged. A launch of unknown outcome may be done at any time, or never. */
export function launches(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  const tally = new Tally("I6");
  unasked(tally, evidence);
  const acknowledged = new Map<string, EventOf<"launch">>();
  for (const { outcome, value, end } of evidence.calls("launch")) {
    if (outcome !== "ok") continue;
    for (const { task } of value.tasks) if (!acknowledged.has(task)) acknowledged.set(task, end!);
  }
  tally.tested(acknowledged.size);
  for (const [task, event] of acknowledged) isThere(tally, evidence, task, event, options);
  for (const launch of evidence.registry.launches.values()) {
    staysUntilItEnds(tally, evidence, launch);
    endIsHeard(tally, evidence, launch, options);
  }
  listed(tally, evidence, acknowledged);
  return [tally.verdict()];
}

/** Tasks that nobody launched, or whose every launch was refused. */
function unasked(tally: Tally, evidence: Evidence): void {
  const judged = new Set<string>();
  const appears = (task: string, event: HistoryEvent): void => {
    if (judged.has(task)) return;
    judged.add(task);
    const attempts = evidence.attempts(task);
    if (attempts.length === 0) tally.violated(`${task} appears, and nobody had launched it`, event);
    else if (attempts.every(({ outcome }) => outcome === "fail")) tally.violated(`${task} appears, and its launch had been refused`, attempts[0]!.end, event);
    else if (attempts.every(({ invokedAt }) => invokedAt > event.t)) tally.violated(`${task} appears before it was launched`, event, attempts[0]!.invocation);
  };
  for (const event of evidence.events) {
    if (event.op === "witnessStart" || event.op === "agentUpdate") appears(event.value.task, event);
    if (event.op === "update" && event.value.uuid !== "") appears(event.value.task, event);
    if (event.op === "commit") for (const row of event.value.rows) if (row.table === "task" && row.task !== undefined) appears(row.task.task, event);
    if (event.op === "read") for (const task of Object.keys(event.value.tasks)) appears(task, event);
  }
}

function isThere(tally: Tally, evidence: Evidence, task: string, event: EventOf<"launch">, { settleMs }: CheckOptions): void {
  if (evidence.registry.byTask.has(task)) return;
  // Its refusal is said in words before the call is answered (TASK_ERROR, TASK_DROPPED).
  if (evidence.updates(task).some(({ value }) => isEnd(value.state))) return;
  if (evidence.registry.commits.length === 0 && evidence.witnesses.byTask.has(task)) return;
  // The watcher may be late, and the history may end first.
  if (event.t + settleMs > evidence.horizon) return;
  tally.violated(`the launch of ${task} was acknowledged, and the registry never had it`, event);
}

/** 3.8: a row goes only with its history, and only when the task is over for everybody. */
function staysUntilItEnds(tally: Tally, evidence: Evidence, launch: Launch): void {
  let before: LaunchVersion | undefined;
  for (const version of launch.versions) {
    const { row, past, revision, commit } = version;
    if (row === undefined && before?.row !== undefined && !isRestored(version)) {
      const agent = at(evidence.registry.agents.get(launch.agent), revision)?.standing;
      const framework = at(evidence.registry.frameworks.get(launch.framework), revision)?.standing;
      const isRemoved = framework === undefined || framework === "removed";
      const isOver = isEnd(before.row.state) || isEnd(before.row.latest) || agent !== "in" || isRemoved;
      if (past === undefined && !(isRemoved && isForgotten(launch.framework, commit))) tally.violated(`the row of ${launch.task} vanished without history at revision ${revision}`, before.commit, commit);
      else if (!isOver) tally.violated(`the row of ${launch.task} vanished as ${before.row.state} at revision ${revision}`, before.commit, commit);
    }
    before = version;
  }
}

/** 4.2: of removed frameworks history is given up in turn, with what would have become history. */
function isForgotten(framework: string, { value }: Commit): boolean {
  return value.rows.some((row) => row.table === "history" && row.task === undefined && row.id.startsWith(`${framework}/`));
}

function endIsHeard(tally: Tally, evidence: Evidence, launch: Launch, { settleMs }: CheckOptions): void {
  const { task, framework } = launch;
  const end = evidence.registry.end(launch);
  const since = evidence.connectedSince(framework);
  if (end === undefined || since === undefined) return;
  const due = evidence.faults.deadline(Math.max(end.commit.t, since), settleMs);
  // An agent's update is told by the agent, which has to be there.
  if (due > evidence.horizon || !evidence.isInReach(launch.agent)) return;
  const heard = evidence.updates(task).filter(({ value }) => isEnd(value.state));
  if (heard.length === 0) tally.violated(`${task} ended as ${end.row?.state ?? end.past}, and ${framework} never heard of it`, end.commit);
  else if (heard[0]!.t > due) tally.violated(`${task} ended as ${end.row?.state ?? end.past}, and ${framework} heard of it too late`, end.commit, heard[0]);
}

/** In a current reading that began after the answer, a task is missing only if it has ended. */
function listed(tally: Tally, evidence: Evidence, acknowledged: ReadonlyMap<string, EventOf<"launch">>): void {
  const waiting = [...acknowledged].filter(([task]) => evidence.registry.byTask.has(task) && !wasRefused(evidence, task));
  waiting.sort(([, a], [, b]) => b.t - a.t);
  const due = new Map<string, EventOf<"launch">>();
  const reads = evidence.of("read").filter(({ value }) => !value.stale);
  for (const read of reads.toSorted((a, b) => a.value.startedAt - b.value.startedAt)) {
    while (waiting.length > 0 && waiting.at(-1)![1].t < read.value.startedAt) due.set(...waiting.pop()!);
    for (const [task, event] of due) {
      if (Object.hasOwn(read.value.tasks, task)) continue;
      if (isOverAt(evidence, task, read.revision ?? Infinity)) due.delete(task);
      else tally.violated(`${task} was acknowledged, and a later reading by ${read.actor} does not list it`, event, read);
    }
  }
}

/** In words, before it was launched by another call. */
function wasRefused(evidence: Evidence, task: string): boolean {
  const first = evidence.registry.byTask.get(task)![0]!.versions[0]!;
  return evidence.updates(task).some(({ t, value }) => isEnd(value.state) && t < first.commit.t);
}

function isOverAt(evidence: Evidence, task: string, revision: number): boolean {
  return evidence.registry.byTask.get(task)!.every((launch) => {
    const shown = evidence.registry.shown(launch, revision);
    return shown === undefined ? at(launch.versions, revision) !== undefined : isEnd(shown);
  });
}
