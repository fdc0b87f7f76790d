/**
 * Decides which framework is offered which agent: Dominant Resource Fairness with weights over the tree of roles (DRF:
 * Ghodsi et al. 2011; hierarchy and coarse offers as in Mesos). An offer is all that remains of one agent and is usable
 * in the role. Driven by events: a pass looks only at agents that changed, or at all of them for frameworks that newly
 * want offers. The same calls in the same order give the same offers. Keeps no history and knows no clock.
 * A call that contradicts the books (an agent added twice, more released than held) is a bug of the caller and throws.
 */
import { assert } from "../../base/assert.ts";
import { Resources } from "../../model/resources.ts";
import { AgentLedger } from "./agent-ledger.ts";
import { Clients } from "./clients.ts";
import { explain } from "./explain.ts";
import { Filters, refusalMs, refusedUntil } from "./filters.ts";
import { violations } from "./invariants.ts";
import { ResourceNames } from "./quantities.ts";
import type { Allocation, AllocatorAgent, AllocatorFramework, AllocatorSettings } from "./settings.ts";
import type { Explanation, Holding, RoleShare, Tally, Violation } from "./settings.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { Client, type ShareNode, ShareTree } from "./share-tree.ts";

export class Allocator {
  readonly #settings: AllocatorSettings;
  readonly #names = new ResourceNames();
  readonly #tree = new ShareTree(this.#names);
  readonly #filters = new Filters();
  readonly #agents = new Map<string, AgentLedger>();
  readonly #clients = new Clients(this.#tree, this.#filters);
  readonly #dirtyAgents = new Set<AgentLedger>();
  /** Passes made; turns the order in which agents are visited. */
  #passes = 0;

  constructor(settings: Partial<AllocatorSettings> = {}) {
    this.#settings = { ...DEFAULT_SETTINGS, ...settings };
  }

  // Frameworks

  /** A framework subscribes. What it already holds counts from the start. */
  addFramework(frameworkId: string, framework: AllocatorFramework): void {
    this.updateFramework(frameworkId, framework);
  }

  /** Replaces roles, suppressed roles and capabilities. Offers in removed roles are the caller's to return. */
  updateFramework(frameworkId: string, framework: AllocatorFramework): void {
    for (const client of this.#clients.of(frameworkId)) {
      if (!framework.roles.includes(client.role)) this.#clients.unsubscribe(client);
    }
    for (const role of framework.roles) {
      const client = this.#clients.ensure(frameworkId, role);
      const wider = framework.capabilities.gpu && !client.gpu;
      client.gpu = framework.capabilities.gpu;
      this.#clients.subscribe(client, framework.suppressedRoles.includes(role));
      if (wider && client.wantsOffers) this.#clients.refresh(client);
    }
  }

