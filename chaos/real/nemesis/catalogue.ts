/** All faults there are. */
import type { Ability } from "../host/abilities.ts";
import type { FaultKind } from "./fault.ts";
import { diskFaults } from "./faults/disks.ts";
import { limitFaults } from "./faults/limits.ts";
import { linkFaults } from "./faults/links.ts";
import { processFaults } from "./faults/processes.ts";
import { storeFaults } from "./faults/store.ts";

export function allFaults(agentPingTimeoutMs: number): readonly FaultKind[] {
  return [...processFaults, ...linkFaults(agentPingTimeoutMs), ...diskFaults, ...storeFaults, ...limitFaults];
}

/** Why this fault cannot be done with these abilities; undefined if it can. */
export function obstacle({ needs }: FaultKind, abilities: readonly Ability[]): string | undefined {
  for (const name of needs) {
    const ability = abilities.find((each) => each.name === name);
    if (ability === undefined) return `${name} was not tried`;
    if (ability.problem !== undefined) return `${ability.what}: ${ability.problem}`;
  }
  return undefined;
}
