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

  constructor(log: Logger) {
    this.#log = log;
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
    // Who will wake us must be there before we sleep.
    const waker = spawn("/bin/sh", ["-c", `sleep ${HANG_SECONDS}; kill -CONT "$0"`, String(process.pid)], { stdio: "ignore", detached: true });
    await once(waker, "spawn");
    waker.unref();
    this.#log.warn("stopping for a drill", { seconds: HANG_SECONDS });
    process.kill(process.pid, "SIGSTOP");
  }
}