  /** A framework leaves or is disconnected: no more offers. What its tasks use stays charged until released. */
  removeFramework(frameworkId: string): void {
    for (const client of this.#clients.of(frameworkId)) this.#clients.unsubscribe(client);
  }

  /** No offers in these roles until revived; roles it is not subscribed in are ignored. */
  suppress(frameworkId: string, roles: Iterable<string>): void {
    for (const role of roles) {
      const client = this.#clients.find(frameworkId, role);
      if (client?.subscribed) this.#clients.subscribe(client, true);
    }
  }

  /** Offers again in these roles, and all its refusals there are forgotten. */
  revive(frameworkId: string, roles: Iterable<string>): void {
    for (const role of roles) {
      const client = this.#clients.find(frameworkId, role);
      if (!client?.subscribed) continue;
      this.#filters.clear(client);
      this.#clients.subscribe(client, false);
      this.#clients.refresh(client);
    }
  }

  /** @param weight above 0; 1 is the default. Counts against the siblings of the role. */
  setWeight(role: string, weight: number): void {
    assert(weight > 0 && Number.isFinite(weight), () => `weight ${weight} of role ${role} is not above 0`);
    this.#tree.setWeight(role, weight);
  }

  // Agents

  addAgent(agentId: string, { total, active }: AllocatorAgent): void {
    assert(!this.#agents.has(agentId), () => `agent ${agentId} was added before`);
    const agent = new AgentLedger(agentId, total, active);
    this.#agents.set(agentId, agent);
    if (active) this.#tree.countTotal(total, 1);
    this.#dirtyAgents.add(agent);
  }

  /** Changes the total, for instance when the agent came back with other resources. Its charges stay. */
  updateAgent(agentId: string, { total, active }: AllocatorAgent): void {
    const agent = this.#agent(agentId);
    if (agent.active) this.#tree.countTotal(agent.total, -1);
    agent.setTotal(total);
    agent.active = active;
    if (active) this.#tree.countTotal(total, 1);
    this.#dirtyAgents.add(agent);
  }

  setAgentActive(agentId: string, active: boolean): void {
    const agent = this.#agent(agentId);
    if (agent.active !== active) this.updateAgent(agentId, { total: agent.total, active });
  }

  /** Forgets an agent with all that is held on it; unknown ones are ignored. */
  removeAgent(agentId: string): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    if (agent.active) this.#tree.countTotal(agent.total, -1);
    for (const [client, { used, offered, clashing }] of agent.holdings) {
      for (const held of [used, offered, ...clashing]) this.#tree.countHeld(client, held, -1);
      this.#names.accrue(client.offered, offered, -1);
      client.agents.delete(agent);
      this.#clients.dropIfIdle(client);
    }
    this.#filters.forgetAgent(agent, this.#clients.all());
    this.#agents.delete(agentId);
    this.#dirtyAgents.delete(agent);
  }

  // Charges

  /** Counts what a task or executor uses, whether it fits or not and whether its framework is here or not. */
  charge(frameworkId: string, role: string, agentId: string, resources: Resources): void {
    if (resources.isEmpty) return;
    const client = this.#clients.ensure(frameworkId, role);
    this.#agent(agentId).charge(client, resources);
    this.#tree.countHeld(client, resources, 1);
  }

  /** Frees what was used. On an agent that was removed there is nothing left to free. */
  release(frameworkId: string, role: string, agentId: string, resources: Resources): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined || resources.isEmpty) return;
    const client = this.#clients.ensure(frameworkId, role);
    agent.release(client, resources);
    this.#uncount(agent, client, resources);
  }

  // Offers

  /** Whether `allocate` has anything to look at, apart from refusals that end (`nextDeadline`). */
  get pending(): boolean {
    return this.#dirtyAgents.size > 0 || this.#clients.anyFresh;
  }

  /** When `allocate` should be called even if nothing happens: the next refusal ends. */
  nextDeadline(): number | undefined {
    return this.#filters.nextDeadline();
  }

  /** Sets aside what can be offered and says to whom. Ends as soon as nothing changed since the last time. */
  allocate(now: number): Allocation[] {
    for (const agent of this.#filters.expire(now)) this.#dirtyAgents.add(agent);
    if (!this.pending) return [];
    const everyone = this.#clients.anyFresh;
    const agents = [...(everyone ? this.#agents.values() : this.#dirtyAgents)];
    const start = this.#passes++ % Math.max(1, agents.length);
    const out: Allocation[] = [];
    for (let i = 0; i < agents.length; i++) {
      const agent = agents[(start + i) % agents.length]!;
      if (agent.active && this.#isOfferable(agent.free)) {
        this.#serve(this.#tree.root, agent, !this.#dirtyAgents.has(agent), out);
      }
    }
    this.#dirtyAgents.clear();
    this.#clients.settle();
    return out;
  }

  /**
   * Takes back an offer or what is left of one: declined, rescinded, partly accepted.
   *
   * @param filterSeconds how long the framework is not offered this much of the agent or less, in this role: absent,
   *   negative or NaN is 5, 0 is not at all, at most 365 days (Mesos: Filters.refuse_seconds).
   */
  returnOffer(
    frameworkId: string,
    role: string,
    agentId: string,
    resources: Resources,
    filterSeconds: number | undefined,
    now: number,
  ): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined || resources.isEmpty) return;
    const client = this.#clients.ensure(frameworkId, role);
    agent.unoffer(client, resources);
    this.#names.accrue(client.offered, resources, -1);
    const duration = refusalMs(filterSeconds);
    if (duration > 0 && client.subscribed) this.#filters.add(client, agent, resources, now + duration);
    this.#uncount(agent, client, resources);
  }

  /** Part of an offer becomes used by a task. Return the rest with `returnOffer`. */
  convertOffer(frameworkId: string, role: string, agentId: string, resources: Resources): void {
    if (resources.isEmpty) return;
    const client = this.#clients.ensure(frameworkId, role);
    this.#agent(agentId).convert(client, resources);
    this.#names.accrue(client.offered, resources, -1);
  }

  // Views

  /** What of an agent is neither used nor offered; nothing while it is over-committed. */
  available(agentId: string): Resources {
    return this.#agent(agentId).free;
  }

  /** More runs on the agent than it has now. */
  isOverCommitted(agentId: string): boolean {
    return this.#agent(agentId).overCommitted;
  }

  /** Who holds what on an agent. */
  holdingsOn(agentId: string): Holding[] {
    return [...this.#agent(agentId).holdings].map(([{ frameworkId, role }, { used, offered, clashing }]) => ({
      frameworkId,
      role,
      used: Resources.sum([used, ...clashing]),
      offered,
    }));
  }

  /** What a framework holds, by role. */
  talliesOf(frameworkId: string): Tally[] {
    return this.#clients.of(frameworkId).map((client) => ({
      frameworkId,
      role: client.role,
      used: this.#names.byName(client.held.map((amount, index) => amount - (client.offered[index] ?? 0))),
      offered: this.#names.byName(client.offered),
      share: this.#tree.shareOf(client),
    }));
  }

  /** Weighted dominant shares of all roles in use, parents before children. */
  roleShares(): RoleShare[] {
    const tree = this.#tree;
    return [...tree.roles()].map(([role, node]) => ({ role, weight: node.weight, share: tree.shareOf(node) }));
  }

  /** Why an agent is not offered to a framework in a role. */
  explain(frameworkId: string, role: string, agentId: string): Explanation {
    return explain(this.#agents.get(agentId), this.#clients.find(frameworkId, role), this.#settings);
  }

  /** Recounts everything; empty when the books are right. Costs a full pass: for tests and diagnosis. */
  invariants(): Violation[] {
    return violations(this.#agents.values(), this.#tree, this.#names);
  }

  // Inside

  #serve(node: ShareNode, agent: AgentLedger, onlyFresh: boolean, out: Allocation[]): void {
    for (const next of this.#tree.inOrder(node)) {
      if (!(next instanceof Client)) this.#serve(next, agent, onlyFresh, out);
      else if (!onlyFresh || next.fresh) this.#offer(next, agent, out);
      if (!this.#isOfferable(agent.free)) return;
    }
  }

  #offer(client: Client, agent: AgentLedger, out: Allocation[]): void {
    if (this.#settings.filterGpuResources && agent.hasGpus && !client.gpu) return;
    const resources = agent.free.usableBy(client.role);
    if (!this.#isOfferable(resources) || refusedUntil(client, agent, resources) !== undefined) return;
    agent.offer(client, resources);
    this.#names.accrue(client.offered, resources, 1);
    this.#tree.countTurn(client);
    this.#tree.countHeld(client, resources, 1);
    out.push({ frameworkId: client.frameworkId, role: client.role, agentId: agent.id, resources });
  }

  #isOfferable(resources: Resources): boolean {
    const { minimumCpus, minimumMem } = this.#settings;
    return resources.scalar("cpus") >= minimumCpus || resources.scalar("mem") >= minimumMem;
  }

  #uncount(agent: AgentLedger, client: Client, resources: Resources): void {
    this.#tree.countHeld(client, resources, -1);
    this.#dirtyAgents.add(agent);
    this.#clients.dropIfIdle(client);
  }

  #agent(agentId: string): AgentLedger {
    const agent = this.#agents.get(agentId);
    assert(agent !== undefined, () => `agent ${agentId} is unknown to the allocator`);
    return agent;
  }
}
