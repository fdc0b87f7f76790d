/** The updates an agent makes: what each end, and each sign of life, is called (7.1, 8.9). */
import type { Random } from "../../base/random.ts";
import type { RunState } from "../../ports/containers.ts";
import type { Label, TaskStatus } from "../../wire/gen/mesos/v1/mesos.ts";
import {
  NetworkInfo_Protocol,
  TaskState,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
} from "../../wire/gen/mesos/v1/mesos.ts";
import type { AgentState, AgentTask } from "./state.ts";

/** Label of a status that carries the exit status of the command, as a decimal number. */
export const EXIT_STATUS_LABEL = "mesarch.exit_status";

/** The part of a status that differs from one event to the next. */
export interface Verdict {
  readonly state: TaskState;
  readonly message: string;
  readonly reason?: Reason;
  /** The command itself is the source, not the agent. */
  readonly byCommand?: boolean;
  readonly exitStatus?: number;
  readonly pid?: number;
}

export function statusOf(state: AgentState, task: AgentTask, verdict: Verdict, wall: number): TaskStatus {
  const { accepted } = task;
  const agentId = state.identity.agentId || accepted.task?.agentId?.value;
  const taskId = accepted.task?.taskId;
  return {
    taskId,
    state: verdict.state,
    message: verdict.message,
    agentId: agentId === undefined ? undefined : { value: agentId },
    timestamp: wall / 1000,
    source: verdict.byCommand === true ? Source.SOURCE_EXECUTOR : Source.SOURCE_AGENT,
    // As in Mesos, a command task is its own executor.
    executorId: verdict.byCommand === true && taskId !== undefined ? { value: taskId.value } : undefined,
    reason: verdict.reason,
    uuid: randomBytes(state.random, 16),
    labels: verdict.exitStatus === undefined ? undefined : { labels: [exitLabel(verdict.exitStatus)] },
    // Some frameworks take element 0 without looking.
    containerStatus: {
      containerId: { value: accepted.launchId },
      executorPid: verdict.pid,
      networkInfos: [
        {
          groups: [],
          portMappings: [],
          ipAddresses: [{ protocol: protocolOf(state.settings.ip), ipAddress: state.settings.ip }],
        },
      ],
    },
  };
}

export const RUNNING = (pid: number | undefined): Verdict => ({
  state: TaskState.TASK_RUNNING,
  message: "Command started",
  byCommand: true,
  ...(pid !== undefined && { pid }),
});

export const KILLING: Verdict = { state: TaskState.TASK_KILLING, message: "Kill ordered", byCommand: true };

export const KILLED_DURING_LAUNCH: Verdict = {
  state: TaskState.TASK_KILLED,
  reason: Reason.REASON_TASK_KILLED_DURING_LAUNCH,
  message: "Killed before it was started",
};

export const launchFailed = (message: string): Verdict => ({
  state: TaskState.TASK_FAILED,
  reason: Reason.REASON_CONTAINER_LAUNCH_FAILED,
  message,
});

export const invalid = (message: string): Verdict => ({
  state: TaskState.TASK_ERROR,
  reason: Reason.REASON_TASK_INVALID,
  message,
});

export const dropped = (reason: Reason, message: string): Verdict => ({ state: TaskState.TASK_DROPPED, reason, message });

export const HOST_RESTARTED: Verdict = {
  state: TaskState.TASK_GONE,
  reason: Reason.REASON_AGENT_RESTARTED,
  message: "The host restarted",
};

/** How a run that will never change again ended. */
export function endOf(task: AgentTask, run: RunState, bootId: string): Verdict | undefined {
  switch (run.kind) {
    case "exited":
      return exitOf(task, run.status, run.killed);
    case "lost":
      if (task.accepted.bootId !== bootId) return HOST_RESTARTED;
      return {
        state: TaskState.TASK_GONE,
        reason: Reason.REASON_EXECUTOR_TERMINATED,
        message: "The command and its monitor are gone; the exit status is unknown",
      };
    case "cancelled":
    case "neverRan":
      // Also when it took too long to start meanwhile.
      if (task.killGraceMs !== undefined) return KILLED_DURING_LAUNCH;
      if (task.cancelling?.kind === "failed") return launchFailed(task.cancelling.reason);
      return dropped(Reason.REASON_EXECUTOR_TERMINATED, "The monitor ended before the command was started");
    default:
      return undefined;
  }
}

function exitOf(task: AgentTask, status: number, killed: boolean): Verdict {
  const text = `Command exited with status ${status}${status > 128 && status < 193 ? ` (signal ${status - 128})` : ""}`;
  const common = { byCommand: true, exitStatus: status } as const;
  // A kill that nobody ordered was ours, at the end of the completion time.
  if (killed && task.killGraceMs === undefined && hasCompletionTime(task)) {
    return {
      ...common,
      state: TaskState.TASK_FAILED,
      reason: Reason.REASON_MAX_COMPLETION_TIME_REACHED,
      message: `The maximum completion time was reached. ${text}`,
    };
  }
  if (killed) return { ...common, state: TaskState.TASK_KILLED, message: `Killed. ${text}` };
  if (status === 0) return { ...common, state: TaskState.TASK_FINISHED, message: text };
  return { ...common, state: TaskState.TASK_FAILED, reason: Reason.REASON_COMMAND_EXECUTOR_FAILED, message: text };
}

function hasCompletionTime(task: AgentTask): boolean {
  return task.accepted.task?.maxCompletionTime !== undefined;
}

function exitLabel(status: number): Label {
  return { key: EXIT_STATUS_LABEL, value: String(status) };
}

function protocolOf(ip: string): NetworkInfo_Protocol {
  return ip.includes(":") ? NetworkInfo_Protocol.IPv6 : NetworkInfo_Protocol.IPv4;
}

function randomBytes(random: Random, count: number): Uint8Array {
  const hex = random.hex(count);
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
