import { seededRandom } from "../../src/base/random.ts";
import { VirtualTime } from "../../chaos/sim/virtual-time.ts";

const STEP_MS = 10;

/** Virtual time that passes by itself, as fast as what happens in it allows, until it is disposed of. */
export class FlowingTime extends VirtualTime implements AsyncDisposable {
  #over = false;
  readonly #flow = this.#pass();

  constructor() {
    super(seededRandom(1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#flow;
  }

  async #pass(): Promise<void> {
    while (!this.#over) await this.runUntil(this.now + STEP_MS);
  }
}
