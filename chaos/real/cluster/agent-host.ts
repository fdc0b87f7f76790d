/** A host with an agent on it: its disk, its boots, and whatever runs there. */
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Belongings } from "../belongings.ts";
import { endAll, tasksIn } from "../host/processes.ts";
import { find } from "../host/tools.ts";
import { Daemon, type Launch } from "./daemon.ts";
import { LoopDisk } from "./loop-disk.ts";
import type { Node } from "./network.ts";

export interface AgentHostOptions {
  readonly node: Node;
  readonly enter: readonly string[];
  /** The agent, but for its work directory; asked at each start. */
  readonly agent: () => { readonly command: readonly string[]; readonly env: Readonly<Record<string, string>> };
  readonly belongings: Belongings;
  readonly logs: string;
  readonly onFailure: (name: string, how: string) => void;
  /** Its work directory is on a disk of its own. */
  readonly disk: boolean;
  /** It is shown a boot of its own, so that the host can be started anew without the machine. */
  readonly ownBoot: boolean;
}

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
/** Enough for the sandboxes of an hour. */
const DISK_MEBIBYTES = 256;
const END_MS = 10_000;

export class AgentHost {
  readonly node: Node;
  readonly daemon: Daemon;
  readonly workDirectory: string;
  readonly disk: LoopDisk | undefined;
  readonly #options: AgentHostOptions;
  readonly #bootFile: string;

  constructor(options: AgentHostOptions) {
    const { node, belongings, logs, onFailure, disk } = options;
    this.#options = options;
    this.node = node;
    const mountPoint = join(belongings.directory, node);
    this.disk = disk ? new LoopDisk({ image: `${mountPoint}.img`, mountPoint, mebibytes: DISK_MEBIBYTES, belongings }) : undefined;
    this.workDirectory = join(mountPoint, "work");
    this.#bootFile = join(belongings.directory, `${node}.boot`);
    this.daemon = new Daemon({
      name: `agent/${node}`,
      belongings,
      logs,
      launch: () => this.#launch(),
      onFailure: (how) => onFailure(this.daemon.name, how),
    });
  }

  /** Before the first start. */
  async prepare(): Promise<void> {
    this.boot();
    await this.disk?.make();
    mkdirSync(this.workDirectory, { recursive: true });
    this.#options.belongings.add({ kind: "tasks", workDirectory: this.workDirectory });
  }

  /** From the next start of the agent on, the host is one that was started anew. */
  boot(): void {
    writeFileSync(this.#bootFile, `${randomUUID()}\n`);
  }

  /** The host loses its power, all but its disk. */
  async endEverything(): Promise<void> {
    const ended = this.daemon.end("SIGKILL");
    await endAll(() => tasksIn(this.workDirectory), END_MS);
    await ended;
  }

  #launch(): Launch {
    const { enter, ownBoot } = this.#options;
    const { command, env } = this.#options.agent();
    const agent = [...command, `--work-dir=${this.workDirectory}`];
    const boot = 'mount --bind "$0" "$1" && shift && exec "$@"';
    const inBoot = ownBoot ? [find("unshare")!, "--mount", "--propagation", "slave", "/bin/sh", "-c", boot, this.#bootFile, BOOT_ID, ...agent] : agent;
    const [program, ...args] = [...enter, ...inBoot] as [string, ...string[]];
    return { program, args, env };
  }
}
