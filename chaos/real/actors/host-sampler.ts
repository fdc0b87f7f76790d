/** What the daemons take of this machine, once a second. */
import type { Recorder } from "../../history/recorder.ts";
import type { Daemon } from "../cluster/daemon.ts";
import { consumption } from "../host/processes.ts";

const EVERY_MS = 1_000;

/** Returns what ends it. */
export function sampleHost(daemons: readonly Daemon[], recorder: Recorder): () => void {
  const timer = setInterval(() => {
    for (const { name, pid } of daemons) {
      const taken = pid === undefined ? undefined : consumption(pid);
      if (taken !== undefined) recorder.record({ actor: "host", kind: "observe", op: "process", value: { name, ...taken } });
    }
  }, EVERY_MS);
  return () => clearInterval(timer);
}
