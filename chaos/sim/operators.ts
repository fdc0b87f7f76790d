/** Operators that keep asking some master, leading or not, for the tasks there are. */
import { epochText } from "../../src/base/epoch.ts";
import { stateName } from "../../src/model/task-state.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";
import type { TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import type { OperatorResponse } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { Chance } from "./chance.ts";
import type { SimCluster } from "./cluster.ts";

const EVERY_MS = 4_000;

/** Asks until the run ends. */
export function keepReading(cluster: SimCluster): void {
  const { time, plan } = cluster;
  const chance = new Chance(plan.seed, "operators");
  const read = (): void => {
    readOnce(cluster, chance);
    time.after(chance.between(0.5, 1.5) * EVERY_MS, read);
  };
  time.after(EVERY_MS, read);
}

function readOnce({ masters, time, write }: SimCluster, chance: Chance): void {
  const node = chance.pick(masters);
  const { master, process, name } = node;
  if (master === undefined || process?.runs !== true) return;
  const startedAt = time.now;
  const heard = (response: OperatorResponse): void => {
    if (!process.runs || response.answer?.$case !== "tasks" || response.epoch === undefined) return;
    const tasks: Record<string, TaskStateName> = {};
    for (const { record, shownState, finished } of response.answer.value.tasks) {
      if (record !== undefined && !finished) tasks[record.info?.taskId?.value ?? ""] = stateName(shownState as TaskState) as TaskStateName;
    }
    const { epoch, revision, stale } = response;
    write({ actor: `operator/${name}`, kind: "observe", op: "read", epoch: epochText(epoch), revision, value: { master: name, stale, startedAt, tasks } });
  };
  const request = { allowStale: true, call: { $case: "listTasks" as const, value: { frameworkId: "", agentId: "", finished: false, limit: 0 } } };
  // Refused, or cut off: nothing was read.
  master.operators.call(request, "").then(heard, () => {});
}
