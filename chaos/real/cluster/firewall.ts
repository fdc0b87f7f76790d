/** Links between nodes, broken by packet filters within the nodes' own namespaces. */
import { find, MissingTool, run } from "../host/tools.ts";
import type { Node } from "./network.ts";

/** What happens to what `to` would get of `from`. */
export interface Cut {
  readonly from: Node;
  readonly to: Node;
  /** Share of packets lost, above 0; 1 is silence. `reset`: connections are refused and ended. */
  readonly loss: number | "reset";
}

export interface FirewallOptions {
  readonly nodes: readonly Node[];
  readonly addressOf: (node: Node) => string;
  readonly namespaceOf: (node: Node) => string;
  readonly interfaceOf: (node: Node) => string;
}

/** Of a slow link: what is sent in one go, and how long anything waits at most. */
const BURST = "16kb";
const QUEUE = "500ms";

export class Firewall {
  readonly #options: FirewallOptions;
  /** By fault, so that one is undone without the others. */
  readonly #cuts = new Map<object, readonly Cut[]>();
  readonly #slow = new Set<Node>();
  readonly #dark = new Set<Node>();

  constructor(options: FirewallOptions) {
    this.#options = options;
  }

  /** Returns what mends these again. */
  async cut(cuts: readonly Cut[]): Promise<() => Promise<void>> {
    const key = {};
    this.#cuts.set(key, cuts);
    const concerned = new Set(cuts.map(({ to }) => to));
    await this.#apply(concerned);
    return async () => {
      if (this.#cuts.delete(key)) await this.#apply(concerned);
    };
  }

  /** Everything that leaves the node shares this rate. */
  async slow(node: Node, rate: string): Promise<() => Promise<void>> {
    const { interfaceOf } = this.#options;
    await this.#inside(node, "tc", ["qdisc", "replace", "dev", interfaceOf(node), "root", "tbf", "rate", rate, "burst", BURST, "latency", QUEUE]);
    this.#slow.add(node);
    return async () => {
      if (this.#slow.delete(node)) await this.#inside(node, "tc", ["qdisc", "del", "dev", interfaceOf(node), "root"]);
    };
  }

  /** The cable is out: whoever talks with the node hears nothing, not even that it ended. */
  async darken(node: Node): Promise<() => Promise<void>> {
    this.#dark.add(node);
    await this.#link(node, "down");
    return async () => {
      if (this.#dark.delete(node)) await this.#link(node, "up");
    };
  }

  async healAll(): Promise<void> {
    this.#cuts.clear();
    await this.#apply(new Set(this.#options.nodes));
    for (const node of this.#slow) await this.#inside(node, "tc", ["qdisc", "del", "dev", this.#options.interfaceOf(node), "root"]).catch(() => {});
    for (const node of this.#dark) await this.#link(node, "up");
    this.#slow.clear();
    this.#dark.clear();
  }

  async #link(node: Node, state: "up" | "down"): Promise<void> {
    await this.#inside(node, "ip", ["link", "set", this.#options.interfaceOf(node), state]);
  }

  async #apply(nodes: ReadonlySet<Node>): Promise<void> {
    const all = [...this.#cuts.values()].flat();
    await Promise.all([...nodes].map((node) => this.#inside(node, "nft", ["-f", "-"], this.#rules(all.filter(({ to }) => to === node)))));
  }

  /** The whole table at once: no moment with half of the rules. */
  #rules(cuts: readonly Cut[]): string {
    const lines = cuts.map(({ from, loss }) => {
      const packets = `ip saddr ${this.#options.addressOf(from)}`;
      if (loss === "reset") return `    ${packets} meta l4proto tcp reject with tcp reset`;
      return loss >= 1 ? `    ${packets} drop` : `    ${packets} numgen random mod 1000 < ${Math.round(loss * 1_000)} drop`;
    });
    return [
      "table inet chaos",
      "delete table inet chaos",
      "table inet chaos {",
      "  chain in {",
      "    type filter hook input priority 0; policy accept;",
      ...lines,
      "  }",
      "}",
      "",
    ].join("\n");
  }

  async #inside(node: Node, tool: "nft" | "tc" | "ip", args: readonly string[], input?: string): Promise<void> {
    const path = find(tool);
    if (path === undefined) throw new MissingTool(tool);
    await run("nsenter", [`--net=/run/netns/${this.#options.namespaceOf(node)}`, path, ...args], input === undefined ? {} : { input });
  }
}

/** Both ways between one and several. */
export function between(one: Node, others: readonly Node[], loss: Cut["loss"] = 1): Cut[] {
  return others.filter((other) => other !== one).flatMap((other) => [{ from: one, to: other, loss }, { from: other, to: one, loss }]);
}
