/** What a handover took, phase by phase: as a trace, and as a line of the log. */
import type { Clock } from "../async/clock.ts";
import { type Epoch, epochText } from "../base/epoch.ts";
import { type HandoverOrder, recordHandover } from "../telemetry/handover.ts";
import type { HandoverPhase } from "../telemetry/spans.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { wholeMs } from "./failover-record.ts";

export interface HandoverRecordOptions {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly order: HandoverOrder;
  readonly epoch: Epoch;
  readonly master: string;
}

export class HandoverRecord {
  readonly #options: HandoverRecordOptions;
  /** Monotonic, so that a wall clock set meanwhile stretches no phase. */
  readonly #orderedAt: number;
  readonly #orderedAtWall: number;
  readonly #phases: { [P in HandoverPhase]?: number } = {};

  constructor(options: HandoverRecordOptions) {
    this.#options = options;
    this.#orderedAt = options.clock.now();
    this.#orderedAtWall = options.clock.wall();
    options.telemetry.log.info("handing over", { order: options.order });
  }

  reached(phase: HandoverPhase): void {
    this.#phases[phase] = this.#options.clock.now() - this.#orderedAt;
  }

  close(): void {
    const { telemetry, order, epoch, master } = this.#options;
    const phases = Object.fromEntries(Object.entries(this.#phases).map(([phase, ms]) => [phase, this.#orderedAtWall + ms]));
    const traceparent = recordHandover(telemetry, { order, epoch: epochText(epoch), master, orderedAt: this.#orderedAtWall, phases });
    telemetry.log.info("handed over", { order, ms: wholeMs(this.#phases), traceparent });
  }
}
