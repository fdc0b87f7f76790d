/**
 * What waits for the machine (13.4). Clients and agents have a share each: a burst of calls leaves agents their room, so
 * that it costs none of them its stream.
 */
import { Mailbox, type MailboxOptions } from "../async/mailbox.ts";
import type { Input } from "../core/master/input.ts";

type Share = "calls" | "words";

/** Others are bounded by what they are about: a stream, the clock, this leadership. */
const shares: { readonly [K in Input["kind"]]?: Share } = {
  subscribe: "calls",
  call: "calls",
  operator: "calls",
  agentReport: "words",
  agentUpdate: "words",
  agentForgot: "words",
  agentPong: "words",
  agentEpochRefused: "words",
  agentMessage: "words",
};

export class Inbox {
  readonly #mailbox: Mailbox<Input>;
  readonly #capacity: number;
  readonly #waiting = { calls: 0, words: 0 };

  /** `capacity`: inputs of one share that may wait. */
  constructor(options: MailboxOptions) {
    this.#capacity = options.capacity;
    this.#mailbox = new Mailbox({ ...options, capacity: Infinity });
  }

  get size(): number {
    return this.#mailbox.size;
  }

  /** False, and nothing happens, when the input's share is full, or all is over. */
  push(input: Input): boolean {
    const share = shares[input.kind];
    return (share === undefined || this.#waiting[share] < this.#capacity) && this.deliver(input);
  }

  /** Takes it even when its share is full; false only once all is over. */
  deliver(input: Input): boolean {
    if (!this.#mailbox.deliver(input)) return false;
    const share = shares[input.kind];
    if (share !== undefined) this.#waiting[share] += 1;
    return true;
  }

  /** What a step left of its input comes next, before all that came meanwhile: calls take effect in their order (10.8). */
  putBack(rest: Input): void {
    this.#mailbox.putBack(rest);
  }

  take(max: number): Input[] {
    const inputs = this.#mailbox.take(max);
    for (const { kind } of inputs) {
      const share = shares[kind];
      if (share !== undefined) this.#waiting[share] -= 1;
    }
    return inputs;
  }

  /** As of a mailbox. */
  ready(): Promise<boolean> {
    return this.#mailbox.ready();
  }

  close(): void {
    this.#mailbox.close();
  }
}
