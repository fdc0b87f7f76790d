import type { MasterSettings } from "../core/master/settings.ts";
import { defaultMasterSettings } from "../core/master/settings.ts";
import { defaultSuspicionSettings, type SuspicionSettings } from "../core/election/suspicion.ts";

/** What a master process is told. Milliseconds unless the name says otherwise. */
export interface MasterOptions {
  /** Unique among the masters of a cluster, and the same across restarts. */
  readonly name: string;
  /** host:port of its gRPC door, as others reach it. */
  readonly address: string;
  readonly version: string;
  /** TTL of the lease under its candidate keys, seconds; at least twice etcd's election timeout (2.7). */
  readonly leaseTtlSeconds: number;
  readonly heartbeatMs: number;
  readonly suspicion: SuspicionSettings;
  /** The registry not answering for this long makes a leader mute (3.6). */
  readonly muteAfterMs: number;
  /** A candidate with nothing in flight proves itself this often (2.6). */
  readonly canaryMs: number;
  /** A full store is tried again this often (3.5). */
  readonly fullRetryMs: number;
  /** History of the store older than this is compacted (13.3). */
  readonly compactAfterMs: number;
  /** A stopping leader without a successor leads on for this long (2.15). */
  readonly stopGraceMs: number;
  /** A leader hearing under half as many agents as its best peer for this long hands over (2.16). */
  readonly cutOffMs: number;
  /** Leaderships a standby practises on scratch tables after its start, so that what takes over is compiled already. */
  readonly rehearsals: number;
  /** Weights for roles that have none in the registry. */
  readonly weights: ReadonlyMap<string, number>;
  readonly machine: MasterSettings;
}

export const defaultMasterOptions: Omit<MasterOptions, "name" | "address"> = Object.freeze({
  version: "0.1.0",
  leaseTtlSeconds: 5,
  heartbeatMs: 100,
  suspicion: defaultSuspicionSettings,
  muteAfterMs: 500,
  canaryMs: 1_000,
  fullRetryMs: 5_000,
  compactAfterMs: 5 * 60_000,
  stopGraceMs: 10_000,
  cutOffMs: 5_000,
  rehearsals: 60,
  weights: new Map(),
  machine: defaultMasterSettings,
});
