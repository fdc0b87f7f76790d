/** What an agent says of itself: greeting and report (8.5, 9.2, 9.3). */
import { type Epoch, compareEpochs } from "../../base/epoch.ts";
import { limits } from "../../model/limits.ts";
import type { AgentMessage, Greeting, HeldTask, Report } from "../../wire/gen/mesarch/v1/agents.ts";
import type { EpochId } from "../../wire/gen/mesarch/v1/registry.ts";
import { type AgentState, type AgentTask, type Leader, latestUpdate } from "./state.ts";
import { stateOf } from "./status-stream.ts";

/** Version of the session's messages that this agent speaks (13.1). */
export const SESSION_PROTOCOL = 1;

export function greetingOf(state: AgentState): Greeting {
  return {
    protocol: SESSION_PROTOCOL,
    agentId: state.identity.agentId,
    incarnation: state.settings.incarnation,
    clusterId: state.identity.clusterId,
    storedEpoch: epochId(state.epoch),
    address: state.settings.address,
  };
}

/** The state at this step: the parts of a list that one message does not hold, then the report with the rest of it. */
export function reportOf(state: AgentState, leader: Leader): NonNullable<AgentMessage["body"]>[] {
  const listed = leader.wantsList || !state.confirmedOnce;
  const held = listed ? [...state.tasks.values()].map((task) => heldTask(task, leader.wantsInfos)) : [];
  const size = leader.wantsInfos ? limits.heldInfosPerPart : limits.heldPerPart;
  const parts: NonNullable<AgentMessage["body"]>[] = [];
  let at = 0;
  for (; held.length - at > size; at += size) parts.push({ $case: "heldPart", value: { held: held.slice(at, at + size) } });
  return [...parts, { $case: "report", value: reportWith(state, leader, listed, held.slice(at)) }];
}

function reportWith(state: AgentState, leader: Leader, listed: boolean, held: HeldTask[]): Report {
  const { identity, settings, digest } = state;
  const agentId = identity.agentId;
  return {
    agentId,
    clusterId: identity.clusterId,
    incarnation: settings.incarnation,
    info: agentId === "" ? settings.info : { ...settings.info, id: { value: agentId } },
    address: settings.address,
    registrationNonce: identity.registrationNonce,
    storedEpoch: epochId(leader.storedBefore),
    tasks: { count: digest.count, sum: digest.sumText },
    listed,
    held,
  };
}

export function epochId(epoch: Epoch): EpochId {
  return { generation: epoch.generation, revision: epoch.revision };
}

export function isOlder(a: Epoch, b: Epoch): boolean {
  return compareEpochs(a, b) < 0;
}

function heldTask(task: AgentTask, withInfos: boolean): HeldTask {
  const { accepted } = task;
  const latest = latestUpdate(task);
  return {
    launchId: accepted.launchId,
    frameworkId: accepted.framework?.id?.value ?? "",
    taskId: accepted.task?.taskId?.value ?? "",
    state: stateOf(latest),
    seq: latest?.seq ?? 0,
    unstarted: task.phase === "unstarted",
    info: withInfos ? accepted.task : undefined,
    framework: withInfos ? accepted.framework : undefined,
    traceparent: accepted.traceparent,
    role: accepted.role,
  };
}
