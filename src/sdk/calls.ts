/** Scheduler calls as messages. Ids are plain strings here. */
import { Call_Type, type Call } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";
import { duration } from "./tasks.ts";
import { Offer_Operation_Type, type Filters, type FrameworkInfo, type Offer_Operation, type TaskInfo } from "../wire/gen/mesos/v1/mesos.ts";

export interface FilterOptions {
  /** Seconds during which the resources left over are not offered again. Default 5; 0 means: no filter. */
  readonly refuseSeconds?: number | undefined;
}

/** A call, what it is called in messages, and whether it may be sent twice. */
export interface SchedulerCall {
  readonly kind: keyof typeof Call_Type;
  readonly body: Omit<Call, "type" | "frameworkId">;
  readonly repeatable: boolean;
  /**
   * Its effect is the same before and after other calls, so it never waits for them. Default: false, but for a kill of a
   * task whose launch is not under way.
   */
  readonly independent?: true;
}

const ids = (values: readonly string[]): { value: string }[] => values.map((value) => ({ value }));

function filters(options: FilterOptions): Filters | undefined {
  return options.refuseSeconds === undefined ? undefined : { refuseSeconds: options.refuseSeconds };
}

export function subscribeCall(framework: FrameworkInfo, suppressedRoles: string[]): SchedulerCall {
  return { kind: "SUBSCRIBE", body: { subscribe: { frameworkInfo: framework, suppressedRoles } }, repeatable: true };
}

/** A LAUNCH of these tasks. */
export function launchOperation(tasks: readonly TaskInfo[]): Offer_Operation {
  return { type: Offer_Operation_Type.LAUNCH, launch: { taskInfos: [...tasks] } };
}

// A repeated ACCEPT is harmless (10.3): a task id it already launched answers with its state.
export function acceptCall(
  offerIds: readonly string[],
  operations: readonly Offer_Operation[],
  options: FilterOptions,
): SchedulerCall {
  const accept = { offerIds: ids(offerIds), operations: [...operations], filters: filters(options) };
  return { kind: "ACCEPT", body: { accept }, repeatable: true };
}

export function declineCall(offerIds: readonly string[], options: FilterOptions): SchedulerCall {
  return { kind: "DECLINE", body: { decline: { offerIds: ids(offerIds), filters: filters(options) } }, repeatable: true };
}

export function killCall(taskId: string, agentId: string | undefined, graceMs: number | undefined): SchedulerCall {
  const kill = {
    taskId: { value: taskId },
    agentId: agentId === undefined ? undefined : { value: agentId },
    killPolicy: graceMs === undefined ? undefined : { gracePeriod: duration(graceMs) },
  };
  return { kind: "KILL", body: { kill }, repeatable: true };
}

export function acknowledgeCall(agentId: string, taskId: string, uuid: Uint8Array): SchedulerCall {
  const acknowledge = { agentId: { value: agentId }, taskId: { value: taskId }, uuid };
  return { kind: "ACKNOWLEDGE", body: { acknowledge }, repeatable: true, independent: true };
}

/** `agentId` narrows the question to one agent. */
export interface TaskReference {
  readonly taskId: string;
  readonly agentId?: string | undefined;
}

export function reconcileCall(tasks: readonly TaskReference[]): SchedulerCall {
  const list = tasks.map(({ taskId, agentId }) => ({
    taskId: { value: taskId },
    agentId: agentId === undefined ? undefined : { value: agentId },
  }));
  return { kind: "RECONCILE", body: { reconcile: { tasks: list } }, repeatable: true };
}

export function reviveCall(roles: readonly string[]): SchedulerCall {
  return { kind: "REVIVE", body: { revive: { roles: [...roles] } }, repeatable: true };
}

export function suppressCall(roles: readonly string[]): SchedulerCall {
  return { kind: "SUPPRESS", body: { suppress: { roles: [...roles] } }, repeatable: true };
}

export function shutdownCall(agentId: string, executorId: string): SchedulerCall {
  const shutdown = { agentId: { value: agentId }, executorId: { value: executorId } };
  return { kind: "SHUTDOWN", body: { shutdown }, repeatable: true };
}

export function messageCall(agentId: string, executorId: string, data: Uint8Array): SchedulerCall {
  const message = { agentId: { value: agentId }, executorId: { value: executorId }, data };
  return { kind: "MESSAGE", body: { message }, repeatable: false, independent: true };
}

export function teardownCall(): SchedulerCall {
  return { kind: "TEARDOWN", body: {}, repeatable: true };
}
