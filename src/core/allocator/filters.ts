/**
 * Refusals: a declined offer keeps the same agent, or less of it, from the framework for a while. Kept per client (a
 * framework in a role) and agent, with one queue of ends over all of them.
 */
import type { Resources } from "../../model/resources.ts";
import { Deadlines } from "../deadlines.ts";
import type { AgentLedger } from "./agent-ledger.ts";
import type { Client } from "./share-tree.ts";

/** Seconds a decline lasts when the framework says nothing sensible (Mesos: Filters.refuse_seconds). */
export const DEFAULT_REFUSE_SECONDS = 5;

/** Longest refusal, 365 days, as in Mesos. */
export const MAX_REFUSE_SECONDS = 31_536_000;

/** Refusals kept per framework, role and agent; beyond it the one that ends first is given up: it only offers more. */
const MAX_PER_AGENT = 16;

export interface Filter {
  readonly client: Client;
  readonly agent: AgentLedger;
  readonly refused: Resources;
  readonly until: number;
  /** Its name among the deadlines. */
  readonly key: string;
}

/** Milliseconds a refusal lasts: absent, negative or NaN means the default, 0 means no filter. */
export function refusalMs(seconds: number | undefined): number {
  if (seconds === undefined || Number.isNaN(seconds) || seconds < 0) return DEFAULT_REFUSE_SECONDS * 1000;
  return Math.min(seconds, MAX_REFUSE_SECONDS) * 1000;
}

export class Filters {
  readonly #ends = new Deadlines();
  readonly #byKey = new Map<string, Filter>();
  #made = 0;

  add(client: Client, agent: AgentLedger, refused: Resources, until: number): void {
    const others: Filter[] = [];
    for (const other of client.filters.get(agent) ?? []) {
      if (other.until <= until && refused.contains(other.refused)) this.#lift(other);
      else others.push(other);
    }
    if (others.length >= MAX_PER_AGENT) {
      const first = others.reduce((a, b) => (b.until < a.until ? b : a));
      others.splice(others.indexOf(first), 1);
      this.#lift(first);
    }
    const filter: Filter = { client, agent, refused, until, key: String(this.#made++) };
    client.filters.set(agent, [...others, filter]);
    this.#byKey.set(filter.key, filter);
    this.#ends.set(filter.key, until);
  }

  /** Lifts all refusals of a client. */
  clear(client: Client): void {
    for (const filters of client.filters.values()) filters.forEach((filter) => this.#lift(filter));
    client.filters.clear();
  }

  /** Forgets the refusals of an agent by these clients. */
  forgetAgent(agent: AgentLedger, clients: Iterable<Client>): void {
    for (const client of clients) {
      client.filters.get(agent)?.forEach((filter) => this.#lift(filter));
      client.filters.delete(agent);
    }
  }

  /** Ends what is due by now; yields the agents that may be offered again. */
  expire(now: number): Set<AgentLedger> {
    const agents = new Set<AgentLedger>();
    for (let key = this.#ends.takeDue(now); key !== undefined; key = this.#ends.takeDue(now)) {
      const due = this.#byKey.get(key)!;
      this.#byKey.delete(key);
      const { client, agent } = due;
      const rest = client.filters.get(agent)!.filter((filter) => filter !== due);
      if (rest.length > 0) client.filters.set(agent, rest);
      else client.filters.delete(agent);
      agents.add(agent);
    }
    return agents;
  }

  /** When the next refusal ends. */
  nextDeadline(): number | undefined {
    return this.#ends.next();
  }

  #lift(filter: Filter): void {
    this.#ends.clear(filter.key);
    this.#byKey.delete(filter.key);
  }
}

/** Until when this client refuses that much of the agent, if it does: the latest end of the filters that cover it. */
export function refusedUntil(client: Client, agent: AgentLedger, resources: Resources): number | undefined {
  let until: number | undefined;
  for (const filter of client.filters.get(agent) ?? []) {
    if ((until === undefined || filter.until > until) && filter.refused.contains(resources)) until = filter.until;
  }
  return until;
}
