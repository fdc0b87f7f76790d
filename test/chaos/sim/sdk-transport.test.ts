/** The SDK's streams over the simulated network do what they do over gRPC. */
import test from "ava";
import { Chance } from "../../../chaos/sim/chance.ts";
import { doorOf, serveStreams } from "../../../chaos/sim/masters.ts";
import { Network } from "../../../chaos/sim/network.ts";
import { SdkTransport } from "../../../chaos/sim/sdk-transport.ts";
import { SimProcess } from "../../../chaos/sim/virtual-time.ts";
import { ScriptedApi, type ServingMaster, transportContract, type TransportWorld } from "../../contracts/transport-contract.ts";
import { FlowingTime } from "../../support/flowing-time.ts";

const unrecorded = { ok: () => {}, fail: () => {}, unknown: () => {} };

class SimulatedWorld implements TransportWorld {
  readonly #time = new FlowingTime();
  readonly #network = new Network(this.#time, new Chance(1, "network"), { latencyMs: 1, keepaliveMs: 30_000 });
  readonly transport = new SdkTransport({ network: this.#network, process: new SimProcess(this.#time, "framework", "f1"), asks: () => unrecorded });
  #last = 0;

  async serve(address = `m${(this.#last += 1)}:6050`): Promise<ServingMaster> {
    const api = new ScriptedApi();
    const process = new SimProcess(this.#time, address, address.slice(0, address.indexOf(":")));
    this.#network.listen(doorOf(address, "streams"), process, (wire) => serveStreams(api as never, wire));
    return { address, api, kill: () => process.kill() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.transport[Symbol.dispose]();
    await this.#time[Symbol.asyncDispose]();
  }
}

transportContract(test, "simulated", () => new SimulatedWorld());
