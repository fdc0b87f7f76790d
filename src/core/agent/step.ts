/**
 * One step's only way to change what is durable or to ask for anything. Records are folded into the state at once, so
 * that the rest of the step sees them, and collected in order.
 */
import type { Epoch } from "../../base/epoch.ts";
import type { AgentMessage } from "../../wire/gen/mesarch/v1/agents.ts";
import type { JournalRecord } from "../../wire/gen/mesarch/v1/checkpoint.ts";
import { fold } from "./fold.ts";
import type { LinkId } from "./input.ts";
import type { Output } from "./output.ts";
import type { AgentState } from "./state.ts";

export type RecordBody = NonNullable<JournalRecord["record"]>;

export type Write =
  | { readonly kind: "record"; readonly record: JournalRecord }
  | { readonly kind: "epoch"; readonly epoch: Epoch };

export interface StepResult {
  readonly writes: readonly Write[];
  /** To be done, in order, once all writes of this and earlier steps are durable. */
  readonly outputs: readonly Output[];
}

export class Step implements StepResult {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Milliseconds since the Unix epoch, for timestamps. */
  readonly wall: number;
  readonly writes: Write[] = [];
  readonly outputs: Output[] = [];
  readonly #state: AgentState;

  constructor(state: AgentState, now: number, wall: number) {
    this.#state = state;
    this.now = now;
    this.wall = wall;
  }

  journal(body: RecordBody): void {
    const record: JournalRecord = { record: body };
    fold(this.#state, record);
    this.writes.push({ kind: "record", record });
  }

  storeEpoch(epoch: Epoch): void {
    this.#state.epoch = epoch;
    this.writes.push({ kind: "epoch", epoch });
  }

  output(output: Output): void {
    this.outputs.push(output);
  }

  say(link: LinkId, session: number, body: NonNullable<AgentMessage["body"]>): void {
    this.outputs.push({ kind: "say", link, message: { session, body } });
  }

  alarm(cause: string, message: string): void {
    this.outputs.push({ kind: "alarm", cause, message });
  }
}

