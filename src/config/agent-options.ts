/** What `mesarch agent` can be told. */
import { parseAttributes } from "../model/attributes.ts";
import { parseEntries } from "../model/parse-resources.ts";
import { checkAddress } from "./addresses.ts";
import { hostName, logOptions } from "./daemon-options.ts";
import { bytes, choice, decimal, duration, integer, list, onOff, text, type Values } from "./declare.ts";
import { formatBytes, formatDuration } from "./units.ts";

const identity = "Who and where";
const offers = "What it offers";
const tasks = "Tasks and their output";

const hour = 3_600_000;

export const agentOptions = {
  masters: list({
    doc: "Every master as host:port; the agent keeps a session to each",
    default: ["127.0.0.1:6050"],
    check: checkAddress,
    placeholder: "addresses",
    group: identity,
  }),
  workDir: text({
    doc: "Journal and sandboxes; on a local disk, for one agent only, and kept over restarts",
    default: "/var/lib/mesarch/agent",
    placeholder: "path",
    group: identity,
  }),
  ip: text({ doc: "Address to listen on", default: "0.0.0.0", placeholder: "address", group: identity }),
  hostname: text({ doc: "Name of this host as shown in offers", default: hostName(), group: identity }),
  advertiseHost: text({
    doc: "Address of this agent and its tasks as told to others; default: ip, or the first that is not local when that is 0.0.0.0",
    placeholder: "address",
    group: identity,
  }),
  grpcPort: integer({ doc: "Port of the gRPC door", default: 6051, min: 0, max: 65_535, group: identity }),
  httpPort: integer({ doc: "Reserved for the HTTP API: nothing listens there yet, but frameworks are told it as the agent's port", default: 5051, min: 0, max: 65_535, group: identity }),
  allowDrills: onOff({
    doc: "Let operators end this agent's process for a drill (mesarch drill), tasks going on; for agents that a supervisor restarts",
    default: false,
    group: identity,
  }),

  resources: text({
    doc: "What this host gives, for example cpus:8;mem:16000;ports:[31000-32000]; what is not named is found out",
    check: (value) => refusal(parseEntries(value)),
    placeholder: "resources",
    group: offers,
  }),
  attributes: text({
    doc: "Facts for placement, for example rack:r1;ssd:true",
    default: "",
    check: (value) => (value === "" ? undefined : refusal(parseAttributes(value))),
    placeholder: "attributes",
    group: offers,
  }),

  cgroups: choice(["auto", "off"], {
    doc: "Control groups, for limits and ends that leave nothing behind; auto: where the host allows it",
    default: "auto",
    group: tasks,
  }),
  killGrace: duration({ doc: "Between TERM and KILL where neither task nor order says", default: "3s", max: hour, group: tasks }),
  gcDelay: duration({ doc: "How long the sandbox of an ended task is kept", default: "1week", group: tasks }),
  gcDiskHeadroom: decimal({
    doc: "Share of the disk kept free: below it the oldest sandboxes go early",
    default: 0.1,
    min: 0,
    max: 0.9,
    group: tasks,
  }),
  taskLogSize: bytes({ doc: "A task's stdout or stderr is rotated at this size", default: "10MiB", min: 4_096, group: tasks }),
  taskLogFiles: integer({ doc: "Rotated files kept of each", default: 2, min: 1, max: 100, group: tasks }),
  updateRetry: duration({ doc: "An unacknowledged update is sent again after this, doubling", default: "10s", min: 100, group: tasks }),
  updateRetryMax: duration({ doc: "Longest pause between two repeats of an update", default: "10min", min: 100, group: tasks }),

  ...logOptions,
};

export type AgentConfig = Values<typeof agentOptions>;

/** What contradicts in an agent's configuration. */
export function checkAgent(config: AgentConfig): string[] {
  const problems: string[] = [];
  if (config.masters.length === 0) problems.push("masters: at least one is needed");
  if (config.grpcPort !== 0 && config.grpcPort === config.httpPort) problems.push(`grpc-port and http-port are both ${config.grpcPort}`);
  if (config.updateRetryMax < config.updateRetry) {
    problems.push(`update-retry-max (${formatDuration(config.updateRetryMax)}) is below update-retry (${formatDuration(config.updateRetry)})`);
  }
  if (config.taskLogSize > 2 ** 40) problems.push(`task-log-size (${formatBytes(config.taskLogSize)}) is more than 1TiB`);
  return problems;
}

function refusal(checked: { readonly ok: true } | { readonly ok: false; readonly error: string }): string | undefined {
  return checked.ok ? undefined : checked.error;
}
