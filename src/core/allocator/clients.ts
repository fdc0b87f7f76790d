/** All clients (a framework in one role) by framework and role; who wants offers, and for whom all agents are new. */
import type { Filters } from "./filters.ts";
import type { Client, ShareTree } from "./share-tree.ts";

export class Clients {
  readonly #tree: ShareTree;
  readonly #filters: Filters;
  readonly #byFramework = new Map<string, Map<string, Client>>();
  readonly #fresh = new Set<Client>();

  constructor(tree: ShareTree, filters: Filters) {
    this.#tree = tree;
    this.#filters = filters;
  }

  find(frameworkId: string, role: string): Client | undefined {
    return this.#byFramework.get(frameworkId)?.get(role);
  }

  /** The client, made if need be: a framework that is not subscribed may still hold resources. */
  ensure(frameworkId: string, role: string): Client {
    let clients = this.#byFramework.get(frameworkId);
    if (clients === undefined) this.#byFramework.set(frameworkId, (clients = new Map<string, Client>()));
    let client = clients.get(role);
    if (client === undefined) clients.set(role, (client = this.#tree.clientOf(frameworkId, role)));
    return client;
  }

  of(frameworkId: string): Client[] {
    return [...(this.#byFramework.get(frameworkId)?.values() ?? [])];
  }

  *all(): Iterable<Client> {
    for (const clients of this.#byFramework.values()) yield* clients.values();
  }

  /** Subscribed in its role; wants offers unless suppressed. */
  subscribe(client: Client, suppressed: boolean): void {
    this.#setWanting(client, true, suppressed);
  }

  /** No longer subscribed in its role: no offers, no refusals; gone unless it still holds something. */
  unsubscribe(client: Client): void {
    this.#setWanting(client, false, false);
    client.gpu = false;
    this.#filters.clear(client);
    this.dropIfIdle(client);
  }

  /** Every agent is to be considered for it, not only those that changed. */
  refresh(client: Client): void {
    client.fresh = true;
    this.#fresh.add(client);
  }

  get anyFresh(): boolean {
    return this.#fresh.size > 0;
  }

  /** A pass considered every agent for those that were fresh. */
  settle(): void {
    for (const client of this.#fresh) client.fresh = false;
    this.#fresh.clear();
  }

  dropIfIdle(client: Client): void {
    if (client.subscribed || client.agents.size > 0) return;
    this.#tree.remove(client);
    const clients = this.#byFramework.get(client.frameworkId);
    clients?.delete(client.role);
    if (clients?.size === 0) this.#byFramework.delete(client.frameworkId);
  }

  #setWanting(client: Client, subscribed: boolean, suppressed: boolean): void {
    const before = client.wantsOffers;
    client.subscribed = subscribed;
    client.suppressed = suppressed;
    if (client.wantsOffers === before) return;
    this.#tree.countWanting(client, before ? -1 : 1);
    if (before) {
      client.fresh = false;
      this.#fresh.delete(client);
    } else {
      this.refresh(client);
    }
  }
}
