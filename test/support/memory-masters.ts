/** Masters in memory, for agents that dial them: a test has the master's end of each link. */
import { onAbort } from "../../src/async/abort.ts";
import type { MasterDialer, MasterLink } from "../../src/ports/master-links.ts";
import type { AgentMessage, MasterBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { Arrivals } from "./arrivals.ts";

/** The master's end of a link. */
export class MemoryLink {
  readonly heard = new Arrivals<AgentMessage>();
  /** The agent's end. */
  readonly link: MasterLink;
  readonly closed: Promise<string>;
  readonly #onBatch: (batch: MasterBatch) => void;
  readonly #close: (reason: string) => void;
  #isOpen = true;

  constructor(onBatch: (batch: MasterBatch) => void) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.closed = promise;
    this.#onBatch = onBatch;
    this.#close = resolve;
    this.link = { closed: promise, close: (reason) => this.end(reason), send: (message) => void (this.#isOpen && this.heard.push(message)) };
  }

  say(batch: MasterBatch): void {
    if (this.#isOpen) this.#onBatch(batch);
  }

  end(reason = "the master ended the stream"): void {
    this.#isOpen = false;
    this.#close(reason);
  }
}

export class MemoryMasters implements MasterDialer {
  readonly #listening = new Map<string, Arrivals<MemoryLink>>();
  readonly #links = new Map<string, Set<MemoryLink>>();
  /** Dials of addresses where nobody listens. */
  readonly #waiting = new Set<() => void>();

  /** The links that are opened to this address from now on. */
  listen(address: string): Arrivals<MemoryLink> {
    const arrivals = new Arrivals<MemoryLink>();
    this.#listening.set(address, arrivals);
    for (const look of [...this.#waiting]) look();
    return arrivals;
  }

  /** Its links break, and nobody listens. */
  kill(address: string): void {
    this.#listening.delete(address);
    for (const link of this.#links.get(address) ?? []) link.end("the connection was lost");
    this.#links.delete(address);
  }

  async dial(address: string, onBatch: (batch: MasterBatch) => void, signal: AbortSignal): Promise<MasterLink> {
    signal.throwIfAborted();
    const arrivals = this.#listening.get(address) ?? (await this.#listener(address, signal));
    const link = new MemoryLink(onBatch);
    const links = this.#links.get(address) ?? new Set();
    this.#links.set(address, links.add(link));
    arrivals.push(link);
    return link.link;
  }

  #listener(address: string, signal: AbortSignal): Promise<Arrivals<MemoryLink>> {
    const { promise, resolve, reject } = Promise.withResolvers<Arrivals<MemoryLink>>();
    const look = (): void => {
      const arrivals = this.#listening.get(address);
      if (arrivals !== undefined) resolve(arrivals);
    };
    this.#waiting.add(look);
    const stopListening = onAbort(signal, () => reject(signal.reason));
    return promise.finally(() => {
      this.#waiting.delete(look);
      stopListening();
    });
  }
}
