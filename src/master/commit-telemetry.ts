/** What telemetry tells of a committed batch: its launches, each with the registry's part of its trace, its kills and ends. */
import { type Epoch, epochText } from "../base/epoch.ts";
import type { Change } from "../core/registry/change.ts";
import { isTerminal, stateName } from "../model/task-state.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { TaskRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { TaskState } from "../wire/gen/mesos/v1/mesos.ts";

/** Times: milliseconds since 1970. */
export interface Commit {
  readonly from: number;
  readonly to: number;
  readonly revision: number;
  readonly epoch: Epoch;
}

/** Without exporters, and above the level "debug", this is a look at each row's kind. */
export function tellCommit(telemetry: Telemetry, writes: readonly Change[], commit: Commit): void {
  const debugging = telemetry.log.level === "debug";
  let launches = 0;
  for (const change of writes) {
    if (change.kind !== "t" || change.record === undefined) continue;
    const isLaunch = isNew(change.record);
    if (isLaunch) {
      launches += 1;
      if (telemetry.enabled) traceLaunch(telemetry, change.record, commit);
    }
    if (debugging) logTask(telemetry, change.record, isLaunch);
  }
  if (launches > 0) telemetry.instruments.launches.add(launches);
}

/** As the launch wrote it: whatever is written of a task later tells of an update or a kill. */
function isNew({ state, seq, kill }: TaskRecord): boolean {
  return state === TaskState.TASK_STAGING && seq === 0 && kill === undefined;
}

function traceLaunch(telemetry: Telemetry, { launchId, traceparent }: TaskRecord, { from, to, revision, epoch }: Commit): void {
  if (traceparent === "") return;
  const attributes = { "mesarch.registry.revision": revision, "mesarch.launch.id": launchId, "mesarch.epoch": epochText(epoch) };
  telemetry.startSpan("mesarch.commit", { parent: traceparent, startTime: from, attributes }).end({}, to);
}

function logTask({ log }: Telemetry, record: TaskRecord, isLaunch: boolean): void {
  const { launchId, agentId, traceparent } = record;
  const state = record.state as TaskState;
  const fields = { task: record.info?.taskId?.value, launch: launchId, agent: agentId, traceparent: traceparent || undefined };
  if (isLaunch) log.debug("task launched", fields);
  else if (isTerminal(state)) log.debug("task ended", { ...fields, state: stateName(state) });
  else if (record.kill !== undefined) log.debug("task to be killed", fields);
}
