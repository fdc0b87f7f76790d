import type { Input } from "../core/master/input.ts";
import type { MasterMachine } from "../core/master/machine.ts";
import type { Step } from "../core/master/tx.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Call_Type } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";

/** Deciding about a launch is a span of its own, the parent of all that follows from it. */
export function tracedStep(telemetry: Telemetry, machine: MasterMachine, input: Input, now: number): Step {
  if (!telemetry.enabled || input.kind !== "call" || input.call.type !== Call_Type.ACCEPT) return machine.step(input, now);
  const span = telemetry.startSpan("mesarch.accept", { parent: input.traceparent });
  try {
    return machine.step({ ...input, traceparent: span.traceparent ?? input.traceparent }, now);
  } finally {
    span.end();
  }
}
