/** How the leader presents itself to frameworks: MasterInfo of SUBSCRIBED. */
import { epochText } from "../../base/epoch.ts";
import { type MasterInfo, MasterInfo_Capability_Type as CapabilityType } from "../../wire/gen/mesos/v1/mesos.ts";
import { hostOf, networkOrderIp, portOf } from "./addresses.ts";
import type { MasterState } from "./state.ts";

/** The Mesos whose API this is. Three plain integers: clients parse it. */
export const MESOS_VERSION = "1.11.0";

/** `id` changes with every leadership, as clients expect of a new master. */
export function masterInfo(state: MasterState): MasterInfo {
  const { address } = state.leadership;
  const host = hostOf(address);
  const port = portOf(address);
  const ip = networkOrderIp(host);
  return {
    id: `${epochText(state.epoch)}-${state.idNonce}`,
    ip,
    port,
    pid: `master@${host}:${port}`,
    hostname: host,
    version: MESOS_VERSION,
    address: { hostname: host, ...(ip === 0 ? {} : { ip: host }), port },
    capabilities: [{ type: CapabilityType.AGENT_UPDATE }],
  };
}
