/** A cluster, everybody who watches it, and the phases of a run. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { OperatorClient } from "../../src/sdk/index.ts";
import { FileSink, Recorder } from "../history/recorder.ts";
import { Controls } from "./actors/controls.ts";
import type { FrameworkPlan } from "./actors/framework.ts";
import { HostSampler } from "./actors/host-sampler.ts";
import { LogWatcher } from "./actors/log-watcher.ts";
import { OperatorPoller } from "./actors/operator-poller.ts";
import { RegistryWatcher } from "./actors/registry-watcher.ts";
import type { Belongings } from "./belongings.ts";
import { Cluster, type ClusterSize } from "./cluster/cluster.ts";
import type { Network } from "./cluster/network.ts";
import { mesarch } from "./cluster/programs.ts";
import type { Settings } from "./expectations.ts";
import { HISTORIES, LOGS } from "./history-files.ts";
import { leftoversOf } from "./leftovers.ts";
import { monotonicMs } from "./monotonic.ts";
import type { World } from "./nemesis/fault.ts";

export interface ObservedOptions {
  readonly size: ClusterSize;
  readonly network: Network;
  readonly belongings: Belongings;
  readonly report: string;
  readonly built: boolean;
  readonly previous: string | undefined;
  readonly settings: Settings;
  readonly agentFlags: readonly string[];
  readonly disks: boolean;
  readonly ownBoot: boolean;
  readonly fakeTime: string | undefined;
  readonly play: Pick<FrameworkPlan, "seed" | "wants" | "guests" | "failoverTimeoutSeconds">;
  /** Whether a daemon may end by itself now. */
  readonly mayFail: (daemon: string) => boolean;
  readonly tell: (line: string) => void;
}

const QUOTA_BYTES = 64 * 2 ** 20;
const READ_EVERY_MS = 1_000;
const LOOK_MS = 100;
const UNDER_WAY = /waits for|a guest is there/;
const TEARDOWN_MS = 15_000;

export class ObservedCluster {
  readonly cluster: Cluster;
  readonly watcher: RegistryWatcher;
  readonly recorder: Recorder;
  readonly histories: string;
  readonly #options: ObservedOptions;
  readonly #sink: FileSink;
  readonly #logs: LogWatcher;
  readonly #poller: OperatorPoller;
  /** What etcd takes is its own affair. */
  readonly sampler: HostSampler;
  readonly controls: Controls;

