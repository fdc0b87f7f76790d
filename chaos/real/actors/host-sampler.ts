/** What the daemons take of this machine: once a second while things happen, and what they hold at rest. */
import { setTimeout as delay } from "node:timers/promises";
import type { Recorder } from "../../history/recorder.ts";
import type { Daemon } from "../cluster/daemon.ts";
import { consumption } from "../host/processes.ts";
import type { LogWatcher } from "./log-watcher.ts";

export interface SamplerOptions {
  readonly daemons: readonly Daemon[];
  readonly logs: LogWatcher;
  readonly recorder: Recorder;
}

const EVERY_MS = 1_000;
/** In which those that are asked collect their garbage and say what is left. */
const GARBAGE_MS = 1_200;

export class HostSampler {
  readonly #options: SamplerOptions;
  readonly #stop: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#stop = options.logs.onLine((name, { msg, heldMb }) => {
      if (msg === "memory held" && typeof heldMb === "number") this.#record(name, heldMb);
    });
  }

  /** Once a second from now on. */
  begin(): void {
    this.#timer = setInterval(() => {
      for (const { name, pid } of this.#options.daemons) {
        const taken = pid === undefined ? undefined : consumption(pid);
        if (taken !== undefined) this.#options.recorder.record({ actor: "host", kind: "observe", op: "process", value: { name, ...taken } });
      }
    }, EVERY_MS);
  }

  /** No more of that. */
  end(): void {
    clearInterval(this.#timer);
  }

  /** What masters and agents hold at rest; frameworks are the harness's own. */
  async atRest(): Promise<void> {
    for (const daemon of this.#options.daemons) if (/^(master|agent)\//.test(daemon.name)) daemon.collectGarbage();
    await delay(GARBAGE_MS);
  }

  close(): void {
    this.end();
    this.#stop();
  }

  #record(name: string, heldMb: number): void {
    const pid = this.#options.daemons.find((daemon) => daemon.name === name)?.pid;
    const taken = pid === undefined ? undefined : consumption(pid);
    if (taken !== undefined) this.#options.recorder.record({ actor: "host", kind: "observe", op: "process", value: { name, ...taken, heldMb } });
  }
}
