/**
 * The catalogue of spans and their attributes: the names are an interface, used by dashboards and by people.
 *
 * The trace of a launch crosses processes and outlives masters; its traceparent is kept with the task:
 *
 *     mesarch.call ACCEPT      framework -> leader; parent: the framework's own traceparent, if it is authenticated
 *       mesarch.accept         the machine decides
 *         mesarch.commit       the registry batch that makes it durable
 *         mesarch.agent.launch   on the agent, from message to started
 *           mesarch.task.start   the container and its monitor
 *         mesarch.status       one per update of the task's state
 *
 * The trace of a failover is written by the new leader from times kept in the registry:
 *
 *     mesarch.failover         linked to the traces of tasks it carried over
 *       mesarch.failover.detected, .deposed, .elected, .loaded, .agents_confirmed, .first_launch
 *
 * The trace of a handover is written by the master that hands over:
 *
 *     mesarch.handover         from the order until the way is free
 *       mesarch.handover.successor, .drained, .key_removed
 *
 * No span lasts longer than a request, except a failover's and a handover's. Heartbeats and watches are not traced.
 */

import type { SpanKind } from "./telemetry.ts";

/** The phases of a failover, in order; the last two both begin when the registry is loaded. */
export const failoverPhases = Object.freeze([
  "detected",
  "deposed",
  "elected",
  "loaded",
  "agents_confirmed",
  "first_launch",
] as const);

export type FailoverPhase = (typeof failoverPhases)[number];

/** The phases of a handover, in order: somebody to hand over to, all that was admitted said, the own key gone. */
export const handoverPhases = Object.freeze(["successor", "drained", "key_removed"] as const);

export type HandoverPhase = (typeof handoverPhases)[number];

/** Each span with its kind; `mesarch.call` is followed by the name of the call. */
export const spanKinds = Object.freeze({
  "mesarch.call": "server",
  "mesarch.accept": "internal",
  "mesarch.commit": "client",
  "mesarch.agent.launch": "consumer",
  "mesarch.agent.kill": "consumer",
  "mesarch.task.start": "internal",
  "mesarch.status": "producer",
  "mesarch.failover": "internal",
  "mesarch.failover.detected": "internal",
  "mesarch.failover.deposed": "internal",
  "mesarch.failover.elected": "internal",
  "mesarch.failover.loaded": "internal",
  "mesarch.failover.agents_confirmed": "internal",
  "mesarch.failover.first_launch": "internal",
  "mesarch.handover": "internal",
  "mesarch.handover.successor": "internal",
  "mesarch.handover.drained": "internal",
  "mesarch.handover.key_removed": "internal",
} satisfies Record<string, SpanKind>);

export type SpanName = Exclude<keyof typeof spanKinds, "mesarch.call"> | `mesarch.call ${string}`;

export function spanKind(name: SpanName): SpanKind {
  const space = name.indexOf(" ");
  return spanKinds[(space < 0 ? name : name.slice(0, space)) as keyof typeof spanKinds] ?? "internal";
}

/** What is rare and always wanted: kept by every sampler that keeps anything at all. */
export function isAlwaysSampled(name: string): boolean {
  return name.startsWith("mesarch.failover") || name.startsWith("mesarch.handover");
}

/** Attribute names. Ids belong here and in logs, never on metrics. */
export type AttributeName =
  | "mesos.framework.id"
  | "mesos.task.id"
  | "mesos.task.state"
  | "mesarch.master.id"
  /** `<generation>-<revision>`. */
  | "mesarch.epoch"
  | "mesarch.launch.id"
  | "mesarch.registry.revision"
  | "mesarch.failover.id"
  | "mesarch.failover.cause"
  /** What ordered a handover: stop, operator or reach. */
  | "mesarch.handover.order"
  | "mesarch.tasks.carried"
  | "http.response.status_code"
  /** Set by `Span.fail`. */
  | "error.type";