  private constructor(options: ObservedOptions, cluster: Cluster, controls: Controls, recorder: Recorder, sink: FileSink, histories: string) {
    this.#options = options;
    this.cluster = cluster;
    this.recorder = recorder;
    this.histories = histories;
    this.#sink = sink;
    this.watcher = new RegistryWatcher(cluster.etcd.endpoints, recorder);
    this.#logs = new LogWatcher(cluster.daemons, recorder);
    const ours = cluster.daemons.filter(({ name }) => !name.startsWith("etcd/"));
    this.sampler = new HostSampler({ daemons: ours, logs: this.#logs, recorder });
    this.controls = controls;
    const masters = cluster.masters.map(({ node, address }) => ({ name: node, address }));
    const hosts = new Set(cluster.agents.map(({ node }) => node));
    this.#poller = new OperatorPoller({ masters, hosts, everyMs: READ_EVERY_MS, inHistory: (revision) => this.watcher.inHistory(revision), recorder });
  }

  /** Resolves once all daemons run. */
  static async start(options: ObservedOptions): Promise<ObservedCluster> {
    const { size, network, belongings, report, built, previous, settings, agentFlags, disks, ownBoot, fakeTime, play, mayFail } = options;
    const histories = join(report, HISTORIES);
    const sink = new FileSink(join(histories, "harness.jsonl"));
    const recorder = new Recorder(monotonicMs, sink);
    const cluster = await Cluster.prepare({
      size,
      network,
      belongings,
      logs: join(report, LOGS),
      histories,
      program: mesarch(built),
      previous: previous === undefined ? undefined : mesarch(built, previous),
      masterFlags: settings.masterFlags,
      agentFlags: [...settings.agentFlags, ...agentFlags],
      quotaBytes: QUOTA_BYTES,
      hosts: { disk: disks, ownBoot },
      fakeTime,
      play,
      onFailure: (of, message) => {
        options.tell(`${of} ${message}`);
        if (!mayFail(of)) recorder.record({ actor: of, kind: "observe", op: "complaint", value: { of, message } });
      },
    });
    const controls = await Controls.start(join(cluster.witnesses, "../controls"), belongings);
    const observed = new ObservedCluster(options, cluster, controls, recorder, sink, histories);
    await cluster.start();
    observed.watcher.start();
    observed.#poller.start();
    return observed;
  }

  get world(): World {
    const { cluster, watcher } = this;
    return {
      cluster,
      watcher,
      agentPingTimeoutMs: this.#options.settings.agentPingTimeoutMs,
      mark: (name) => void this.recorder.record({ actor: "nemesis", kind: "observe", op: "mark", value: { name } }),
      complain: (of, message) => this.complain(of, message),
      logged: (daemon, message, timeoutMs) => this.#logged(daemon, message, timeoutMs),
    };
  }

  complain(of: string, message: string): void {
    this.#options.tell(`${of}: ${message}`);
    this.recorder.record({ actor: "nemesis", kind: "observe", op: "complaint", value: { of, message } });
  }

  wishes(open: readonly string[]): void {
    if (open.length > 0) this.#options.tell(`not content: ${open.join("; ")}`);
    this.recorder.record({ actor: "nemesis", kind: "observe", op: "wishes", value: { of: "the cluster", open } });
  }

  phase(name: "quiet" | "chaos" | "healed" | "settled" | "final"): void {
    this.#options.tell(`phase ${name}`);
    this.recorder.record({ actor: "nemesis", kind: "observe", op: "phase", value: { name } });
  }

  /**
   * Every process plays its part and every framework has what it wants; or what is missing, once the time is up. While
   * frameworks work there always is something `underWay`.
   */
  async untilContent(timeoutMs: number, { underWay = false } = {}): Promise<readonly string[]> {
    const deadline = performance.now() + timeoutMs;
    using operator = this.operator();
    for (;;) {
      const wanted = underWay ? this.cluster.wishes.filter((wish) => !UNDER_WAY.test(wish)) : this.cluster.wishes;
      const wishes = [...wanted, ...(await this.#missing(operator))];
      if (wishes.length === 0 || performance.now() > deadline) return wishes;
      await delay(LOOK_MS);
    }
  }

  operator(): OperatorClient {
    return new OperatorClient({ masters: this.cluster.masterAddresses });
  }

  async readAll(): Promise<void> {
    await this.#poller.readAll();
  }

  /** Nobody watches any more; what is still to be judged are leftovers, once nothing is wanted. Resolves with the end of the history. */
  async close(): Promise<number> {
    const endAt = monotonicMs();
    this.sampler.close();
    await this.controls.stop();
    await this.#poller.stop();
    await this.watcher.stop();
    this.#logs.stop();
    for (const what of await this.#leftovers()) this.recorder.record({ t: endAt, actor: "host", kind: "observe", op: "leftover", value: { what } });
    this.#sink.close();
    return endAt;
  }

  /** After everything was torn down. */
  async #leftovers(): Promise<string[]> {
    const { cluster } = this;
    await cluster.herd?.daemon.end("SIGTERM");
    cluster.order("teardown");
    for (const { daemon } of cluster.frameworks) daemon.hold();
    await cluster.framesEnded(TEARDOWN_MS);
    using operator = this.operator();
    const left = await operator.frameworks({ timeoutMs: TEARDOWN_MS }).catch(() => []);
    for (const { id, record } of left) {
      if (record?.standing?.$case !== "removedAt") await operator.teardownFramework(id, { timeoutMs: TEARDOWN_MS }).catch(() => {});
    }
    return leftoversOf(cluster, TEARDOWN_MS);
  }

  async #missing(operator: OperatorClient): Promise<string[]> {
    const { masters, agentCount } = this.cluster;
    try {
      const status = await operator.status({ timeoutMs: 1_000 });
      const missing: string[] = [];
      if (status.masters !== masters.length) missing.push(`${status.masters} of ${masters.length} masters stand for election`);
      if (status.agentsConfirmed !== agentCount) missing.push(`${status.agentsConfirmed} of ${agentCount} agents are confirmed`);
      return missing;
    } catch (error) {
      return [`no leader: ${error instanceof Error ? error.message : String(error)}`];
    }
  }

  #logged(daemon: string, message: RegExp, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (heard: boolean): void => {
        clearTimeout(timer);
        stop();
        resolve(heard);
      };
      const timer = setTimeout(() => finish(false), timeoutMs);
      const stop = this.#logs.onLine((name, { msg }) => name === daemon && message.test(msg) && finish(true));
    });
  }
}
