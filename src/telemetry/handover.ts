/** A handover told as one trace, by the master that hands over. */
import { handoverPhases, type HandoverPhase } from "./spans.ts";
import type { Telemetry } from "./telemetry.ts";

/** Who wanted it: the process is told to stop, an operator, or the master itself since a peer reaches more agents. */
export type HandoverOrder = "stop" | "operator" | "reach";

export interface HandoverTimes {
  readonly order: HandoverOrder;
  readonly epoch: string;
  readonly master: string;
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly orderedAt: number;
  /** When each phase ended. One that did not happen is absent. */
  readonly phases: { readonly [P in HandoverPhase]?: number };
}

/** Records the trace of a finished handover; returns the traceparent of its root, undefined when spans are not recorded. */
export function recordHandover(telemetry: Telemetry, { order, epoch, master, orderedAt, phases }: HandoverTimes): string | undefined {
  const attributes = { "mesarch.handover.order": order, "mesarch.epoch": epoch };
  const root = telemetry.startSpan("mesarch.handover", { startTime: orderedAt, attributes: { ...attributes, "mesarch.master.id": master } });
  let previous = orderedAt;
  for (const phase of handoverPhases) {
    const end = phases[phase];
    if (end === undefined) continue;
    telemetry.startSpan(`mesarch.handover.${phase}`, { parent: root.traceparent, startTime: previous, attributes }).end(undefined, end);
    previous = end;
  }
  root.end(undefined, previous);
  return root.traceparent;
}
