import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Account } from "./account.ts";
import { DEFAULT_PATH, launcher } from "./launch-script.ts";
import { openOutput } from "./prepare-run.ts";

const MONITOR = fileURLToPath(new URL("./monitor.sh", import.meta.url));

export interface MonitorSpec {
  /** Runs monitor.sh: dash, bash, or another POSIX shell. */
  readonly shell: string;
  readonly runDirectory: string;
  readonly sandbox: string;
  readonly controlGroups: readonly string[];
  readonly account: Account | undefined;
}

/**
 * Spawns a monitor that neither ends with this process nor holds anything of it. `onExit` is called when it has ended,
 * if this process sees that. Rejects with a system error; then nothing was spawned.
 */
export async function spawnMonitor(spec: MonitorSpec, onExit: () => void): Promise<void> {
  const { sandbox, account } = spec;
  await using stdout = await openOutput(sandbox, "stdout", account);
  await using stderr = await openOutput(sandbox, "stderr", account);
  const words = launcher(spec.account?.name, spec.account?.gid);
  const monitor = spawn(spec.shell, [MONITOR, spec.runDirectory, spec.controlGroups.join(" "), ...words], {
    argv0: "sh",
    cwd: spec.sandbox,
    detached: true,
    env: { PATH: DEFAULT_PATH },
    stdio: ["ignore", stdout.fd, stderr.fd],
  });
  monitor.once("exit", onExit);
  monitor.unref();
  await once(monitor, "spawn");
}
