/** Masters in the simulation's network, for agents that dial them: a test has the master's end of each link. */
import type { Network, Wire } from "../../chaos/sim/network.ts";
import { SimProcess, type Schedule } from "../../chaos/sim/virtual-time.ts";
import { AgentMessage, MasterBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { Arrivals } from "./arrivals.ts";

/** The master's end of a link. */
export class MasterWire {
  readonly heard = new Arrivals<AgentMessage>();
  /** Resolves, with the reason, when the link has ended for whatever cause. */
  readonly closed: Promise<string>;
  readonly #wire: Wire;
  readonly #close: (reason: string) => void;

  constructor(wire: Wire) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.closed = promise;
    this.#wire = wire;
    this.#close = resolve;
    wire.onMessage = (bytes) => this.heard.push(AgentMessage.decode(bytes));
    wire.onClose = resolve;
  }

  say(batch: MasterBatch): void {
    this.#wire.send(MasterBatch.encode(batch).finish());
  }

  end(reason: string): void {
    this.#wire.close(reason);
    this.#close(reason);
  }
}

/** A master that listens at an address, `host:port`. */
export class SimulatedMaster {
  readonly links = new Arrivals<MasterWire>();
  readonly #process: SimProcess;

  constructor(network: Network, schedule: Schedule, address: string) {
    this.#process = new SimProcess(schedule, address, address.slice(0, address.indexOf(":")));
    network.listen(address, this.#process, (wire) => this.links.push(new MasterWire(wire)));
  }

  /** Its links break, and nobody listens. */
  kill(): void {
    this.#process.kill();
  }
}
