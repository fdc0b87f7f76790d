/** What `mesarch master` can be told. The defaults suit a small production cluster on one LAN. */
import { formatDuration } from "./units.ts";
import { decimal, duration, integer, list, onOff, text, type Values } from "./declare.ts";
import { checkName } from "./addresses.ts";
import { hostName, logOptions } from "./daemon-options.ts";
import { checkEtcd, etcdOptions } from "./etcd-options.ts";

const identity = "Who and where";
const election = "Election and failover";
const agents = "Agents";
const frameworks = "Frameworks";

const hour = 3_600_000;

export const masterOptions = {
  name: text({ doc: "Name of this master, unique in the cluster", default: hostName(), check: checkName, group: identity }),
  ip: text({ doc: "Address to listen on", default: "0.0.0.0", placeholder: "address", group: identity }),
  advertiseHost: text({
    doc: "Host or address by which agents, frameworks and other masters reach this one; default: ip, or the host's name when that is 0.0.0.0",
    placeholder: "host",
    group: identity,
  }),
  grpcPort: integer({ doc: "Port of the gRPC door", default: 6050, min: 0, max: 65_535, group: identity }),
  httpPort: integer({ doc: "Reserved for the HTTP API: nothing listens there yet; 0: none", default: 5050, min: 0, max: 65_535, group: identity }),

  ...etcdOptions,

  leaseTtl: duration({
    doc: "The last resort of failover: a candidate that etcd has not heard of for so long is out; whole seconds",
    default: "5s",
    min: 2_000,
    max: 60_000,
    group: election,
  }),
  peerHeartbeat: duration({ doc: "How often masters tell each other that they live", default: "100ms", min: 10, max: 5_000, group: election }),
  peerSilence: duration({
    doc: "Silence of the leader after which a majority of masters deposes it",
    default: "400ms",
    min: 50,
    max: 60_000,
    group: election,
  }),
  allowDrills: onOff({
    doc: "Let operators crash and hang this master for a drill (mesarch drill); for masters that a supervisor restarts",
    default: false,
    group: election,
  }),

  agentPingInterval: duration({ doc: "How often agents are pinged", default: "15s", min: 100, max: hour, group: agents }),
  agentPingTimeout: duration({
    doc: "Silence, heard by one leader, that makes an agent unreachable",
    default: "75s",
    min: 500,
    max: 24 * hour,
    group: agents,
  }),
  unreachablePerMinute: decimal({
    doc: "Share of all agents that may become unreachable in a minute, at least one",
    default: 0.05,
    min: 0,
    max: 1,
    group: agents,
  }),
  unreachableRetention: duration({ doc: "How long unreachable agents are remembered", default: "2weeks", min: hour, group: agents }),
  launchResend: duration({ doc: "A launch without word from its agent is sent again after this", default: "30s", min: 1_000, max: hour, group: agents }),
  killGrace: duration({ doc: "Between TERM and KILL for tasks that name no grace", default: "3s", max: hour, group: agents }),

  offerTimeout: duration({ doc: "Offers are taken back after this; 0: never", default: "0", max: 24 * hour, group: frameworks }),
  schedulerHeartbeat: duration({ doc: "How often schedulers get a HEARTBEAT", default: "15s", min: 100, max: hour, group: frameworks }),
  resubscribeWindow: duration({
    doc: "After a failover, frameworks that are not back by then are written as disconnected",
    default: "30s",
    min: 1_000,
    max: hour,
    group: frameworks,
  }),
  lostByMasterGrace: duration({
    doc: "Least failover timeout of a framework whose connection was lost by a failover",
    default: "10min",
    min: 1_000,
    group: frameworks,
  }),
  weights: list({
    doc: "Weights of roles where the registry has none, as role=weight",
    default: [],
    check: checkWeight,
    placeholder: "role=n,…",
    group: frameworks,
  }),
  filterGpuResources: onOff({
    doc: "Offer agents with gpus only to frameworks that can use them",
    default: true,
    group: frameworks,
  }),

  ...logOptions,
};

export type MasterConfig = Values<typeof masterOptions>;

function checkWeight(pair: string): string | undefined {
  const [, weight] = /^[^=\s]+=(\d+(?:\.\d+)?)$/.exec(pair) ?? [];
  return Number(weight) > 0 ? undefined : `"${pair}" is not role=weight with a weight above 0`;
}

/** What contradicts in a master's configuration. */
export function checkMaster(config: MasterConfig): string[] {
  const problems: string[] = [];
  if (config.peerSilence < 2 * config.peerHeartbeat) {
    problems.push(`peer-silence (${formatDuration(config.peerSilence)}) must be at least twice peer-heartbeat (${formatDuration(config.peerHeartbeat)})`);
  }
  if (config.leaseTtl <= config.peerSilence) {
    problems.push(`lease-ttl (${formatDuration(config.leaseTtl)}) must be above peer-silence (${formatDuration(config.peerSilence)})`);
  }
  if (config.leaseTtl % 1_000 !== 0) problems.push(`lease-ttl (${formatDuration(config.leaseTtl)}) must be whole seconds: etcd counts in them`);
  if (config.agentPingTimeout < 2 * config.agentPingInterval) {
    problems.push(
      `agent-ping-timeout (${formatDuration(config.agentPingTimeout)}) must be at least twice agent-ping-interval (${formatDuration(config.agentPingInterval)})`,
    );
  }
  if (config.grpcPort !== 0 && config.grpcPort === config.httpPort) problems.push(`grpc-port and http-port are both ${config.grpcPort}`);
  problems.push(...checkEtcd(config));
  return problems;
}
