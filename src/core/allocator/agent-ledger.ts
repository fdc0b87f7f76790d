/**
 * One agent's books: total = free + offered + used (I16), where every charge is held by a framework in a role. An agent
 * that comes back smaller than what runs on it is over-committed: nothing of it is free until enough has ended (I14).
 */
import { assert } from "../../base/assert.ts";
import { Resources } from "../../model/resources.ts";
import type { Client } from "./share-tree.ts";

/** What one client holds here. */
export class HoldingOf {
  used: Resources = Resources.none;
  offered: Resources = Resources.none;
  /** Used a second time: ports or set items already in `used`. Only after an agent brought clashing tasks. */
  clashing: readonly Resources[] = [];

  get isEmpty(): boolean {
    return this.used.isEmpty && this.offered.isEmpty && this.clashing.length === 0;
  }
}

export class AgentLedger {
  readonly id: string;
  total: Resources;
  active: boolean;
  free: Resources;
  overCommitted = false;
  hasGpus: boolean;
  readonly holdings = new Map<Client, HoldingOf>();

  constructor(id: string, total: Resources, active: boolean) {
    this.id = id;
    this.total = total;
    this.free = total;
    this.active = active;
    this.hasGpus = total.scalar("gpus") > 0;
  }

  setTotal(total: Resources): void {
    this.total = total;
    this.hasGpus = total.scalar("gpus") > 0;
    this.#recount();
  }

  offer(client: Client, resources: Resources): void {
    const free = this.free.subtract(resources);
    assert(free !== undefined, () => `agent ${this.id}: offered more than is free`);
    this.free = free;
    const holding = this.#holdingOf(client);
    holding.offered = holding.offered.add(resources);
  }

  /** Takes back what was offered. */
  unoffer(client: Client, resources: Resources): void {
    const holding = this.holdings.get(client);
    const offered = holding?.offered.subtract(resources);
    assert(holding && offered, () => `agent ${this.id}: took back more than was offered to ${client.name}`);
    holding.offered = offered;
    this.#gainFree(client, holding, resources);
  }

  /** Offered becomes used. */
  convert(client: Client, resources: Resources): void {
    const holding = this.holdings.get(client);
    const offered = holding?.offered.subtract(resources);
    assert(holding && offered, () => `agent ${this.id}: used more than was offered to ${client.name}`);
    holding.offered = offered;
    this.#hold(holding, resources);
  }

  /** Used without an offer: found at start, or reported by the agent. May over-commit. */
  charge(client: Client, resources: Resources): void {
    this.#hold(this.#holdingOf(client), resources);
    const free = this.overCommitted ? undefined : this.free.subtract(resources);
    if (free === undefined) this.#recount();
    else this.free = free;
  }

  release(client: Client, resources: Resources): void {
    const holding = this.holdings.get(client);
    assert(holding !== undefined, () => `agent ${this.id}: released more than ${client.name} uses`);
    const clash = holding.clashing.findIndex((other) => other.equals(resources));
    if (clash !== -1) {
      holding.clashing = holding.clashing.toSpliced(clash, 1);
    } else {
      const used = holding.used.subtract(resources);
      assert(used !== undefined, () => `agent ${this.id}: released more than ${client.name} uses`);
      holding.used = used;
    }
    this.#gainFree(client, holding, resources);
  }

  /** What remains of the total when each holding is taken out in turn; undefined when they do not all fit. */
  remainder(): Resources | undefined {
    let rest: Resources | undefined = this.total;
    for (const { used, offered, clashing } of this.holdings.values()) {
      if (clashing.length > 0) return undefined;
      rest = rest?.subtract(used)?.subtract(offered);
    }
    return rest;
  }

  #hold(holding: HoldingOf, resources: Resources): void {
    if (holding.used.meets(resources)) holding.clashing = [...holding.clashing, resources];
    else holding.used = holding.used.add(resources);
  }

  #gainFree(client: Client, holding: HoldingOf, resources: Resources): void {
    if (holding.isEmpty) {
      this.holdings.delete(client);
      client.agents.delete(this);
    }
    if (this.overCommitted) this.#recount();
    else this.free = this.free.add(resources);
  }

  #recount(): void {
    const rest = this.remainder();
    this.overCommitted = rest === undefined;
    this.free = rest ?? Resources.none;
  }

  #holdingOf(client: Client): HoldingOf {
    let holding = this.holdings.get(client);
    if (holding === undefined) {
      this.holdings.set(client, (holding = new HoldingOf()));
      client.agents.add(this);
    }
    return holding;
  }
}
