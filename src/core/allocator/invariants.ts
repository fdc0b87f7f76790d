/** The allocator's books, counted again from the holdings up. */
import { Resources } from "../../model/resources.ts";
import type { AgentLedger } from "./agent-ledger.ts";
import type { Amounts, ResourceNames } from "./quantities.ts";
import type { Violation } from "./settings.ts";
import { Client, type ShareNode, type ShareTree } from "./share-tree.ts";

export function violations(agents: Iterable<AgentLedger>, tree: ShareTree, names: ResourceNames): Violation[] {
  const out: Violation[] = [];
  const check = (invariant: string, holds: boolean, detail: string): void => {
    if (!holds) out.push({ invariant, detail });
  };

  const total: Amounts = [];
  const held = new Map<Client, Amounts>();
  const offers = new Map<Client, Amounts>();
  for (const agent of agents) {
    if (agent.active) names.accrue(total, agent.total, 1);
    const rest = agent.remainder();
    check("I14 over-commitment is noticed", agent.overCommitted === (rest === undefined), agent.id);
    check("I14 an over-committed agent has nothing free", !agent.overCommitted || agent.free.isEmpty, agent.id);
    check("I16 free + offered + used = total", agent.free.equals(rest ?? Resources.none), agent.id);
    for (const [client, holding] of agent.holdings) {
      check("a holding is not empty", !holding.isEmpty, `${agent.id} ${client.name}`);
      check("a client knows its agents", client.agents.has(agent), `${agent.id} ${client.name}`);
      const sum = amountsIn(held, client);
      for (const each of [holding.used, holding.offered, ...holding.clashing]) names.accrue(sum, each, 1);
      names.accrue(amountsIn(offers, client), holding.offered, 1);
    }
  }
  check("totals count the active agents", same(tree.total, total), "");

  const visit = (node: ShareNode): { sum: Amounts; wanting: number } => {
    const below = { sum: [] as Amounts, wanting: 0 };
    if (node instanceof Client) {
      below.sum = held.get(node) ?? [];
      below.wanting = node.wantsOffers ? 1 : 0;
      check("I16 a client's offers add up", same(node.offered, offers.get(node) ?? []), node.name);
      held.delete(node);
    }
    for (const child of node.children.values()) {
      const { sum, wanting } = visit(child);
      sum.forEach((amount, index) => (below.sum[index] = (below.sum[index] ?? 0) + amount));
      below.wanting += wanting;
    }
    check("I16 shares add up", same(node.held, below.sum), node.name);
    check("clients that want offers are counted", node.wanting === below.wanting, node.name);
    return below;
  };
  visit(tree.root);
  for (const client of held.keys()) check("who holds something is in the tree", false, client.name);
  return out;
}

function amountsIn(map: Map<Client, Amounts>, client: Client): Amounts {
  let amounts = map.get(client);
  if (amounts === undefined) map.set(client, (amounts = []));
  return amounts;
}

function same(a: Amounts, b: Amounts): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return false;
  return true;
}
