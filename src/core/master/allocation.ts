/**
 * Keeps the allocator in step with the cluster. It knows exactly the confirmed agents (5.4), each with what the
 * registry says is used on it, and the frameworks with a stream; so promotion charges nothing, and whatever happened
 * while an agent was away is right again when it confirms.
 */
import { assert } from "../../base/assert.ts";
import { UNRESERVED } from "../../model/resource-entries.ts";
import { Resources } from "../../model/resources.ts";
import type { AgentRecord, FrameworkRecord, TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import { request } from "./allocation-request.ts";
import { capabilitiesOf, rolesOf } from "./framework-info.ts";
import * as offers from "./offers.ts";
import { type MasterState, confirmedStream } from "./state.ts";
import type { Tx } from "./tx.ts";

export { request };

/** Holder, for the allocator, of what runs on an agent without a row (9.3). No framework id is empty. */
const STRANGER = "";

/** At promotion: weights only; agents and frameworks come as they confirm and subscribe. */
export function begin(state: MasterState): void {
  for (const [role, weight] of state.tables.weights) state.allocator.setWeight(role, weight);
}

/** The deadline `allocate`. No offers while mute or read-only (3.5, 3.6): whoever ends that requests again. */
export function due(state: MasterState, tx: Tx): void {
  if (state.mute || state.readOnly !== "") return;
  offers.make(state, tx, state.allocator.allocate(tx.now));
  const next = state.allocator.nextDeadline();
  if (next !== undefined) state.deadlines.setEarlier("allocate", next);
}

/** A framework has a stream, or changed its roles or capabilities. */
export function frameworkHere(state: MasterState, frameworkId: string, record: FrameworkRecord, now: number): void {
  state.allocator.updateFramework(frameworkId, {
    roles: rolesOf(record.info),
    suppressedRoles: record.suppressedRoles,
    capabilities: { gpu: capabilitiesOf(record.info).has("GPU_RESOURCES") },
  });
  request(state, now);
}

/** A framework's stream ended: it gets nothing more, and keeps what its tasks use. */
export function frameworkAway(state: MasterState, frameworkId: string, now: number): void {
  state.allocator.removeFramework(frameworkId);
  request(state, now);
}

/** An agent confirmed: what the registry now says of it replaces whatever was known. */
export function agentConfirmed(state: MasterState, tx: Tx, agentId: string): void {
  offers.rescindAgent(state, tx, agentId);
  charge(state, agentId);
  request(state, tx.now);
}

/** Counts everything anew, without offers: steps were undone (3.5), so what was charged may never have happened. */
export function recount(state: MasterState, tx: Tx): void {
  offers.rescindAll(state, tx);
  for (const agentId of state.membership.confirmed) charge(state, agentId);
  request(state, tx.now);
}

/** An agent's stream broke, or it is away for good: nothing of it can be offered. Rescind its offers first. */
export function agentAway(state: MasterState, agentId: string): void {
  state.allocator.removeAgent(agentId);
}

/** An agent is to get offers, or none. */
export function agentActive(state: MasterState, agentId: string, active: boolean, now: number): void {
  if (confirmedStream(state, agentId) === undefined) return;
  state.allocator.setAgentActive(agentId, active);
  request(state, now);
}

/** The agent's word freed a task's resources (4.3). Call once for each task, when its row ends or goes. */
export function taskFreed(state: MasterState, tx: Tx, task: TaskRecord): void {
  state.allocator.release(task.frameworkId, task.role, task.agentId, state.tables.resourcesOf(task));
  request(state, tx.now);
}

/** All an agent has. Validated at registration. */
export function totalOf(agent: AgentRecord): Resources {
  const total = Resources.fromMesos(agent.info?.resources ?? []);
  assert(total.ok, "an agent was stored with resources that do not parse");
  return total.value;
}

function charge(state: MasterState, agentId: string): void {
  const { allocator, tables, membership } = state;
  const record = tables.agents.get(agentId);
  assert(record !== undefined, () => `agent ${agentId} confirmed without a row`);
  allocator.removeAgent(agentId);
  allocator.addAgent(agentId, { total: totalOf(record), active: !record.deactivated });
  for (const { frameworkId, role, used, clashing } of tables.agentBooks(agentId).holdings) {
    for (const resources of [used, ...clashing]) allocator.charge(frameworkId, role, agentId, resources);
  }
  for (const resources of membership.strangers.get(agentId)?.values() ?? []) {
    allocator.charge(STRANGER, UNRESERVED, agentId, resources);
  }
}
