/** Where the nodes of a cluster are, and how a process is put there. */
import { freePorts } from "../../../src/dev/free-ports.ts";
import type { Firewall } from "./firewall.ts";

/** `m1`, `e2`, `a3`, `f1`: a host of its own, where there are namespaces. */
export type Node = string;

export type Door = "client" | "peer" | "grpc";

export interface Network {
  readonly kind: "loopback" | "namespaces";
  host(node: Node): string;
  port(node: Node, door: Door): number;
  /** What goes before a command line so that it runs there. */
  enter(node: Node): readonly string[];
  /** Undefined where links cannot be broken. */
  readonly firewall: Firewall | undefined;
}

/** Everything on one host, told apart by ports. */
export async function loopback(nodes: readonly Node[]): Promise<Network> {
  const doors = nodes.flatMap((node) => (["client", "peer", "grpc"] as const).map((door) => `${node}/${door}`));
  const free = await freePorts(doors.length);
  const ports = new Map(doors.map((door, index) => [door, free[index]!]));
  return {
    kind: "loopback",
    host: () => "127.0.0.1",
    port: (node, door) => ports.get(`${node}/${door}`)!,
    enter: () => [],
    firewall: undefined,
  };
}

export function address(network: Network, node: Node, door: Door): string {
  return `${network.host(node)}:${network.port(node, door)}`;
}
