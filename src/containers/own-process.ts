/** The faults of a drill, done to this very process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { MesarchError } from "../base/errors.ts";
import type { DrillFaults } from "../ports/drill-faults.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Longer than any silence that masters wait for, shorter than what operators take for an outage. */
const HANG_SECONDS = 5;

export class OwnProcess implements DrillFaults {
  readonly #log: Logger;
  readonly #hangSeconds: number;

  constructor(log: Logger, hangSeconds = HANG_SECONDS) {
    this.#log = log;
    this.#hangSeconds = hangSeconds;
  }

  crash(): never {
    this.#log.warn("ending by SIGKILL for a drill");
    process.kill(process.pid, "SIGKILL");
    // The kernel spares the first process of a container.
    process.exit(137);
  }

  async hang(): Promise<void> {
    if (process.pid === 1) {
      throw new MesarchError("unavailable", "the first process of a container cannot be stopped", {
        remedy: "Run it under an init, for example with: docker run --init",
      });
    }
    // It stops us and wakes us, in this order however late it runs and however often this is asked for at a time.
    const script = `kill -STOP "$0"; sleep ${this.#hangSeconds}; kill -CONT "$0"`;
    const other = spawn("/bin/sh", ["-c", script, String(process.pid)], { stdio: "ignore", detached: true });
    this.#log.warn("stopping for a drill", { seconds: this.#hangSeconds });
    await once(other, "exit");
  }
}
