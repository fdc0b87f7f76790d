/** All of a cluster in one process: the product's masters and agents, and everything around them simulated. */
import { defaultMasterSettings } from "../../src/core/master/settings.ts";
import type { HistoryEvent, Unrecorded } from "../history/event.ts";
import { AgentHost } from "./agents.ts";
import { Chance } from "./chance.ts";
import { CommandLine } from "./command-line.ts";
import { SimFramework } from "./frameworks.ts";
import { doorOf, MasterNode } from "./masters.ts";
import { Meddling } from "./meddling.ts";
import { Network } from "./network.ts";
import type { Plan } from "./plan.ts";
import { SimStoreServer } from "./store.ts";
import { VirtualTime } from "./virtual-time.ts";
import { Watcher } from "./watchers.ts";

const AGENT_RESOURCES = "cpus:4;mem:4096";
/** Twenty seconds and ten more, as with gRPC's keep-alives. */
const KEEPALIVE_MS = 30_000;

export class SimCluster {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly server: SimStoreServer;
  readonly masters: readonly MasterNode[];
  readonly agents: readonly AgentHost[];
  readonly frameworks: readonly SimFramework[];
  readonly meddling: Meddling;
  readonly watchers: readonly Watcher[];
  readonly commandLine: CommandLine;
  readonly history: HistoryEvent[] = [];
  readonly write = (event: Unrecorded): void => {
    const { revision, epoch, op } = event;
    // Who can be read now has its revisions from the store as it is now, whoever wrote last.
    const at = revision === undefined ? {} : { revision: this.server.revisions.of(revision, op === "read" ? undefined : epoch) };
    this.history.push({ ...event, ...at, seq: this.history.length, t: this.time.now } as HistoryEvent);
    this.meddling.saw(event);
  };

  constructor(plan: Plan) {
    const { seed, latencyMs, storeMs } = plan;
    const { write } = this;
    this.plan = plan;
    this.time = new VirtualTime(new Chance(seed, "ties").random);
    this.meddling = new Meddling(this.time);
    this.network = new Network(this.time, new Chance(seed, "network"), { latencyMs, keepaliveMs: KEEPALIVE_MS });
    this.server = new SimStoreServer(this.time, new Chance(seed, "store"), storeMs / 2, write);
    const { time, network, server } = this;
    const machine = {
      ...defaultMasterSettings,
      agentPingTimeoutMs: plan.agentPingTimeoutMs,
      agentPingIntervalMs: plan.agentPingTimeoutMs / 5,
      offerTimeoutMs: plan.offerTimeoutMs,
    };
    const mastersWorld = { seed, time, network, server, write, options: { machine }, storeMs: storeMs / 2, abandonedLands: plan.abandonedLands };
    this.masters = Array.from({ length: plan.masters }, (_, i) => new MasterNode(mastersWorld, `m${i + 1}`));
    const addresses = this.masters.map(({ address }) => address);
    const agentsWorld = { seed, time, network, masters: addresses.map((address) => doorOf(address, "agents")), write, syncMs: plan.syncMs };
    this.agents = Array.from({ length: plan.agents }, (_, i) => new AgentHost(agentsWorld, `a${i + 1}`, AGENT_RESOURCES));
    const clientsWorld = { seed, time, network, masters: addresses, write };
    this.frameworks = plan.frameworks.map((framework) => new SimFramework(clientsWorld, framework));
    this.watchers = [new Watcher(clientsWorld, "w1", true), new Watcher(clientsWorld, "w2", false)];
    this.commandLine = new CommandLine(clientsWorld, this);
  }

  start(): void {
    this.server.keepBackups();
    this.masters.forEach((master, i) => this.time.after(i * 20, () => master.start()));
    this.agents.forEach((agent) => this.time.after(100, () => agent.start()));
    this.frameworks.forEach((framework) => this.time.after(200, () => framework.start()));
    for (const watcher of this.watchers) this.time.after(300, () => watcher.start());
  }

  /** Who believes to lead, first of all who really does. */
  get leader(): MasterNode | undefined {
    return this.masters.find(({ leading, process }) => leading && process?.runs) ?? this.masters.find(({ leading }) => leading);
  }

  /** Tasks whose processes run, by task id, with their host. */
  get running(): ReadonlyMap<string, string> {
    return new Map(this.agents.flatMap(({ name, host }) => [...host.running.keys()].map((task) => [task, name] as const)));
  }
}
