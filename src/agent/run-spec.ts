import type { RunCommand, RunLimits, RunSpec } from "../ports/containers.ts";
import type { TaskAccepted } from "../wire/gen/mesarch/v1/checkpoint.ts";
import type { CommandInfo, TaskInfo } from "../wire/gen/mesos/v1/mesos.ts";

const MEBIBYTE = 1024 * 1024;

/**
 * How an accepted command task is run. Its environment is the command's own, plus where it is (`MESOS_SANDBOX`), who it
 * is (`MESOS_TASK_ID`, `MESOS_FRAMEWORK_ID`, `MESOS_AGENT_ID`) and, for its own traces, `TRACEPARENT`.
 */
export function runSpecOf(accepted: TaskAccepted, sandbox: string, agentId: string, traceparent: string | undefined): RunSpec {
  const task = accepted.task!;
  const command = task.command!;
  const user = command.user ?? accepted.framework?.user;
  const limits = limitsOf(task);
  return {
    launchId: accepted.launchId,
    command: commandOf(command),
    environment: {
      MESOS_SANDBOX: sandbox,
      MESOS_DIRECTORY: sandbox,
      MESOS_TASK_ID: task.taskId?.value ?? "",
      MESOS_FRAMEWORK_ID: accepted.framework?.id?.value ?? "",
      MESOS_AGENT_ID: agentId,
      ...(traceparent === undefined || traceparent === "" ? {} : { TRACEPARENT: traceparent }),
      ...Object.fromEntries(command.environment?.variables.map(({ name, value }) => [name, value ?? ""]) ?? []),
    },
    sandbox,
    ...(user !== undefined && user !== "" && { user }),
    ...(limits !== undefined && { limits }),
  };
}

function commandOf(command: CommandInfo): RunCommand {
  const value = command.value ?? "";
  return command.shell === false ? { shell: false, value, arguments: command.arguments } : { shell: true, value };
}

/** Processor time is shared by request; memory is bounded by the limit where there is one, else by the request. */
function limitsOf({ resources, limits }: TaskInfo): RunLimits | undefined {
  const requested = (name: string): number | undefined => {
    const amounts = resources.filter((resource) => resource.name === name).map((resource) => resource.scalar?.value ?? 0);
    return amounts.length === 0 ? undefined : amounts.reduce((sum, amount) => sum + amount);
  };
  const cpus = requested("cpus");
  const mem = limits["mem"]?.value ?? requested("mem");
  const bounded = mem !== undefined && Number.isFinite(mem);
  if (cpus === undefined && !bounded) return undefined;
  return { ...(cpus !== undefined && { cpus }), ...(bounded && { memoryBytes: Math.round(mem * MEBIBYTE) }) };
}
