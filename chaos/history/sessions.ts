/** How a framework's session is written down: what it was told, and what is known of a call that failed. */
import { FrameworkFailedOverError, FrameworkRemovedError, MesarchError, taskStateName, type Offer, type TaskStateName, type TaskStatus } from "../../src/sdk/index.ts";
import { TaskStatus_Reason, TaskStatus_Source } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { amountsOf } from "./rows.ts";

/** Refused for good, or never sent. Whatever else goes wrong may have been done. */
const NOT_DONE: ReadonlySet<string> = new Set(["invalid", "refused", "exhausted"]);

const reasonNames = new Map(Object.entries(TaskStatus_Reason).map(([name, value]) => [value as number, name]));
const sourceNames = new Map<number, "agent" | "executor" | "master">([
  [TaskStatus_Source.SOURCE_MASTER, "master"],
  [TaskStatus_Source.SOURCE_EXECUTOR, "executor"],
]);

export function offerOf(framework: string, { id, agentId, resources, allocationInfo }: Offer) {
  return { framework, offer: id?.value ?? "", agent: agentId?.value ?? "", role: allocationInfo?.role ?? "*", resources: amountsOf(resources) };
}

export function updateOf(framework: string, { taskId, agentId, state, uuid, source, reason }: TaskStatus) {
  return {
    framework,
    task: taskId?.value ?? "",
    agent: agentId?.value ?? "",
    state: taskStateName(state) as TaskStateName,
    uuid: hex(uuid),
    source: sourceNames.get(source ?? -1) ?? "agent",
    reason: reasonNames.get(reason ?? -1) ?? "",
  };
}

/** Whether a call that was rejected so was surely not done. The end of the session says nothing of calls under way. */
export function isNotDone(error: unknown): boolean {
  if (error instanceof FrameworkFailedOverError || error instanceof FrameworkRemovedError) return false;
  return error instanceof MesarchError && NOT_DONE.has(error.code);
}

export function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}
