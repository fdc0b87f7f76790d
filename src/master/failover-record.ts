/** A failover explains itself (D15): its phases as a record for the registry and, once complete, as one trace. */
import type { Clock } from "../async/clock.ts";
import { type Epoch, epochText } from "../base/epoch.ts";
import type { Milestone } from "../core/master/output.ts";
import type { Tables } from "../core/registry/tables.ts";
import { recordFailover } from "../telemetry/failover.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { FailoverPhases, LeaderRecord } from "../wire/gen/mesarch/v1/registry.ts";
import type { Victory } from "./campaign.ts";

/** Traces of carried tasks a failover's trace links to, and how many tasks are looked at for them. */
const LINKS = 100;
const LOOKED_AT = 10_000;

export interface FailoverRecordOptions {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly victory: Victory;
  readonly epoch: Epoch;
  readonly master: string;
  readonly tables: Tables;
}

export class FailoverRecord {
  readonly #options: FailoverRecordOptions;
  /** Wall clock of the first sign. */
  readonly #startedAt: number;
  /** Cluster clock of the last leader's last batch: what was launched later is not carried over. */
  readonly #clockBefore: number;
  #record: LeaderRecord;
  #closed = false;

  constructor(options: FailoverRecordOptions) {
    const { clock, victory, epoch, master, tables } = options;
    this.#options = options;
    const now = clock.now();
    const wall = clock.wall();
    this.#startedAt = wall - (now - victory.firstSignAt);
    this.#clockBefore = tables.head?.clusterClock ?? 0;
    const last = newestLeader(tables);
    this.#record = {
      epoch: { ...epoch },
      master,
      cause: last === undefined ? "bootstrap" : victory.cause,
      previousMaster: victory.previous?.record.master ?? last?.master ?? "",
      previousEpoch: last?.epoch,
      electedAtMs: Math.round(wall - (now - victory.electedAt)),
      phases: {
        detectedMs: victory.detectedAt - victory.firstSignAt,
        // One transaction deposes and elects.
        deposedMs: victory.electedAt - victory.firstSignAt,
        electedMs: victory.electedAt - victory.firstSignAt,
        loadedMs: now - victory.firstSignAt,
        agentsConfirmedMs: undefined,
        firstLaunchMs: undefined,
      },
      tasksCarried: tables.tasks.size,
      agentsKnown: tables.agents.size,
      traceparent: "",
      number: last === undefined ? 0 : last.number + 1,
    };
  }

  get record(): LeaderRecord {
    return this.#record;
  }

  /** A later phase is reached; each counts once. True if the record changed. */
  reached(milestone: Milestone): boolean {
    const phases = this.#record.phases!;
    const at = this.#options.clock.now() - this.#options.victory.firstSignAt;
    if (milestone === "agentsConfirmed" && phases.agentsConfirmedMs === undefined) this.#set({ ...phases, agentsConfirmedMs: at });
    else if (milestone === "firstLaunch" && phases.firstLaunchMs === undefined) this.#set({ ...phases, firstLaunchMs: at });
    else return false;
    return true;
  }

  /** No later phase is waited for: writes the trace, since only ended spans are exported. True if the record changed. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    const { telemetry, epoch, master, tables } = this.#options;
    const phases = this.#record.phases!;
    const at = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : this.#startedAt + ms);
    const traceparent = recordFailover(telemetry, {
      id: epochText(epoch),
      cause: this.#record.cause,
      epoch: epochText(epoch),
      master,
      startedAt: this.#startedAt,
      phases: Object.fromEntries(
        Object.entries({
          detected: at(phases.detectedMs),
          deposed: at(phases.deposedMs),
          elected: at(phases.electedMs),
          loaded: at(phases.loadedMs),
          agents_confirmed: at(phases.agentsConfirmedMs),
          first_launch: at(phases.firstLaunchMs),
        }).filter(([, time]) => time !== undefined),
      ),
      carried: telemetry.enabled ? carriedTraces(tables, this.#clockBefore) : [],
      tasksCarried: this.#record.tasksCarried,
    });
    telemetry.log.info("failover over", { cause: this.#record.cause, ms: wholeMs(phases), traceparent });
    if (traceparent === undefined) return false;
    this.#record = { ...this.#record, traceparent };
    return true;
  }

  #set(phases: FailoverPhases): void {
    this.#record = { ...this.#record, phases };
  }
}

/** As people read durations. */
export function wholeMs(phases: object): object {
  return Object.fromEntries(Object.entries(phases).flatMap(([phase, ms]) => (typeof ms === "number" ? [[phase, Math.round(ms)]] : [])));
}

function newestLeader(tables: Tables): LeaderRecord | undefined {
  let newest: LeaderRecord | undefined;
  for (const leader of tables.leaders.values()) if (newest === undefined || leader.number > newest.number) newest = leader;
  return newest;
}

/** The oldest come first, and those of the present leader last. */
function carriedTraces(tables: Tables, clockBefore: number): string[] {
  const traces: string[] = [];
  let looked = 0;
  for (const { traceparent, launchedAt } of tables.tasks.values()) {
    looked += 1;
    if (traceparent !== "" && launchedAt <= clockBefore) traces.push(traceparent);
    if (traces.length >= LINKS || looked >= LOOKED_AT) break;
  }
  return traces;
}
