/**
 * Whether a task can be launched at all (Mesos 7.1), in Mesos' order. What this version cannot do is refused with
 * a clear text rather than left out of what runs. Resources against the offer are the launch's own matter.
 */
import { allocationRoleOf } from "../../model/mesos-resources.ts";
import { idError } from "../../model/ids.ts";
import type { Resources } from "../../model/resources.ts";
import { thousandthsOf } from "../../model/scalars.ts";
import {
  type CommandInfo,
  type ContainerInfo,
  ContainerInfo_Type as ContainerType,
  Environment_Variable_Type as VariableType,
  type TaskInfo,
} from "../../wire/gen/mesos/v1/mesos.ts";
import { isNegative } from "./durations.ts";
import { checkError, healthCheckError } from "./validate-check.ts";

/** What a task is launched on. */
export interface Site {
  readonly agentId: string;
  /** Role of the offers. */
  readonly role: string;
}

export function taskIdError(info: TaskInfo): string | undefined {
  const error = idError(info.taskId?.value ?? "");
  return error === undefined ? undefined : `Task ${error}`;
}

/** @param resources of the task, already read. */
export function taskError(info: TaskInfo, resources: Resources, site: Site): string | undefined {
  return (
    taskIdError(info) ??
    agentError(info, site) ??
    (isNegative(info.killPolicy?.gracePeriod) ? "Task's 'kill_policy.grace_period' must be non-negative" : undefined) ??
    (isNegative(info.maxCompletionTime) ? "Task's 'max_completion_time' must be non-negative" : undefined) ??
    (info.check === undefined ? undefined : checkError(info.check)) ??
    (info.healthCheck === undefined ? undefined : healthCheckError(info.healthCheck)) ??
    resourcesError(info, resources, site) ??
    (info.command === undefined ? undefined : commandError(info.command)) ??
    (info.container === undefined ? undefined : containerError(info.container)) ??
    limitsError(info, resources) ??
    executorError(info)
  );
}

function agentError(info: TaskInfo, site: Site): string | undefined {
  const named = info.agentId?.value ?? "";
  if (named === site.agentId) return undefined;
  return `Task uses invalid agent '${named}' while agent '${site.agentId}' is expected`;
}

function resourcesError(info: TaskInfo, resources: Resources, site: Site): string | undefined {
  if (resources.isEmpty) return "Task uses no resources";
  const allocated = allocationRoleOf(info.resources);
  if (!allocated.ok) return `Task uses invalid resources: ${allocated.error}`;
  if (allocated.value !== undefined && allocated.value !== site.role) {
    return `Task's resources are allocated to role '${allocated.value}', the offer to '${site.role}'`;
  }
  return undefined;
}

function commandError(command: CommandInfo): string | undefined {
  for (const variable of command.environment?.variables ?? []) {
    const what = `Environment variable '${variable.name}'`;
    if (variable.type === VariableType.SECRET || variable.secret !== undefined) {
      return `${what}: secrets are not supported by this version`;
    }
    if (variable.type !== undefined && variable.type !== VariableType.VALUE) return `${what} is of an unknown type`;
    if (variable.value === undefined) return `${what} must have a value set`;
  }
  if (command.value === undefined && (command.shell ?? true)) return "Task's command has no value";
  if (command.value === undefined && command.arguments.length === 0) return "Task's command names nothing to run";
  return undefined;
}

function containerError(container: ContainerInfo): string | undefined {
  if (container.type === ContainerType.DOCKER) return "Docker containers are not supported by this version";
  if (container.type !== ContainerType.MESOS) return "ContainerInfo is of an unknown type";
  if (container.mesos?.image !== undefined) return "Container images are not supported by this version";
  if (container.volumes.length > 0) return "Container volumes are not supported by this version";
  if (container.linuxInfo?.shareCgroups === false) {
    return "'share_cgroups' must not be false for a task that is not in a task group";
  }
  return undefined;
}

function limitsError(info: TaskInfo, resources: Resources): string | undefined {
  for (const [name, limit] of Object.entries(info.limits ?? {})) {
    if (name !== "cpus" && name !== "mem") return `Task's limits may be set for 'cpus' and 'mem' only, not '${name}'`;
    const requested = resources.scalar(name);
    if (requested === 0) return `Task has a limit for '${name}' but does not request it`;
    if (limit.value === Infinity) continue;
    const amount = thousandthsOf(limit.value ?? Number.NaN);
    if (!amount.ok) return `Task's limit for '${name}': ${amount.error}`;
    if (amount.value < requested) return `Task's limit for '${name}' is below its request`;
  }
  return undefined;
}

function executorError(info: TaskInfo): string | undefined {
  if ((info.command === undefined) === (info.executor === undefined)) {
    return "Task should have exactly one of command or executor set";
  }
  return info.executor === undefined ? undefined : "Custom executors are not supported by this version";
}
