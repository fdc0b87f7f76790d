/** Who a framework is, in plain options. */
import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { FrameworkInfo, FrameworkInfo_Capability_Type } from "../wire/gen/mesos/v1/mesos.ts";

export type FrameworkCapability = Exclude<keyof typeof FrameworkInfo_Capability_Type, "UNRECOGNIZED" | "UNKNOWN">;

export interface FrameworkOptions {
  /** Shown to people. */
  readonly name: string;
  /** Default: random, so that a repeated subscription makes no second framework. Keep it to resume after a restart. */
  readonly id?: string | undefined;
  /** Account that runs the tasks. Default: the account of this process. */
  readonly user?: string;
  /** Roles that get offers. Default: `["*"]`. */
  readonly roles?: readonly string[];
  /** How long the tasks go on without this framework, in seconds; 0 ends them at once. Default 600. */
  readonly failoverTimeoutSeconds?: number;
  readonly principal?: string;
  readonly hostname?: string;
  readonly webuiUrl?: string;
  /** Beyond MULTI_ROLE, PARTITION_AWARE and TASK_KILLING_STATE, which are always on. */
  readonly capabilities?: readonly FrameworkCapability[];
  readonly labels?: Readonly<Record<string, string>>;
}

export const DEFAULT_FAILOVER_TIMEOUT_SECONDS = 600;

const ALWAYS: readonly FrameworkCapability[] = ["MULTI_ROLE", "PARTITION_AWARE", "TASK_KILLING_STATE"];

/** A framework id that no other framework has. */
export function newFrameworkId(): string {
  return randomUUID();
}

/** The wire form of `options`. */
export function frameworkInfo(options: FrameworkOptions): FrameworkInfo {
  const capabilities = new Set([...ALWAYS, ...(options.capabilities ?? [])]);
  return FrameworkInfo.fromPartial({
    id: { value: options.id ?? newFrameworkId() },
    name: options.name,
    user: options.user ?? accountName(),
    roles: [...(options.roles ?? ["*"])],
    failoverTimeout: options.failoverTimeoutSeconds ?? DEFAULT_FAILOVER_TIMEOUT_SECONDS,
    checkpoint: true,
    principal: options.principal,
    hostname: options.hostname,
    webuiUrl: options.webuiUrl,
    capabilities: [...capabilities].map((type) => ({ type: FrameworkInfo_Capability_Type[type] })),
    labels:
      options.labels === undefined
        ? undefined
        : { labels: Object.entries(options.labels).map(([key, value]) => ({ key, value })) },
  });
}

/** The account of this process; a container may run one that has no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env["USER"] ?? "root";
  }
}
