/**
 * What a launch order must be to be taken (6.1): something this agent can run, and within what it has. A refusal is
 * a verdict, journaled like any other end, so that it can be repeated.
 */
import type { Checked } from "../../model/checked.ts";
import { Resources } from "../../model/resources.ts";
import type { Launch } from "../../wire/gen/mesarch/v1/agents.ts";
import type { TaskInfo } from "../../wire/gen/mesos/v1/mesos.ts";
import { ContainerInfo_Type, TaskStatus_Reason as Reason } from "../../wire/gen/mesos/v1/mesos.ts";
import type { AgentState } from "./state.ts";
import { type Verdict, dropped, invalid } from "./statuses.ts";

/** Why this launch is refused; undefined if it is taken. */
export function refusalOf(state: AgentState, { task }: Launch): Verdict | undefined {
  if (task === undefined) return invalid("The launch order names no task");
  const missing = unsupported(task);
  if (missing !== undefined) return invalid(missing);
  const wanted = resourcesOf(task);
  if (!wanted.ok) return invalid(`Its resources are invalid: ${wanted.error}`);
  if (state.leaving !== undefined) return dropped(Reason.REASON_AGENT_REMOVED_BY_OPERATOR, "The agent is leaving");
  if (state.storage !== "good") {
    return dropped(Reason.REASON_CONTAINER_LAUNCH_FAILED, "The agent's work disk is full; it takes no new tasks");
  }
  const free = state.settings.resources.subtract(state.used);
  if (free === undefined || !free.contains(wanted.value)) {
    return dropped(Reason.REASON_RESOURCES_UNKNOWN, "The agent does not have these resources free");
  }
  return undefined;
}

/** What this version cannot do, so that no task runs otherwise than its framework believes. */
function unsupported(task: TaskInfo): string | undefined {
  const { command, container } = task;
  if (task.executor !== undefined) return "This agent runs command tasks only, and this one names an executor";
  if (command === undefined) return "The task has no command";
  if (command.value === undefined) return "The command has no value";
  if (command.uris.length > 0) return "This agent does not fetch URIs";
  if (command.environment?.variables.some((variable) => variable.secret !== undefined) === true) {
    return "This agent does not resolve secrets";
  }
  if (task.check !== undefined || task.healthCheck !== undefined) return "This agent does not run checks";
  if (container === undefined) return undefined;
  if (container.type !== ContainerInfo_Type.MESOS || container.mesos?.image !== undefined) {
    return "This agent does not run container images";
  }
  if (container.volumes.length > 0 || container.networkInfos.length > 0) {
    return "This agent does not mount volumes or join networks";
  }
  return undefined;
}

export function resourcesOf(task: TaskInfo | undefined): Checked<Resources> {
  return Resources.fromMesos(task?.resources ?? []);
}
