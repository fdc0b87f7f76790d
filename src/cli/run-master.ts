/** A master as a process: from its configuration until it is told to stop or cannot go on. */
import type { MasterConfig } from "../config/master-options.ts";
import { defaultSuspicionSettings } from "../core/election/suspicion.ts";
import { defaultMasterSettings } from "../core/master/settings.ts";
import { defaultMasterOptions } from "../master/options.ts";
import { createLogger } from "../telemetry/logger.ts";
import { startTelemetry } from "../telemetry/start.ts";
import { hostName } from "../config/daemon-options.ts";
import { etcdAccess } from "./etcd-access.ts";
import { type MasterProcessOptions, startMaster } from "./start-master.ts";
import { version } from "./version.ts";

/** Resolves after a clean stop; rejects with what a person must know otherwise. */
export async function runMaster(config: MasterConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger({
    service: "mesarch-master",
    role: "master",
    name: config.name,
    level: config.logLevel,
    ...(config.logFile === undefined ? {} : { file: config.logFile }),
  });
  await using telemetry = await startTelemetry({ service: "mesarch-master", version: version(), name: config.name, log });
  const options = await processOptions(config);
  const running = await startMaster({ ...options, etcd: { ...options.etcd, onTrouble: (error) => log.debug("etcd", { error }) } }, telemetry);
  log.info("master up", { address: running.address, etcd: config.etcdEndpoints });
  const stopped = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => stopped.resolve(), { once: true });
  if (signal.aborted) stopped.resolve();
  try {
    await Promise.race([stopped.promise, running.done]);
  } finally {
    await running.stop();
  }
}

async function processOptions(config: MasterConfig): Promise<MasterProcessOptions> {
  const host = config.advertiseHost ?? (config.ip === "0.0.0.0" ? hostName() : config.ip);
  return {
    listen: `${config.ip}:${config.grpcPort}`,
    master: {
      ...defaultMasterOptions,
      name: config.name,
      version: version(),
      advertiseHost: host,
      leaseTtlSeconds: config.leaseTtl / 1000,
      heartbeatMs: config.peerHeartbeat,
      suspicion: { ...defaultSuspicionSettings, silenceMs: config.peerSilence },
      weights: new Map(config.weights.map((pair) => pair.split("=") as [string, string]).map(([role, weight]) => [role, Number(weight)])),
      machine: {
        ...defaultMasterSettings,
        agentPingIntervalMs: config.agentPingInterval,
        agentPingTimeoutMs: config.agentPingTimeout,
        schedulerHeartbeatMs: config.schedulerHeartbeat,
        offerTimeoutMs: config.offerTimeout,
        launchResendMs: config.launchResend,
        unreachablePerMinute: config.unreachablePerMinute,
        lostByMasterGraceSeconds: config.lostByMasterGrace / 1000,
        resubscribeWindowMs: config.resubscribeWindow,
        unreachableRetentionSeconds: config.unreachableRetention / 1000,
        killGraceMs: config.killGrace,
        filterGpuResources: config.filterGpuResources,
      },
    },
    etcd: await etcdAccess(config),
    allowDrills: config.allowDrills,
  };
}
