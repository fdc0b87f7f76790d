/** Links between masters and of agents over the simulated network do what they do over gRPC. */
import test from "ava";
import { Chance } from "../../../chaos/sim/chance.ts";
import { SimMasterDialer } from "../../../chaos/sim/master-dialer.ts";
import { Network } from "../../../chaos/sim/network.ts";
import { SimPeerLinks } from "../../../chaos/sim/peer-links.ts";
import { SimProcess } from "../../../chaos/sim/virtual-time.ts";
import { type DialerWorld, type ListeningMaster, masterDialerContract, type MasterEnd } from "../../contracts/master-dialer-contract.ts";
import { peersContract, type PeerProcess, type PeerWorld } from "../../contracts/peers-contract.ts";
import type { Arrivals } from "../../support/arrivals.ts";
import { FlowingTime } from "../../support/flowing-time.ts";
import { type MasterWire, SimulatedMaster } from "../../support/simulated-masters.ts";

class SimulatedWorld implements PeerWorld, DialerWorld {
  readonly #time = new FlowingTime();
  readonly #network = new Network(this.#time, new Chance(1, "network"), { latencyMs: 1, keepaliveMs: 30_000 });
  readonly #processes = new Map<PeerProcess, SimProcess>();
  readonly dialer = new SimMasterDialer(this.#network, new SimProcess(this.#time, "agent", "a1"));
  #last = 0;

  async join(address = this.#newAddress()): Promise<PeerProcess> {
    const process = new SimProcess(this.#time, address, address.slice(0, address.indexOf(":")));
    const peer = { address, links: new SimPeerLinks(this.#network, process, address, (peer) => peer) };
    this.#processes.set(peer, process);
    return peer;
  }

  async kill(peer: PeerProcess): Promise<void> {
    this.#processes.get(peer)!.kill();
  }

  unreachable(): string {
    this.#network.darken("nowhere");
    return "nowhere:1";
  }

  async listen(address = this.#newAddress()): Promise<ListeningMaster> {
    const master = new SimulatedMaster(this.#network, this.#time, address);
    const links = { next: async () => endOf(await master.links.next()) } as Arrivals<MasterEnd>;
    return { address, links, kill: () => master.kill() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#time[Symbol.asyncDispose]();
  }

  #newAddress(): string {
    return `m${(this.#last += 1)}:1`;
  }
}

function endOf(link: MasterWire): MasterEnd {
  const fence = { clusterId: "c", epoch: { generation: 1, revision: 1 }, session: 1 };
  return {
    heard: link.heard,
    ended: link.closed.then(() => {}),
    ping: (sequence) => link.say({ ...fence, messages: [{ body: { $case: "ping", value: { sequence } } }] }),
    end: () => link.end("over"),
  };
}

peersContract(test, "simulated", () => new SimulatedWorld());
masterDialerContract(test, "simulated", () => new SimulatedWorld());
