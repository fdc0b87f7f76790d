/** What the quickstart tells at the end: how each failover went, and what became of every task. */
import type { LeaderRecord } from "../../src/sdk/index.ts";
import type { TaskHistory } from "./framework.ts";
import { type Job, type Service, serviceEvidence, starts, verifyJob } from "./workload.ts";

export interface Row {
  readonly name: string;
  readonly value: string;
  readonly ok: boolean;
}

const ENDED_BADLY = ["TASK_LOST", "TASK_DROPPED", "TASK_GONE", "TASK_GONE_BY_OPERATOR", "TASK_UNREACHABLE", "TASK_ERROR", "TASK_FAILED"];

export function failoverLines(leaders: readonly LeaderRecord[]): string[] {
  return leaders.toReversed().map(({ epoch, master, cause, phases, tasksCarried }) => {
    const parts = [
      ["detected", phases?.detectedMs],
      ["elected", phases?.electedMs],
      ["agents confirmed", phases?.agentsConfirmedMs],
      ["first launch", phases?.firstLaunchMs],
    ] as const;
    const times = parts.filter(([, ms]) => ms !== undefined).map(([name, ms]) => `${name} ${Math.round(ms!)} ms`);
    const from = cause === "bootstrap" ? "" : `  ${times.join(", ")}`;
    return `  epoch ${epoch?.generation}-${epoch?.revision}  ${master}  ${cause.padEnd(9)}  ${String(tasksCarried).padStart(3)} tasks carried${from}`;
  });
}

export interface Outcome {
  readonly tasks: ReadonlyMap<string, TaskHistory>;
  readonly jobs: readonly Job[];
  readonly services: readonly Service[];
  /** Pids of the services before anything was killed. */
  readonly pidsBefore: ReadonlyMap<string, string>;
  readonly evidence: string;
  readonly failedCalls: number;
  readonly relaunched: number;
  /** From the death of an agent's process until another one was confirmed. */
  readonly agentAwayMs: number;
  /** Wall clock of the end of the run, milliseconds. */
  readonly endedAt: number;
}

/** Each row is one promise; all must hold. */
export function outcomeRows(outcome: Outcome): Row[] {
  const { tasks, jobs, services, pidsBefore, evidence, failedCalls, relaunched, agentAwayMs, endedAt } = outcome;
  const all = [...tasks.values()];
  const everIn = (...states: readonly string[]): number => all.filter((task) => task.states.some((state) => states.includes(state))).length;
  const startCounts = [...jobs, ...services].map(({ id }) => starts(evidence, id).length);
  const wrong = jobs.map((job) => ({ id: job.id, problem: verifyJob(job, evidence) })).filter(({ problem }) => problem !== undefined);
  const witnessed = services.map((service) => ({ id: service.id, ...serviceEvidence(service, evidence) }));
  const alive = witnessed.filter(({ id, pids, lastBeat }) => pids.length === 1 && pids[0] === pidsBefore.get(id) && endedAt - lastBeat < 5_000);
  const launched = jobs.length + services.length;
  const finished = jobs.filter(({ id }) => tasks.get(id)?.states.at(-1) === "TASK_FINISHED").length;
  const signals = witnessed.reduce((sum, { signals: count }) => sum + count, 0);
  return [
    row("tasks launched", `${all.length}`, all.length === launched),
    row("finished", `${finished} of ${jobs.length} jobs`, finished === jobs.length),
    row("launched again, their offer being gone", `${relaunched}`, true),
    row("lost", everIn(...ENDED_BADLY)),
    row("killed", everIn("TASK_KILLED") + signals),
    row("restarted", startCounts.filter((count) => count === 0).length + witnessed.filter(({ id, pids }) => pids.at(-1) !== pidsBefore.get(id)).length),
    row("duplicated", startCounts.filter((count) => count > 1).length),
    row("services with their first pid", `${alive.length} of ${services.length}`, alive.length === services.length),
    row("longest pause of a service", `${Math.max(...witnessed.map(({ longestGapMs }) => longestGapMs))} ms`, witnessed.every(({ longestGapMs }) => longestGapMs < 5_000)),
    row("agent came back", `after ${Math.round(agentAwayMs)} ms`, true),
    row("results verified", wrong.length === 0 ? `${jobs.length} of ${jobs.length}` : wrong.map(({ id, problem }) => `${id}: ${problem}`).join("; "), wrong.length === 0),
    row("failed calls of the framework", failedCalls),
  ];
}

function row(name: string, value: string | number, ok = value === 0): Row {
  return { name, value: String(value), ok };
}

export function tableLines(rows: readonly Row[]): string[] {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const valueWidth = Math.max(...rows.map(({ value }) => value.length));
  return rows.map(({ name, value, ok }) => `  ${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${ok ? "ok" : "NOT AS PROMISED"}`);
}
