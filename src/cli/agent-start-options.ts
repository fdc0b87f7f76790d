import { hostname, networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { MesarchError } from "../base/errors.ts";
import { detectResources } from "../containers/detect-resources.ts";
import { type LogBounds, defaultLogBounds } from "../containers/log-rotation.ts";
import { type AgentTimings, defaultAgentTimings } from "../core/agent/settings.ts";
import { attributesToMesos, parseAttributes } from "../model/attributes.ts";
import type { Checked } from "../model/checked.ts";
import { Resources } from "../model/resources.ts";
import type { AgentInfo } from "../wire/gen/mesos/v1/mesos.ts";

/** What an agent can be told when it is started; the command line has the same in its own words. */
export interface AgentOptions {
  /** host:port of every master's gRPC door. The agent keeps a stream to each. */
  readonly masters: readonly string[];
  /** Everything the agent keeps, and the sandboxes of its tasks. One agent each. Default /var/lib/mesarch/agent. */
  readonly workDirectory?: string;
  /** Name told to frameworks. Default: the host's. */
  readonly hostname?: string;
  /** Address told to frameworks and masters, of the agent and its tasks. Default: the host's first that is not local. */
  readonly ip?: string;
  /** Address to listen on. Default: all. */
  readonly listen?: string;
  /** Port of the agent's gRPC door. Default 6051; 0 takes any that is free. */
  readonly port?: number;
  /** Port told to frameworks in AgentInfo, for the agent's HTTP door. Default 5051. */
  readonly httpPort?: number;
  /** As in Mesos: `cpus:4;mem:8192;ports:[31000-32000]`. Names left out are detected; ports default as shown. */
  readonly resources?: string;
  /** As in Mesos: `rack:r1;zone:a`. */
  readonly attributes?: string;
  /** Sandboxes are kept this long after their tasks were forgotten, in milliseconds. Default one week. */
  readonly sandboxKeepMs?: number;
  /** While less than this share of the disk is free, sandboxes go sooner, oldest first. Default 0.1. */
  readonly diskFreeShare?: number;
  /** Size and number of log files of each task. Default 10 MiB, and two older ones. */
  readonly logs?: Partial<LogBounds>;
  /** Control group to make the tasks' groups in, where the host allows it; undefined for none. Default "mesarch". */
  readonly controlGroup?: string | undefined;
  /** Operators may end the agent's process. Default false. */
  readonly allowDrills?: boolean;
  /** For tests and drills; see `AgentSettings`. */
  readonly timings?: Partial<AgentTimings>;
}

/** Options with their defaults, checked. */
export interface CompiledAgentOptions {
  readonly masters: readonly string[];
  readonly workDirectory: string;
  readonly ip: string;
  readonly listen: string;
  readonly port: number;
  readonly resources: Resources;
  readonly info: AgentInfo;
  readonly sandboxKeepMs: number;
  readonly diskFreeShare: number;
  readonly logs: LogBounds;
  readonly controlGroup: string | undefined;
  readonly allowDrills: boolean;
  readonly timings: AgentTimings;
}

const DEFAULT_WORK_DIRECTORY = "/var/lib/mesarch/agent";
const DEFAULT_PORT = 6051;
const DEFAULT_HTTP_PORT = 5051;
const DEFAULT_PORTS = "ports:[31000-32000]";
const WEEK_MS = 7 * 24 * 3600 * 1000;

/** Rejects with `invalid` for options that cannot be meant. `prepare` makes the work directory, whose disk is measured. */
export async function compileAgentOptions(
  options: AgentOptions,
  prepare: (workDirectory: string) => Promise<unknown>,
): Promise<CompiledAgentOptions> {
  const workDirectory = resolve(options.workDirectory ?? DEFAULT_WORK_DIRECTORY);
  if (options.masters.length === 0) throw new MesarchError("invalid", "an agent needs the address of at least one master");
  await prepare(workDirectory);
  const resources = await resourcesFor(options.resources ?? "", workDirectory);
  const name = options.hostname ?? hostname();
  return {
    masters: [...new Set(options.masters)],
    workDirectory,
    ip: options.ip ?? firstAddress(),
    listen: options.listen ?? "0.0.0.0",
    port: options.port ?? DEFAULT_PORT,
    resources,
    info: {
      hostname: name,
      port: options.httpPort ?? DEFAULT_HTTP_PORT,
      resources: resources.toMesos(),
      attributes: attributesToMesos(required("attributes", parseAttributes(options.attributes ?? ""))),
    },
    sandboxKeepMs: options.sandboxKeepMs ?? WEEK_MS,
    diskFreeShare: options.diskFreeShare ?? 0.1,
    logs: { ...defaultLogBounds, ...options.logs },
    controlGroup: "controlGroup" in options ? options.controlGroup : "mesarch",
    allowDrills: options.allowDrills ?? false,
    timings: { ...defaultAgentTimings, ...options.timings },
  };
}

/** What is declared, and what is detected for each name that is not. */
async function resourcesFor(text: string, workDirectory: string): Promise<Resources> {
  const declared = required("resources", Resources.parse(text));
  const named = new Set(text.split(";").map((part) => /^\s*([^:(]*)/.exec(part)![1]!.trim()));
  const host = await detectResources(workDirectory);
  const detected = Object.entries(host).map(([name, amount]) => [name, `${name}:${amount}`] as const);
  const missing = [...detected, ["ports", DEFAULT_PORTS] as const].filter(([name]) => !named.has(name));
  return declared.add(required("resources", Resources.parse(missing.map(([, part]) => part).join(";"))));
}

function required<T>(what: string, checked: Checked<T>): T {
  if (!checked.ok) throw new MesarchError("invalid", `${what}: ${checked.error}`);
  return checked.value;
}

function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}
