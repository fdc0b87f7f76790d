import { Allocator } from "../../../src/core/allocator/allocator.ts";
import type { Allocation, AllocatorFramework } from "../../../src/core/allocator/settings.ts";
import { Resources } from "../../../src/model/resources.ts";

export function resources(text: string): Resources {
  const parsed = Resources.parse(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** A framework in the given roles (default `*`), without GPUs and with nothing suppressed. */
export function framework(roles: string[] = ["*"], more: Partial<AllocatorFramework> = {}): AllocatorFramework {
  return { roles, suppressedRoles: [], capabilities: { gpu: false }, ...more };
}

/** An allocator with agents `a1`, `a2`, … of these totals. */
export function cluster(...totals: string[]): Allocator {
  const allocator = new Allocator();
  totals.forEach((total, i) => allocator.addAgent(`a${i + 1}`, { total: resources(total), active: true }));
  return allocator;
}

/** Offers as one line each, so that a failing test shows them. */
export function shown(offers: readonly Allocation[]): string[] {
  return offers.map(({ frameworkId, role, agentId, resources }) => `${frameworkId}/${role} ${agentId} ${resources}`);
}

/** Declines offers; by default with a filter of 5 s. */
export function decline(allocator: Allocator, offers: readonly Allocation[], now: number, seconds?: number): void {
  for (const { frameworkId, role, agentId, resources } of offers) {
    allocator.returnOffer(frameworkId, role, agentId, resources, seconds, now);
  }
}

/**
 * Lets every framework launch tasks of one size, one task for each offer, until nobody can launch more; returns how
 * many each launched. Time stands still, so what is declined for want of room stays declined.
 */
export function launchAll(allocator: Allocator, sizes: Readonly<Record<string, string>>): Record<string, number> {
  const tasks: Record<string, number> = Object.fromEntries(Object.keys(sizes).map((id) => [id, 0]));
  for (let offers = allocator.allocate(0); offers.length > 0; offers = allocator.allocate(0)) {
    for (const { frameworkId, role, agentId, resources: offered } of offers) {
      const task = resources(sizes[frameworkId]!);
      const rest = offered.subtract(task);
      if (rest === undefined) {
        allocator.returnOffer(frameworkId, role, agentId, offered, 3600, 0);
      } else {
        tasks[frameworkId]!++;
        allocator.convertOffer(frameworkId, role, agentId, task);
        allocator.returnOffer(frameworkId, role, agentId, rest, 0, 0);
      }
    }
  }
  return tasks;
}
