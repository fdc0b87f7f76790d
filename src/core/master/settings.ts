/** Timings and policies of a leading master. Milliseconds unless the name says otherwise. */
export interface MasterSettings {
  /** Agents are pinged this often. */
  readonly agentPingIntervalMs: number;
  /** Silence of this length, heard by this leader, makes an agent unreachable (5.5). */
  readonly agentPingTimeoutMs: number;
  /** HEARTBEAT events on scheduler streams; told in SUBSCRIBED. */
  readonly schedulerHeartbeatMs: number;
  /** Offers are rescinded after this; 0 means never. */
  readonly offerTimeoutMs: number;
  /** A STAGING task without word on a live session is sent again after this (6.1). */
  readonly launchResendMs: number;
  /** At most this share of the agents may become unreachable in a minute, but always at least one (5.5). */
  readonly unreachablePerMinute: number;
  /** Least failover timeout for frameworks whose stream was lost by our own failover, seconds (10.5). */
  readonly lostByMasterGraceSeconds: number;
  /** After promotion a framework has this long to come back before it is written as disconnected (5.2). */
  readonly resubscribeWindowMs: number;
  /** Unreachable agents are pruned after this many seconds of cluster clock (4.2). */
  readonly unreachableRetentionSeconds: number;
  /** Default kill grace when the task names none. */
  readonly killGraceMs: number;
  /** Agents with gpus are offered only to frameworks with the GPU_RESOURCES capability. */
  readonly filterGpuResources: boolean;
}

export const defaultMasterSettings: MasterSettings = Object.freeze({
  agentPingIntervalMs: 15_000,
  agentPingTimeoutMs: 75_000,
  schedulerHeartbeatMs: 15_000,
  offerTimeoutMs: 0,
  launchResendMs: 30_000,
  unreachablePerMinute: 0.05,
  lostByMasterGraceSeconds: 600,
  resubscribeWindowMs: 30_000,
  unreachableRetentionSeconds: 14 * 24 * 3600,
  killGraceMs: 3_000,
  filterGpuResources: true,
});

/** Which leadership a machine serves. */
export interface Leadership {
  readonly generation: number;
  /** Create-revision of the candidate key. */
  readonly revision: number;
  readonly clusterId: string;
  /** Name of this master. */
  readonly master: string;
  /** host:port of its gRPC door, told to frameworks in MasterInfo. */
  readonly address: string;
  /** Registry revision at promotion. */
  readonly since: number;
  /** Wall clock at promotion, milliseconds since 1970. Only shown, never decided upon (11.2). */
  readonly electedAtMs: number;
}
