/** What this process knows beyond the machine: peers, alarms, store size; and stale answers from the folded tables. */
import type { Clock } from "../async/clock.ts";
import { answerFromTables } from "../core/master/view.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { MasterView, OperatorRequest, OperatorResponse } from "../wire/gen/mesarch/v1/operator.ts";
import type { PeerHeartbeat } from "../wire/gen/mesarch/v1/peers.ts";
import type { Follower } from "./follower.ts";
import type { LeaderLoop } from "./leader-loop.ts";
import type { MasterOptions } from "./options.ts";
import type { Watchtower } from "./watchtower.ts";

/** An alarm is shown to operators for this long after it was last raised. */
const ALARM_SHOWN_MS = 10 * 60_000;
const MAX_ALARMS = 100;
const HANDOVER_PAUSE_MS = 60_000;

export interface MasterReportOptions {
  readonly options: MasterOptions;
  readonly clock: Clock;
  readonly follower: Follower;
  readonly watchtower: Watchtower;
  readonly leadership: () => LeaderLoop | undefined;
  readonly agentsConnected: () => number;
}

export class MasterReport {
  readonly #options: MasterReportOptions;
  readonly #peers = new Map<string, PeerHeartbeat>();
  readonly #alarms = new Map<string, { message: string; at: number }>();
  #handedOverAt = -Infinity;
  #size = { usedBytes: 0, quotaBytes: 0 };

  constructor(options: MasterReportOptions) {
    this.#options = options;
  }

  /** Of a queued master. */
  peer(beat: PeerHeartbeat): void {
    this.#peers.set(beat.master, beat);
    const { candidates } = this.#options.watchtower;
    if (this.#peers.size <= candidates.length) return;
    const queued = new Set(candidates.map(({ record }) => record.master));
    for (const master of this.#peers.keys()) if (!queued.has(master)) this.#peers.delete(master);
  }

  /** Agents the best connected peer reaches, of those that are alive now: what a silent one reached says nothing (2.16). */
  bestPeerAgents(): number {
    const { watchtower, options } = this.#options;
    const alive = watchtower.candidates.filter((one) => one.record.master !== options.name && watchtower.verdictOn(one) === "alive");
    return Math.max(0, ...alive.map(({ record }) => this.#peers.get(record.master)?.agentsConnected ?? 0));
  }

  /** Handing over for lack of agents happens once a minute at most (2.16). */
  mayHandOver(): boolean {
    const now = this.#options.clock.now();
    if (now - this.#handedOverAt < HANDOVER_PAUSE_MS) return false;
    this.#handedOverAt = now;
    return true;
  }

  /** Revision every live candidate has folded. */
  slowestFold(): number {
    return Math.min(...this.#livePeers().map((beat) => beat.foldedRevision), Number.MAX_SAFE_INTEGER);
  }

  /** Last revision that the leader says it wrote; undefined while no other master leads. */
  leaderRevision(): number | undefined {
    return this.#livePeers().find((beat) => beat.leading !== undefined)?.foldedRevision;
  }

  storeSize(size: { readonly usedBytes: number; readonly quotaBytes: number }): void {
    this.#size = size;
  }

  /** Logs an alarm once per cause and keeps it for `status`. */
  alarm(cause: string, message: string, log: Logger): void {
    if (!this.#alarms.has(cause)) log.error(message, { alarm: cause });
    this.#alarms.delete(cause);
    this.#alarms.set(cause, { message, at: this.#options.clock.now() });
    if (this.#alarms.size > MAX_ALARMS) this.#alarms.delete(this.#alarms.keys().next().value!);
  }

  answerStale(request: OperatorRequest): OperatorResponse | undefined {
    const { follower } = this.#options;
    const answer = answerFromTables(follower.tables, undefined, request);
    if (answer === undefined) return undefined;
    const epoch = follower.tables.head?.epoch;
    return { epoch: epoch === undefined ? undefined : { ...epoch }, revision: follower.shownRevision, stale: true, answer };
  }

  complete(response: OperatorResponse): OperatorResponse {
    const answer = response.answer;
    if (answer?.$case === "masters") return { ...response, answer: { $case: "masters", value: { masters: this.#masters() } } };
    if (answer?.$case !== "status") return response;
    const status = { ...answer.value };
    status.masters = this.#masters().length;
    status.storeUsedBytes = this.#size.usedBytes;
    status.storeQuotaBytes = this.#size.quotaBytes;
    status.warnings = [...status.warnings, ...this.#warnings()];
    return { ...response, answer: { $case: "status", value: status } };
  }

  #warnings(): string[] {
    const { clock, leadership, follower } = this.#options;
    const now = clock.now();
    const warnings: string[] = [];
    const loop = leadership();
    if (loop?.readOnly === true) warnings.push("read-only: the store's space is exhausted; compact, defragment and disarm it");
    const stuck = loop?.stuckMs(now) ?? 0;
    if (stuck > 1_000) warnings.push(`mute: no answer from the store for ${Math.round(stuck)} ms`);
    if (follower.foreignKeys.size > 0) warnings.push(`rows of a foreign hand: ${[...follower.foreignKeys].slice(0, 3).join("; ")}`);
    for (const alarm of this.#alarms.values()) if (now - alarm.at < ALARM_SHOWN_MS) warnings.push(alarm.message);
    return warnings;
  }

  #masters(): MasterView[] {
    const { options, follower, leadership, agentsConnected, watchtower } = this.#options;
    const loop = leadership();
    const head = follower.tables.head?.epoch;
    const own: MasterView = {
      name: options.name,
      address: options.address,
      role: loop !== undefined ? "leader" : follower.revision > 0 ? "standby" : "loading",
      version: options.version,
      epoch: loop === undefined ? head : { ...loop.epoch },
      foldedRevision: loop?.revision ?? follower.revision,
      lastHeardMs: 0,
      agentsConnected: agentsConnected(),
    };
    const versions = new Map(watchtower.candidates.map(({ record }) => [record.master, record.version]));
    const peers = this.#livePeers().map((beat) => ({
      name: beat.master,
      address: beat.address,
      role: beat.leading !== undefined ? "leader" : beat.candidateKey !== "" ? "standby" : "loading",
      version: versions.get(beat.master) ?? "",
      epoch: beat.leading,
      foldedRevision: beat.foldedRevision,
      lastHeardMs: Math.round(watchtower.lastHeardMs(beat.master) ?? 0),
      agentsConnected: beat.agentsConnected,
    }));
    return [own, ...peers].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Peers with a candidate key, or heard within a minute. */
  #livePeers(): PeerHeartbeat[] {
    const { watchtower, options } = this.#options;
    const queued = new Set(watchtower.candidates.map(({ record }) => record.master));
    return [...this.#peers.values()].filter(
      (beat) => beat.master !== options.name && queued.has(beat.master) && (watchtower.lastHeardMs(beat.master) ?? Infinity) < 60_000,
    );
  }
}
