import type { AgentLedger } from "./agent-ledger.ts";
import { refusedUntil } from "./filters.ts";
import type { AllocatorSettings, Explanation } from "./settings.ts";
import type { Client } from "./share-tree.ts";

/** The first thing in the way of offering this agent to this client, in the order in which a pass would meet it. */
export function explain(
  agent: AgentLedger | undefined,
  client: Client | undefined,
  settings: AllocatorSettings,
): Explanation {
  if (agent === undefined) return { reason: "unknownAgent" };
  if (!agent.active) return { reason: "agentInactive" };
  if (agent.overCommitted) return { reason: "overCommitted" };
  if (!client?.subscribed) return { reason: "notSubscribed" };
  if (client.suppressed) return { reason: "suppressed" };
  if (settings.filterGpuResources && agent.hasGpus && !client.gpu) return { reason: "gpus" };
  const free = agent.free.usableBy(client.role);
  if (free.scalar("cpus") < settings.minimumCpus && free.scalar("mem") < settings.minimumMem) {
    return { reason: "belowMinimum", free };
  }
  const until = refusedUntil(client, agent, free);
  return until === undefined ? { reason: "eligible" } : { reason: "filtered", until };
}
