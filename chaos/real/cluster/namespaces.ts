/** A host for each node: a network namespace on a switch that has a namespace of its own. The machine's network is not touched. */
import type { Belongings } from "../belongings.ts";
import { find, run } from "../host/tools.ts";
import { Firewall } from "./firewall.ts";
import type { Door, Network, Node } from "./network.ts";

const PORTS: { readonly [D in Door]: number } = { client: 2379, peer: 2380, grpc: 6050 };
/** Where each kind of node begins in the subnet. */
const FIRST: Readonly<Record<string, number>> = { e: 10, m: 20, a: 30, f: 60, o: 80, h: 90 };
const SUBNET = "10.77.31";
const INTERFACE = "net0";

/** Whoever watches the cluster from outside. */
export const OBSERVER: Node = "o1";

export interface NamespacePlan {
  /** Begins the names of all namespaces of a run. */
  readonly prefix: string;
  readonly nodes: readonly Node[];
}

export async function makeNamespaces({ prefix, nodes }: NamespacePlan, belongings: Belongings): Promise<void> {
  const hub = `${prefix}-switch`;
  for (const name of [hub, ...nodes.map((node) => `${prefix}-${node}`)]) {
    belongings.add({ kind: "namespace", name });
    await run("ip", ["netns", "add", name]);
  }
  await batch(hub, ["link add br0 type bridge", "link set br0 up", "link set lo up"]);
  for (const node of nodes) {
    const name = `${prefix}-${node}`;
    await batch(hub, [`link add port-${node} type veth peer name ${INTERFACE} netns ${name}`, `link set port-${node} master br0`, `link set port-${node} up`]);
    await batch(name, ["link set lo up", `addr add ${hostOf(node)}/24 dev ${INTERFACE}`, `link set ${INTERFACE} up`]);
  }
}

/** The network of namespaces that were made. */
export function namespaces({ prefix, nodes }: NamespacePlan): Network {
  const nsenter = find("nsenter")!;
  const namespaceOf = (node: Node): string => `${prefix}-${node}`;
  return {
    kind: "namespaces",
    host: hostOf,
    port: (_, door) => PORTS[door],
    enter: (node) => [nsenter, `--net=/run/netns/${namespaceOf(node)}`],
    firewall: new Firewall({ nodes, addressOf: hostOf, namespaceOf, interfaceOf: () => INTERFACE }),
  };
}

function hostOf(node: Node): string {
  return `${SUBNET}.${FIRST[node[0]!]! + Number(node.slice(1))}`;
}

async function batch(namespace: string, commands: readonly string[]): Promise<void> {
  await run("ip", ["-netns", namespace, "-batch", "-"], { input: `${commands.join("\n")}\n` });
}
