/** An agent's links to masters over the simulated network. */
import { onAbort } from "../../src/async/abort.ts";
import type { Epoch } from "../../src/base/epoch.ts";
import type { MasterDialer, MasterLink } from "../../src/ports/master-links.ts";
import { AgentMessage, MasterBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import type { Network, Wire } from "./network.ts";
import type { SimProcess } from "./virtual-time.ts";

/** Between two attempts to reach a master. */
const REDIAL_MS = 200;

export class SimMasterDialer implements MasterDialer {
  readonly #network: Network;
  readonly #process: SimProcess;
  /** Hears which epochs are answered: whoever reports to a leader obeys it. */
  readonly #answered: (epoch: Epoch) => void;

  constructor(network: Network, process: SimProcess, answered: (epoch: Epoch) => void = () => {}) {
    this.#network = network;
    this.#process = process;
    this.#answered = answered;
  }

  async dial(address: string, onBatch: (batch: MasterBatch) => void, signal: AbortSignal): Promise<MasterLink> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<MasterLink>();
    const stopListening = onAbort(signal, () => reject(signal.reason));
    const attempt = async (): Promise<void> => {
      const wire = await this.#network.connect(this.#process, address);
      if (signal.aborted) return wire?.close();
      if (wire !== undefined) resolve(this.#linkOver(wire, onBatch));
      else this.#process.clock.after(REDIAL_MS, () => void (signal.aborted || attempt()));
    };
    void attempt();
    return promise.finally(stopListening);
  }

  #linkOver(wire: Wire, onBatch: (batch: MasterBatch) => void): MasterLink {
    const { promise: closed, resolve } = Promise.withResolvers<string>();
    const led = new Map<number, Epoch>();
    wire.onMessage = (bytes) => {
      const batch = MasterBatch.decode(bytes);
      if (batch.epoch !== undefined && batch.messages.some(({ body }) => body?.$case === "lead")) led.set(batch.session, batch.epoch);
      onBatch(batch);
    };
    wire.onClose = resolve;
    return {
      closed,
      send: (message) => {
        if (!wire.open) return;
        const epoch = message.body?.$case === "report" ? led.get(message.session) : undefined;
        if (epoch !== undefined) this.#answered(epoch);
        wire.send(AgentMessage.encode(message).finish());
      },
      close: (reason) => {
        wire.close(reason);
        resolve(reason);
      },
    };
  }
}
