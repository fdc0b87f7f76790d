/** The registry's part in the trace of a launch. */
import { type Epoch, epochText } from "../base/epoch.ts";
import type { Change } from "../core/registry/change.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** One span for each launch of a committed batch that is traced. Times: milliseconds since 1970. */
export function traceCommit(
  telemetry: Telemetry,
  writes: readonly Change[],
  commit: { readonly from: number; readonly to: number; readonly revision: number; readonly epoch: Epoch },
): void {
  if (!telemetry.enabled) return;
  for (const change of writes) {
    if (change.kind !== "t" || change.record === undefined || change.record.traceparent === "" || change.record.seq > 0) continue;
    const attributes = {
      "mesarch.registry.revision": commit.revision,
      "mesarch.launch.id": change.id,
      "mesarch.epoch": epochText(commit.epoch),
    };
    telemetry.startSpan("mesarch.commit", { parent: change.record.traceparent, startTime: commit.from, attributes }).end({}, commit.to);
  }
}
