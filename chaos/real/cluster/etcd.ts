/** The members of the cluster's etcd, each a process to break. */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import type { EtcdBinary } from "../../../src/dev/etcd-binary.ts";
import type { Belongings } from "../belongings.ts";
import { Daemon, type Launch } from "./daemon.ts";
import { LoopDisk } from "./loop-disk.ts";
import { address, type Network, type Node } from "./network.ts";

export interface EtcdOptions {
  readonly binary: EtcdBinary;
  readonly nodes: readonly Node[];
  readonly network: Network;
  readonly belongings: Belongings;
  readonly logs: string;
  /** Size at which the store refuses writes. */
  readonly quotaBytes: number;
  /** Each member's data is on a disk of its own. */
  readonly disk: boolean;
  readonly onFailure: (name: string, how: string) => void;
}

/** Right for one machine: as in the product's own clusters for development. */
const TIMINGS = ["--heartbeat-interval=50", "--election-timeout=500", "--pre-vote=true"];
/** So that an hour of writes fits a small disk, and a member left behind is sent a snapshot. */
const RETENTION = ["--snapshot-count=10000", "--max-wals=2", "--max-snapshots=2"];
const DISK_MEBIBYTES = 512;
const LOOK_MS = 50;
const READ_MS = 5_000;

interface MemberStatus {
  readonly leads: boolean;
  readonly hasLeader: boolean;
}

export class EtcdMember {
  readonly node: Node;
  readonly daemon: Daemon;
  readonly endpoint: string;
  readonly dataDirectory: string;
  readonly disk: LoopDisk | undefined;

  constructor(node: Node, daemon: Daemon, endpoint: string, dataDirectory: string, disk: LoopDisk | undefined) {
    this.node = node;
    this.daemon = daemon;
    this.endpoint = endpoint;
    this.dataDirectory = dataDirectory;
    this.disk = disk;
  }

  /** By its own word; undefined while it does not answer. */
  async status(): Promise<MemberStatus | undefined> {
    if (!this.daemon.running || this.daemon.frozen) return undefined;
    try {
      const status = (await this.post("maintenance/status", {}, 500)) as { leader?: string; header?: { member_id?: string } };
      const hasLeader = status.leader !== undefined && status.leader !== "0";
      return { leads: hasLeader && status.leader === status.header?.member_id, hasLeader };
    } catch {
      return undefined;
    }
  }

  /** What an administrator asks of this member. Rejects with what it says. */
  async post(call: string, body: object, timeoutMs: number): Promise<unknown> {
    const response = await fetch(`${this.endpoint}/v3/${call}`, { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${call}: ${text}`);
    return JSON.parse(text);
  }
}

export class Etcd {
  readonly members: readonly EtcdMember[];

  constructor(options: EtcdOptions) {
    this.members = options.nodes.map((node) => member(node, options));
  }

  /** Before the first start. */
  async prepare(): Promise<void> {
    for (const { disk } of this.members) await disk?.make();
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  get daemons(): readonly Daemon[] {
    return this.members.map(({ daemon }) => daemon);
  }

  async leader(): Promise<EtcdMember | undefined> {
    const statuses = await Promise.all(this.members.map((each) => each.status()));
    return this.members[statuses.findIndex((status) => status?.leads === true)];
  }

  /** The present one. */
  async revision(): Promise<number> {
    const { header } = (await this.members[0]!.post("kv/range", { key: Buffer.from([0]).toString("base64"), limit: "1" }, READ_MS)) as { header: { revision: string } };
    return Number(header.revision);
  }

  /** Every member runs and knows a leader. */
  async whole(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const statuses = await Promise.all(this.members.map((each) => each.status()));
      if (statuses.every((status) => status?.hasLeader === true)) return;
      if (performance.now() > deadline) throw new Error(`etcd is not whole within ${timeoutMs} ms`);
      await delay(LOOK_MS);
    }
  }
}

function member(node: Node, options: EtcdOptions): EtcdMember {
  const { network, belongings, logs, onFailure } = options;
  const mountPoint = join(belongings.directory, node);
  const disk = options.disk ? new LoopDisk({ image: `${mountPoint}.img`, mountPoint, mebibytes: DISK_MEBIBYTES, belongings }) : undefined;
  const dataDirectory = join(mountPoint, "data");
  const daemon: Daemon = new Daemon({
    name: `etcd/${node}`,
    belongings,
    logs,
    launch: () => launchOf(node, dataDirectory, options),
    onFailure: (how) => onFailure(daemon.name, how),
  });
  return new EtcdMember(node, daemon, `http://${address(network, node, "client")}`, dataDirectory, disk);
}

function launchOf(node: Node, dataDirectory: string, { binary, nodes, network, quotaBytes }: EtcdOptions): Launch {
  const url = (of: Node, door: "client" | "peer"): string => `http://${address(network, of, door)}`;
  const args = [
    `--name=${node}`,
    `--data-dir=${dataDirectory}`,
    `--listen-client-urls=${url(node, "client")}`,
    `--advertise-client-urls=${url(node, "client")}`,
    `--listen-peer-urls=${url(node, "peer")}`,
    `--initial-advertise-peer-urls=${url(node, "peer")}`,
    `--initial-cluster=${nodes.map((each) => `${each}=${url(each, "peer")}`).join(",")}`,
    `--quota-backend-bytes=${quotaBytes}`,
    ...TIMINGS,
    ...RETENTION,
    "--logger=zap",
    "--log-outputs=stderr",
    "--log-level=warn",
  ];
  const [program, ...rest] = [...network.enter(node), binary.path, ...args] as [string, ...string[]];
  const env: Record<string, string> = process.arch === "arm64" && binary.version.startsWith("3.4.") ? { ETCD_UNSUPPORTED_ARCH: "arm64" } : {};
  return { program, args: rest, env };
}
