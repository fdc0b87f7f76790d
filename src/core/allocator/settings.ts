/** What the allocator is asked and answers. Times are milliseconds of one monotonic clock, chosen by the caller. */
import type { Resources } from "../../model/resources.ts";

export interface AllocatorSettings {
  /** An offer has at least this much cpu, or `minimumMem`; thousandths. Mesos: `--min_allocatable_resources`. */
  readonly minimumCpus: number;
  /** Thousandths of a megabyte. */
  readonly minimumMem: number;
  /** Agents with GPUs are offered only to frameworks that can use them. Mesos: `--filter_gpu_resources`. */
  readonly filterGpuResources: boolean;
}

export const DEFAULT_SETTINGS: AllocatorSettings = Object.freeze({
  minimumCpus: 10,
  minimumMem: 32_000,
  filterGpuResources: true,
});

export interface AllocatorFramework {
  readonly roles: readonly string[];
  /** Roles among `roles` that want no offers for now. */
  readonly suppressedRoles: readonly string[];
  readonly capabilities: { readonly gpu: boolean };
}

export interface AllocatorAgent {
  readonly total: Resources;
  /** Connected, confirmed, neither draining nor deactivated: may be offered, and counts for fair shares. */
  readonly active: boolean;
}

/** Resources of one agent set aside for one framework in one of its roles. */
export interface Allocation {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  readonly resources: Resources;
}

/** What a framework holds in one role on one agent. */
export interface Holding {
  readonly frameworkId: string;
  readonly role: string;
  readonly used: Resources;
  readonly offered: Resources;
}

/** What a framework holds in one role over all agents, in thousandths per scalar name. */
export interface Tally {
  readonly frameworkId: string;
  readonly role: string;
  readonly used: ReadonlyMap<string, number>;
  readonly offered: ReadonlyMap<string, number>;
  /** Dominant share divided by weight; what its turn is decided by. */
  readonly share: number;
}

export interface RoleShare {
  readonly role: string;
  readonly weight: number;
  /** Dominant share of the role and all below it, divided by its weight. */
  readonly share: number;
}

/** Why an agent is not being offered to a framework in a role, or that nothing is in the way. */
export type Explanation =
  | { readonly reason: "unknownAgent" | "agentInactive" | "overCommitted" | "notSubscribed" | "suppressed" | "gpus" }
  /** Everything usable in the role is held; `free` is what remains, below the minimum. */
  | { readonly reason: "belowMinimum"; readonly free: Resources }
  /** The framework declined as much or more, until then. */
  | { readonly reason: "filtered"; readonly until: number }
  /** Nothing is in the way: the next `allocate` decides by fair share. */
  | { readonly reason: "eligible" };

/** A broken promise of the allocator's books: a bug. */
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}
