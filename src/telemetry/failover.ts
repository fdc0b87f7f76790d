/** A failover told as one trace, by the new leader, from times that survived the old one. */

import { failoverPhases, type FailoverPhase, type SpanName } from "./spans.ts";
import type { Telemetry } from "./telemetry.ts";

export interface FailoverRecord {
  readonly id: string;
  /** LeaderRecord.cause of registry.proto: bootstrap, crash, silence, stuck, handover or expiry. It is also on a metric. */
  readonly cause: string;
  /** The new leader's epoch, `<generation>-<revision>`. */
  readonly epoch: string;
  readonly master: string;
  /** Last sign of life of the old leader, in milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** When each phase ended, in milliseconds since the Unix epoch. A phase that did not happen is absent. */
  readonly phases: { readonly [P in FailoverPhase]?: number };
  /** Traceparents of the tasks carried over; the first 128 are linked. */
  readonly carried?: readonly (string | undefined)[];
  readonly tasksCarried?: number;
}

/** Phases that begin when the registry is loaded, not when the phase before them ends: they overlap. */
const afterLoaded: ReadonlySet<FailoverPhase> = new Set(["agents_confirmed", "first_launch"]);

/**
 * Records the trace and the metrics of a finished failover; returns the traceparent of its root, undefined when spans
 * are not recorded. The times come from several wall clocks: a phase never ends before it begins.
 */
export function recordFailover(telemetry: Telemetry, failover: FailoverRecord): string | undefined {
  const { id, cause, epoch, master, startedAt, phases } = failover;
  const attributes = { "mesarch.failover.id": id, "mesarch.failover.cause": cause, "mesarch.epoch": epoch };
  const root = telemetry.startSpan("mesarch.failover", {
    startTime: startedAt,
    ...(failover.carried && { links: failover.carried }),
    attributes: {
      ...attributes,
      "mesarch.master.id": master,
      "mesarch.tasks.carried": failover.tasksCarried,
    },
  });
  const { failoverDuration, failovers } = telemetry.instruments;
  let previous = startedAt;
  let last = startedAt;
  for (const phase of failoverPhases) {
    const at = phases[phase];
    if (at === undefined) continue;
    const end = Math.max(at, previous);
    const name: SpanName = `mesarch.failover.${phase}`;
    telemetry.startSpan(name, { parent: root.traceparent, startTime: previous, attributes }).end(undefined, end);
    failoverDuration.record((end - startedAt) / 1000, { phase });
    if (!afterLoaded.has(phase)) previous = end;
    last = Math.max(last, end);
  }
  root.end(undefined, last);
  failovers.add(1, { cause });
  return root.traceparent;
}
