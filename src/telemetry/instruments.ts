/**
 * Every metric, declared once. Names, units and attribute keys are an interface for dashboards and alerts.
 *
 * An attribute key must be declared here, and its values must be few: ids, names of frameworks and the like would make
 * one series each, and belong on spans and logs.
 */

/** Counts events. */
export interface Counter<K extends string> {
  add(count: number, ...attributes: MetricAttributes<K>): void;
}

/** Counts measurements by size. */
export interface Histogram<K extends string> {
  record(value: number, ...attributes: MetricAttributes<K>): void;
}

/** Shows a present value, asked for only when metrics are collected: costs nothing in between. */
export interface Gauge<K extends string> {
  /** `read` reports each present value; returns what ends it, say when a leadership ends. */
  observe(read: (report: (value: number, ...attributes: MetricAttributes<K>) => void) => void): () => void;
}

export type MetricAttributes<K extends string> = [K] extends [never] ? [] : [attributes: Readonly<Record<K, string>>];

export interface Declaration<Kind extends InstrumentKind = InstrumentKind, K extends string = string> {
  readonly kind: Kind;
  readonly name: string;
  /** UCUM: `s`, `1`, `{task}`. */
  readonly unit: string;
  readonly description: string;
  readonly keys: readonly K[];
  /** Upper bounds of a histogram's buckets, in its unit. */
  readonly boundaries?: readonly number[];
}

export type InstrumentKind = "counter" | "histogram" | "gauge";

function counter<const K extends string = never>(
  name: string,
  unit: string,
  description: string,
  keys: readonly K[] = [],
): Declaration<"counter", K> {
  return { kind: "counter", name, unit, description, keys };
}

function gauge<const K extends string = never>(
  name: string,
  unit: string,
  description: string,
  keys: readonly K[] = [],
): Declaration<"gauge", K> {
  return { kind: "gauge", name, unit, description, keys };
}

function histogram<const K extends string = never>(
  name: string,
  unit: string,
  description: string,
  boundaries: readonly number[],
  keys: readonly K[] = [],
): Declaration<"histogram", K> {
  return { kind: "histogram", name, unit, description, keys, boundaries };
}

/** From a fast commit to a store in trouble. */
const SECONDS_OF_A_COMMIT = [0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];
/** From a seen crash to an expired lease and beyond. */
const SECONDS_OF_A_FAILOVER = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];
/** From a forked command to a large image pulled. */
const SECONDS_OF_A_START = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 96, 128, 256, 512];

export const declarations = Object.freeze({
  leaderStatus: gauge("mesarch.leader.status", "1", "1 on the master that leads, 0 on a standby"),
  epoch: gauge("mesarch.epoch", "1", "Revision of the epoch this process last obeyed or leads in"),
  failoverDuration: histogram(
    "mesarch.failover.duration", "s", "Time from the old leader's last sign of life to the end of a phase",
    SECONDS_OF_A_FAILOVER, ["phase"],
  ),
  failovers: counter("mesarch.failover.total", "{failover}", "Leaderships taken over, by cause", ["cause"]),
  standbyLag: gauge("mesarch.standby.lag", "{revision}", "Registry revisions between the leader's last write and this standby's fold"),
  fencedWrites: counter("mesarch.fenced.writes", "{write}", "Writes and messages refused for an old epoch"),
  commitDuration: histogram(
    "mesarch.registry.commit.duration", "s", "Time of one registry commit, by outcome",
    SECONDS_OF_A_COMMIT, ["outcome"],
  ),
  batchRows: histogram("mesarch.registry.batch.rows", "{row}", "Rows in one registry commit", ROWS),
  mailboxDepth: gauge("mesarch.mailbox.depth", "{item}", "Inputs waiting for the leading machine"),
  agents: gauge("mesarch.agents", "{agent}", "Agents of the cluster, told by its leader", ["state"]),
  tasks: gauge("mesarch.tasks", "{task}", "Tasks not yet forgotten, told by the leader", ["state"]),
  frameworks: gauge("mesarch.frameworks", "{framework}", "Frameworks of the cluster, told by its leader", ["state"]),
  offersOutstanding: gauge("mesarch.offers.outstanding", "{offer}", "Offers not yet answered, told by the leader"),
  launches: counter("mesarch.launches", "{task}", "Tasks whose launch became durable"),
  taskUpdates: counter("mesarch.task.updates", "{update}", "Task status updates accepted, by state", ["state"]),
  taskStartDuration: histogram(
    "mesarch.agent.task.start.duration", "s", "Time from the launch message to the running task, on the agent",
    SECONDS_OF_A_START,
  ),
  eventLoopDelay: gauge(
    "mesarch.eventloop.delay", "s", "Delay of the event loop since the last collection", ["quantile"],
  ),
});

type InstrumentOf<D> =
  D extends Declaration<"counter", infer K> ? Counter<K>
  : D extends Declaration<"histogram", infer K> ? Histogram<K>
  : D extends Declaration<"gauge", infer K> ? Gauge<K>
  : never;

export type Instruments = { readonly [N in keyof typeof declarations]: InstrumentOf<(typeof declarations)[N]> };

/** Builds one instrument per declaration. */
export function buildInstruments(
  build: (declaration: Declaration) => Counter<string> | Histogram<string> | Gauge<string>,
): Instruments {
  const entries = Object.entries(declarations).map(([key, declaration]) => [key, build(declaration)]);
  return Object.fromEntries(entries) as Instruments;
}
