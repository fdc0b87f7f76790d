/** Makes system calls of a running process slow, fail or kill it: strace tampers with them while it is attached. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { identify } from "../../../src/containers/process-identity.ts";
import type { Belongings } from "../belongings.ts";
import { find, MissingTool } from "./tools.ts";

export interface Injection {
  readonly pid: number;
  readonly calls: readonly string[];
  /** As strace writes it: `delay_enter=1000000`, `error=EROFS`, `signal=SIGKILL:when=3`. */
  readonly tamper: string;
  /** Only calls about these files; all if none. */
  readonly paths?: readonly string[];
}

const ATTACH_MS = 3_000;

/** Resolves once it is attached; what it resolves with detaches it. Rejects with what strace complains about. */
export async function inject({ pid, calls, tamper, paths = [] }: Injection, belongings: Belongings): Promise<() => Promise<void>> {
  const strace = find("strace");
  if (strace === undefined) throw new MissingTool("strace");
  const set = calls.join(",");
  const args = ["-f", "-p", String(pid), "-e", `trace=${set}`, "-e", `inject=${set}:${tamper}`, ...paths.flatMap((path) => ["-P", path]), "-o", "/dev/null"];
  const child = spawn(strace, args, { stdio: ["ignore", "ignore", "pipe"] });
  if (child.pid !== undefined) belongings.add({ kind: "process", ...(identify(child.pid) ?? { pid: child.pid, startTime: "" }) });
  const gone = once(child, "exit");
  await attached(child);
  return async () => {
    // It lets go of what it traces.
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
    await gone;
  };
}

async function attached(child: ChildProcess): Promise<void> {
  let said = "";
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (/attached/.test(said)) resolve();
  });
  child.once("error", reject);
  child.once("exit", () => reject(new Error(`strace: ${said.trim()}`)));
  void delay(ATTACH_MS).then(() => reject(new Error(`strace did not attach: ${said.trim()}`)));
  await promise;
}
