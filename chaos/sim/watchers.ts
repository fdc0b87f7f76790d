/**
 * Operators that follow the stream of events, each in its own way: from a snapshot on or not, at once or slowly. When a
 * stream ends, another begins, with whoever leads then.
 */
import { epochText } from "../../src/base/epoch.ts";
import { EventsRequest, OperatorEvents } from "../../src/wire/gen/mesarch/v1/operator.ts";
import type { Unrecorded } from "../history/event.ts";
import { newsOf } from "../history/rows.ts";
import { Chance } from "./chance.ts";
import { doorOf } from "./masters.ts";
import type { Network, Wire } from "./network.ts";
import { opened, type Refused, TAKEN } from "./operator-door.ts";
import { SimProcess, type VirtualTime } from "./virtual-time.ts";

export interface OperatorsWorld {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly masters: readonly string[];
  readonly write: (event: Unrecorded) => void;
}

const RECONNECT_MS = 100;
/** The mark of a stream that was ended because it was not read. */
export const TOO_SLOW = "events waited too long for a reader";

export class Watcher {
  readonly name: string;
  readonly #world: OperatorsWorld;
  readonly #snapshot: boolean;
  readonly #chance: Chance;
  /** From one batch read to the next, in milliseconds. */
  readonly #readMs: number;
  #process: SimProcess | undefined;
  #streams = 0;

  constructor(world: OperatorsWorld, name: string, snapshot: boolean) {
    this.#world = world;
    this.name = name;
    this.#snapshot = snapshot;
    this.#chance = new Chance(world.seed, `watcher/${name}`);
    this.#readMs = this.#chance.pick([0, 0, 0, 50, 1_000]);
  }

  get process(): SimProcess | undefined {
    return this.#process?.alive ? this.#process : undefined;
  }

  start(): void {
    if (this.process !== undefined) return;
    this.#process = new SimProcess(this.#world.time, `operator/${this.name}`, this.name);
    void this.#live(this.#process);
  }

  kill(): void {
    this.#process?.kill();
  }

  async #live(process: SimProcess): Promise<void> {
    const { network, masters } = this.#world;
    for (let hint = ""; process.alive; ) {
      const address = hint === "" ? this.#chance.pick(masters) : hint;
      const wire = await network.connect(process, doorOf(address, "events"));
      hint = wire === undefined ? "" : await this.#read(process, wire);
      await new Promise<void>((resolve) => process.clock.after(this.#chance.between(0.5, 1.5) * RECONNECT_MS, resolve));
    }
  }

  /** One stream, to its end. Resolves with the address of the leader, if it was told. */
  #read(process: SimProcess, wire: Wire): Promise<string> {
    return new Promise((resolve) => {
      const stream = `${this.name}-${(this.#streams += 1)}`;
      const unread: Uint8Array[] = [];
      const read = (): void => {
        const batch = opened(unread.shift()!);
        if (!(batch instanceof Uint8Array)) return resolve(this.#refused(batch));
        this.#tell(stream, OperatorEvents.decode(batch));
        wire.send(TAKEN);
        if (unread.length > 0) process.clock.after(this.#readMs, read);
      };
      wire.onMessage = (bytes) => {
        unread.push(bytes);
        if (unread.length > 1) return;
        if (this.#readMs === 0) read();
        else process.clock.after(this.#readMs, read);
      };
      wire.onClose = () => resolve("");
      wire.send(EventsRequest.encode({ snapshot: this.#snapshot }).finish());
    });
  }

  #refused({ code, leader }: Refused): string {
    if (code === "exhausted") this.#world.write({ actor: `operator/${this.name}`, kind: "observe", op: "mark", value: { name: TOO_SLOW } });
    return leader;
  }

  #tell(stream: string, { events }: OperatorEvents): void {
    for (const { event, epoch, revision } of events) {
      const told = newsOf(event);
      if (told === undefined || epoch === undefined) continue;
      // What is of a snapshot is not said on the wire.
      const value = { stream, snapshot: false, ...told };
      this.#world.write({ actor: `operator/${this.name}`, kind: "observe", op: "news", epoch: epochText(epoch), revision, value });
    }
  }
}
