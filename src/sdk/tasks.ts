/** Tasks, offers and states in plain values. */
import { randomUUID } from "node:crypto";
import {
  DurationInfo,
  TaskInfo,
  TaskState,
  Value_Type,
  type Offer,
  type Resource,
  type TaskStatus,
} from "../wire/gen/mesos/v1/mesos.ts";

export interface CommandTaskOptions {
  /** Unique among the framework's live tasks; letters, digits, `-`, `_`, `.`. Default: the name and a random part. */
  readonly id?: string;
  /** Shown to people. Default "task". */
  readonly name?: string;
  /** A line for `/bin/sh -c`, or a program with its arguments, which no shell sees. */
  readonly command: string | readonly string[];
  /** Cores; default 0.1. */
  readonly cpus?: number;
  /** MiB of memory; default 32. */
  readonly mem?: number;
  /** MiB of disk; default 0: none reserved. */
  readonly disk?: number;
  /** Whole devices; default 0. */
  readonly gpus?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Account that runs it. Default: the framework's. */
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Between TERM and KILL, in milliseconds. Default: the cluster's, 3,000. */
  readonly killGraceMs?: number;
  /** It is killed when it runs longer, in milliseconds. Default: no limit. */
  readonly maxCompletionMs?: number;
}

/**
 * A task that runs one command.
 *
 *     commandTask({ name: "web", command: ["./serve", "--port", "8080"], cpus: 1, mem: 256, env: { LEVEL: "info" } })
 */
export function commandTask(options: CommandTaskOptions): TaskInfo {
  const name = options.name ?? "task";
  const { cpus = 0.1, mem = 32, disk = 0, gpus = 0 } = options;
  const amounts: Record<string, number> = { cpus, mem, disk, gpus };
  return TaskInfo.fromPartial({
    name,
    taskId: { value: options.id ?? `${name.replace(/[^\w.-]/g, "-")}-${randomUUID().slice(0, 8)}` },
    resources: Object.entries(amounts)
      .filter(([, amount]) => amount > 0)
      .map(([resource, amount]) => scalarResource(resource, amount)),
    command: { ...commandLine(options.command), user: options.user, environment: environment(options.env) },
    labels: options.labels === undefined ? undefined : { labels: pairs(options.labels, "key") },
    killPolicy: options.killGraceMs === undefined ? undefined : { gracePeriod: duration(options.killGraceMs) },
    maxCompletionTime: options.maxCompletionMs === undefined ? undefined : duration(options.maxCompletionMs),
  });
}

function commandLine(command: string | readonly string[]): { shell: boolean; value: string; arguments: string[] } {
  if (typeof command === "string") return { shell: true, value: command, arguments: [] };
  return { shell: false, value: command[0] ?? "", arguments: [...command] };
}

function environment(env: CommandTaskOptions["env"]): { variables: { name: string; value: string }[] } | undefined {
  return env === undefined ? undefined : { variables: pairs(env, "name") };
}

function pairs<K extends "key" | "name">(
  values: Readonly<Record<string, string>>,
  key: K,
): ({ [P in K]: string } & { value: string })[] {
  return Object.entries(values).map(([name, value]) => ({ [key]: name, value }) as { [P in K]: string } & { value: string });
}

/** An amount of a resource that is a number: cpus, mem (MiB), disk (MiB), gpus or one of your own. */
export function scalarResource(name: string, amount: number): Resource {
  return { name, type: Value_Type.SCALAR, scalar: { value: amount }, reservations: [] };
}

/** The wire form of a length of time. */
export function duration(ms: number): DurationInfo {
  return DurationInfo.fromJSON({ nanoseconds: String(Math.round(ms) * 1_000_000) });
}

/**
 * Sums the amounts of offers or of lists of resources, by name.
 *
 *     const { cpus = 0, mem = 0 } = amounts(offer);
 */
export function amounts(...sources: readonly { readonly resources: readonly Resource[] }[]): { [name: string]: number } {
  const sums: { [name: string]: number } = {};
  for (const { resources } of sources) {
    for (const { name, scalar } of resources) {
      // Thousandths, as the cluster counts: 0.1 three times is 0.3.
      const sum = (sums[name ?? ""] ?? 0) + (scalar?.value ?? 0);
      sums[name ?? ""] = Math.round(sum * 1_000) / 1_000;
    }
  }
  return sums;
}

/** How many tasks of this size fit the offer. */
export function fits(offer: Offer, task: TaskInfo): number {
  const offered = amounts(offer);
  const counts = Object.entries(amounts(task)).map(([name, needed]) =>
    needed > 0 ? Math.floor((offered[name] ?? 0) / needed + 1e-9) : Infinity,
  );
  return Math.min(...counts);
}

export type TaskStateName = Exclude<keyof typeof TaskState, "UNRECOGNIZED">;

const stateNames = new Map(Object.entries(TaskState).map(([name, value]) => [value as number, name]));

/** "TASK_RUNNING" for 1. A number of a newer version becomes "TASK_STATE_<number>". */
export function taskStateName(state: number | undefined): string {
  return stateNames.get(state ?? TaskState.TASK_STAGING) ?? `TASK_STATE_${state}`;
}

const TERMINAL: ReadonlySet<number> = new Set([
  TaskState.TASK_FINISHED,
  TaskState.TASK_FAILED,
  TaskState.TASK_KILLED,
  TaskState.TASK_ERROR,
  TaskState.TASK_LOST,
  TaskState.TASK_DROPPED,
  TaskState.TASK_GONE,
  TaskState.TASK_GONE_BY_OPERATOR,
]);

/** True for a state that a task does not leave. */
export function isTerminal(state: number | undefined): boolean {
  return state !== undefined && TERMINAL.has(state);
}

/** Label of a last status that holds the exit status: a number, or `128 + n` for signal n. */
const EXIT_STATUS_LABEL = "mesarch.exit_status";

/** How the command ended; undefined while it runs, and when it never ran or nobody knows. */
export function exitStatus(status: TaskStatus): number | undefined {
  const text = status.labels?.labels.find((label) => label.key === EXIT_STATUS_LABEL)?.value;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
