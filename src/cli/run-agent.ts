/** An agent as a process: from its configuration until it is told to stop, is sent away, or cannot go on. */
import { startAgent } from "./start-agent.ts";
import type { AgentConfig } from "../config/agent-options.ts";
import { MesarchError } from "../base/errors.ts";
import { createLogger } from "../telemetry/logger.ts";
import { startTelemetry } from "../telemetry/start.ts";
import { version } from "./version.ts";

/** Resolves after a clean stop, or when the agent was marked gone; rejects with what a person must know otherwise. */
export async function runAgent(config: AgentConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger({
    service: "mesarch-agent",
    role: "agent",
    name: config.hostname,
    level: config.logLevel,
    ...(config.logFile === undefined ? {} : { file: config.logFile }),
  });
  await using telemetry = await startTelemetry({ service: "mesarch-agent", version: version(), name: config.hostname, log });
  const advertised = config.advertiseHost ?? (config.ip === "0.0.0.0" ? undefined : config.ip);
  await using agent = await startAgent(
    {
      masters: config.masters,
      workDirectory: config.workDir,
      hostname: config.hostname,
      listen: config.ip,
      ...(advertised === undefined ? {} : { ip: advertised }),
      port: config.grpcPort,
      httpPort: config.httpPort,
      allowDrills: config.allowDrills,
      ...(config.resources === undefined ? {} : { resources: config.resources }),
      attributes: config.attributes,
      sandboxKeepMs: config.gcDelay,
      diskFreeShare: config.gcDiskHeadroom,
      logs: { bytes: config.taskLogSize, kept: config.taskLogFiles },
      ...(config.cgroups === "off" ? { controlGroup: undefined } : {}),
      timings: { updateRetryMs: config.updateRetry, updateRetryMaxMs: config.updateRetryMax, killGraceMs: config.killGrace },
    },
    { telemetry },
  );
  const stopped = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => stopped.resolve(), { once: true });
  if (signal.aborted) stopped.resolve();
  await Promise.race([stopped.promise, agent.done]).catch((error: unknown) => {
    if (agent.left?.reason !== "duplicate") throw error;
    throw new MesarchError("conflict", agent.left.message, {
      remedy: "one work directory serves one agent: a copy of it must not run beside the original",
      cause: error,
    });
  });
}
