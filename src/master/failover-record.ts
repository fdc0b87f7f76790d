/** A failover explains itself (D15): its phases as a record for the registry and as one trace. */
import type { Clock } from "../async/clock.ts";
import { type Epoch, epochText } from "../base/epoch.ts";
import type { Milestone } from "../core/master/output.ts";
import type { Tables } from "../core/registry/tables.ts";
import { limits } from "../model/limits.ts";
import type { FailoverPhase } from "../telemetry/spans.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { FailoverPhases, LeaderRecord } from "../wire/gen/mesarch/v1/registry.ts";
import type { Victory } from "./campaign.ts";

/** Traces of carried tasks a failover's trace links to. */
const LINKS = 100;

export class FailoverRecord {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #victory: Victory;
  readonly #startedWall: number;
  readonly #traceparent: string;
  readonly #endSpan: (endTime: number) => void;
  #record: LeaderRecord;

  constructor(options: {
    readonly clock: Clock;
    readonly telemetry: Telemetry;
    readonly victory: Victory;
    readonly epoch: Epoch;
    readonly master: string;
    readonly tables: Tables;
  }) {
    const { clock, telemetry, victory, epoch, master, tables } = options;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#victory = victory;
    const now = clock.now();
    const wall = clock.wall();
    this.#startedWall = wall - (now - victory.firstSignAt);
    const last = newestLeader(tables);
    const number = last === undefined ? 0 : last.number + 1;
    const span = telemetry.startSpan("mesarch.failover", {
      startTime: this.#startedWall,
      links: telemetry.enabled ? carriedTraces(tables) : [],
      attributes: {
        "mesarch.failover.cause": victory.cause,
        "mesarch.epoch": epochText(epoch),
        "mesarch.master.id": master,
        "mesarch.tasks.carried": tables.tasks.size,
      },
    });
    this.#traceparent = span.traceparent ?? "";
    this.#endSpan = (endTime) => span.end({}, endTime);
    this.#record = {
      epoch: { ...epoch },
      master,
      cause: last === undefined ? "bootstrap" : victory.cause,
      previousMaster: victory.previous?.record.master ?? last?.master ?? "",
      previousEpoch: last?.epoch,
      electedAtMs: Math.round(wall - (now - victory.electedAt)),
      phases: {
        detectedMs: victory.detectedAt - victory.firstSignAt,
        deposedMs: victory.electedAt - victory.firstSignAt,
        electedMs: victory.electedAt - victory.firstSignAt,
        loadedMs: now - victory.firstSignAt,
        agentsConfirmedMs: undefined,
        firstLaunchMs: undefined,
      },
      tasksCarried: tables.tasks.size,
      agentsKnown: tables.agents.size,
      traceparent: this.#traceparent,
      number,
    };
    telemetry.instruments.failovers.add(1, { cause: victory.cause });
    this.#phase("detected", 0, this.#record.phases!.detectedMs!);
    this.#phase("elected", this.#record.phases!.detectedMs!, this.#record.phases!.electedMs!);
    this.#phase("loaded", this.#record.phases!.electedMs!, this.#record.phases!.loadedMs!);
  }

  get record(): LeaderRecord {
    return this.#record;
  }

  /** Slot of this record in the ring of leaders. */
  static slot(record: LeaderRecord): string {
    return String(record.number % limits.leaderHistory);
  }

  /** A later phase is reached; each counts once. */
  reached(milestone: Milestone): void {
    const phases = this.#record.phases!;
    const at = this.#clock.now() - this.#victory.firstSignAt;
    if (milestone === "agentsConfirmed" && phases.agentsConfirmedMs === undefined) this.#set({ ...phases, agentsConfirmedMs: at });
    else if (milestone === "firstLaunch" && phases.firstLaunchMs === undefined) this.#set({ ...phases, firstLaunchMs: at });
    else return;
    const phase = milestone === "agentsConfirmed" ? "agents_confirmed" : "first_launch";
    this.#phase(phase, phases.loadedMs!, at);
  }

  /** Only ended spans are exported: the whole failover ends when its last phase is known or given up on. */
  close(): void {
    const { agentsConfirmedMs, firstLaunchMs, loadedMs } = this.#record.phases!;
    this.#endSpan(this.#startedWall + Math.max(agentsConfirmedMs ?? 0, firstLaunchMs ?? 0, loadedMs!));
  }

  #set(phases: FailoverPhases): void {
    this.#record = { ...this.#record, phases };
  }

  #phase(phase: FailoverPhase, fromMs: number, toMs: number): void {
    this.#telemetry.instruments.failoverDuration.record((toMs - fromMs) / 1000, { phase });
    if (!this.#telemetry.enabled) return;
    this.#telemetry
      .startSpan(`mesarch.failover.${phase}`, { parent: this.#traceparent || undefined, startTime: this.#startedWall + fromMs })
      .end({}, this.#startedWall + toMs);
  }
}

function newestLeader(tables: Tables): LeaderRecord | undefined {
  let newest: LeaderRecord | undefined;
  for (const leader of tables.leaders.values()) if (newest === undefined || leader.number > newest.number) newest = leader;
  return newest;
}

function carriedTraces(tables: Tables): string[] {
  const traces: string[] = [];
  for (const task of tables.tasks.values()) {
    if (task.traceparent !== "") traces.push(task.traceparent);
    if (traces.length >= LINKS) break;
  }
  return traces;
}
