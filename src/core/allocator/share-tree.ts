/**
 * The tree that decides whose turn it is: roles by '/', within each role its own frameworks as one more sibling of its
 * sub-roles (as in Mesos, so that `eng` and `eng/web` compete fairly), below them one client per framework and role.
 * Siblings are served in the order of dominant share divided by weight. DRF: Ghodsi et al. 2011.
 */
import { ancestorsOf } from "../../model/roles.ts";
import type { Resources } from "../../model/resources.ts";
import type { AgentLedger } from "./agent-ledger.ts";
import type { Filter } from "./filters.ts";
import { type Amounts, type ResourceNames, dominantShare } from "./quantities.ts";

const NEVER = -1;

export class ShareNode {
  readonly name: string;
  readonly parent: ShareNode | undefined;
  weight = 1;
  /** Held by all clients below. */
  readonly held: Amounts = [];
  /** Share when the order was last made. */
  share = 0;
  /** How often a client below was offered something: among equal shares the least served comes first. */
  turns = 0;
  /** Clients below that want offers. */
  wanting = 0;
  readonly children = new Map<string, ShareNode>();
  /** Children that want offers, sorted under the totals of version `orderedAt`, except those in `moved`. */
  readonly order: ShareNode[] = [];
  orderedAt = NEVER;
  /** Children whose amounts changed since. */
  readonly moved = new Set<ShareNode>();

  constructor(name: string, parent: ShareNode | undefined) {
    this.name = name;
    this.parent = parent;
  }
}

/** A framework in one role. Exists while it is subscribed there or holds anything. */
export class Client extends ShareNode {
  readonly frameworkId: string;
  readonly role: string;
  /** The offered part of `held`. */
  readonly offered: Amounts = [];
  subscribed = false;
  suppressed = false;
  gpu = false;
  /** Newly wants offers: every agent has to be considered for it, not only those that changed. */
  fresh = false;
  /** Agents on which it holds something. */
  readonly agents = new Set<AgentLedger>();
  readonly filters = new Map<AgentLedger, Filter[]>();

  constructor(frameworkId: string, role: string, parent: ShareNode) {
    super(frameworkId, parent);
    this.frameworkId = frameworkId;
    this.role = role;
  }

  get wantsOffers(): boolean {
    return this.subscribed && !this.suppressed;
  }
}

/** Name of the node that holds a role's own frameworks beside its sub-roles; no role component can have it. */
const OWN = ".";

export class ShareTree {
  readonly root = new ShareNode("", undefined);
  /** Sum over active agents. */
  readonly total: Amounts = [];
  readonly #names: ResourceNames;
  readonly #weights = new Map<string, number>();
  #totalVersion = 0;

  constructor(names: ResourceNames) {
    this.#names = names;
  }

  /** The client's node, made with its role on first use. */
  clientOf(frameworkId: string, role: string): Client {
    const own = child(this.#roleNode(role), OWN);
    let client = own.children.get(frameworkId) as Client | undefined;
    if (client === undefined) {
      client = new Client(frameworkId, role, own);
      own.children.set(frameworkId, client);
    }
    return client;
  }

  /** Removes a client that holds nothing, and the roles that are empty without it. */
  remove(client: Client): void {
    for (let node: ShareNode = client; node.parent !== undefined && node.children.size === 0; node = node.parent) {
      node.parent.children.delete(node.name);
      node.parent.orderedAt = NEVER;
    }
  }

  setWeight(role: string, weight: number): void {
    if (weight === 1) this.#weights.delete(role);
    else this.#weights.set(role, weight);
    const node = this.#find(role);
    if (node === undefined) return;
    node.weight = weight;
    node.parent!.orderedAt = NEVER;
  }

  weightOf(role: string): number {
    return this.#weights.get(role) ?? 1;
  }

  /** Counts what an active agent brings (1) or takes away (-1). */
  countTotal(resources: Resources, sign: 1 | -1): void {
    // All is counted at this moment: what neither the total nor the root has, nobody has.
    if (sign === 1) this.#names.recycle((index) => (this.total[index] ?? 0) !== 0 || (this.root.held[index] ?? 0) !== 0);
    this.#names.accrue(this.total, resources, sign);
    this.#totalVersion++;
  }

  /** Counts what a client gets (1) or gives back (-1), for it and all above it. */
  countHeld(client: Client, resources: Resources, sign: 1 | -1): void {
    for (let node: ShareNode | undefined = client; node !== undefined; node = node.parent) {
      this.#names.accrue(node.held, resources, sign);
      node.parent?.moved.add(node);
    }
  }

  /** A client begins (1) or ceases (-1) to want offers. */
  countWanting(client: Client, sign: 1 | -1): void {
    for (let node: ShareNode | undefined = client; node !== undefined; node = node.parent) {
      node.wanting += sign;
      if (node.parent !== undefined) node.parent.orderedAt = NEVER;
    }
  }

  countTurn(client: Client): void {
    for (let node: ShareNode | undefined = client; node !== undefined; node = node.parent) node.turns++;
  }

  /**
   * Children that want offers, the one whose turn it is first. The list is the node's own: it does not change by
   * changes of amounts until it is asked for again, which a pass does once for each agent.
   */
  inOrder(node: ShareNode): readonly ShareNode[] {
    const { order, moved } = node;
    if (node.orderedAt !== this.#totalVersion) {
      order.length = 0;
      for (const each of node.children.values()) {
        if (each.wanting === 0) continue;
        each.share = this.shareOf(each);
        order.push(each);
      }
      order.sort(byTurn);
      node.orderedAt = this.#totalVersion;
    } else {
      for (const each of moved) this.#reposition(order, each);
    }
    moved.clear();
    return order;
  }

  shareOf(node: ShareNode): number {
    return dominantShare(node.held, this.total) / node.weight;
  }

  /** Every role that has clients at or below it, with its node; parents first. */
  *roles(node: ShareNode = this.root, path = ""): Iterable<[role: string, node: ShareNode]> {
    for (const [name, below] of node.children) {
      if (name === OWN) continue;
      const role = path === "" ? name : `${path}/${name}`;
      yield [role, below];
      yield* this.roles(below, role);
    }
  }

  #reposition(order: ShareNode[], moved: ShareNode): void {
    moved.share = this.shareOf(moved);
    const at = order.indexOf(moved);
    if (at === -1) return;
    order.splice(at, 1);
    let low = 0;
    for (let high = order.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (byTurn(order[middle]!, moved) < 0) low = middle + 1;
      else high = middle;
    }
    order.splice(low, 0, moved);
  }

  #find(role: string): ShareNode | undefined {
    let node: ShareNode | undefined = this.root;
    for (const part of role.split("/")) node = node?.children.get(part);
    return node;
  }

  #roleNode(role: string): ShareNode {
    const found = this.#find(role);
    if (found !== undefined) return found;
    let node = this.root;
    const paths = [...ancestorsOf(role), role];
    role.split("/").forEach((part, depth) => {
      node = child(node, part);
      node.weight = this.weightOf(paths[depth]!);
    });
    return node;
  }
}

function child(node: ShareNode, name: string): ShareNode {
  let found = node.children.get(name);
  if (found === undefined) node.children.set(name, (found = new ShareNode(name, node)));
  return found;
}

/** The order of service: smallest share, then least often served, then by name, so that it is always the same. */
function byTurn(a: ShareNode, b: ShareNode): number {
  return a.share - b.share || a.turns - b.turns || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
