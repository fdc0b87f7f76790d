/** Clients that read as they should, in a cluster as large as the bounds allow. */
import test from "ava";
import type { Change } from "../../src/core/registry/change.ts";
import { limits } from "../../src/model/limits.ts";
import { HeadRecord, MetaRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { FrameworkInfo, TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { encodeChange } from "../../src/wire/registry-codec.ts";
import { RawAgent, RawScheduler, Rig, task, until } from "./rig.ts";

/** A registry that an earlier leader left, with these tasks of framework `f` on agent `a`. */
function registry(count: number, state: TaskState, more: (index: number) => object = () => ({})) {
  const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value }, reservations: [] });
  const epoch = { generation: 1, revision: 1 };
  const changes: Change[] = [
    {
      kind: "a",
      id: "a",
      record: {
        info: { hostname: "h", resources: [scalar("cpus", 100_000), scalar("mem", 10_000_000)], attributes: [] } as never,
        incarnation: { starts: 1, nonce: "i" },
        address: "127.0.0.1:1",
        registrationNonce: "n",
        term: 1,
        standing: { $case: "in", value: true },
        unreachableTimeMs: 0,
        deactivated: false,
        generation: 1,
      },
    },
    {
      kind: "f",
      id: "f",
      record: {
        info: FrameworkInfo.fromPartial({ id: { value: "f" }, user: "root", name: "f", roles: ["*"], capabilities: [{ type: 6 }], failoverTimeout: 600 } as never),
        principal: "",
        suppressedRoles: [],
        standing: { $case: "subscribed", value: epoch },
        lostByMaster: false,
      },
    },
  ];
  for (let index = 0; index < count; index += 1) {
    const launchId = (index + 1).toString(16).padStart(32, "0");
    changes.push({
      kind: "t",
      id: launchId,
      record: {
        launchId,
        frameworkId: "f",
        info: task(`task-number-${index}`, "a", more(index)),
        agentId: "a",
        agentTerm: 1,
        generation: 1,
        state,
        latestState: state,
        seq: state === TaskState.TASK_STAGING ? 0 : 1,
        uuid: new Uint8Array(),
        traceparent: "",
        settled: false,
        settledTold: false,
        role: "*",
        launchedAt: 1,
      },
    });
  }
  const meta = MetaRecord.encode({ clusterId: "c", generation: 1, format: 1, lastEpochBefore: undefined }).finish();
  const head = HeadRecord.encode({ epoch, master: "m0", n: 1, ops: 0, clusterClock: 10 }).finish();
  return [{ key: "meta", value: meta }, { key: "head", value: head }, ...changes.map(encodeChange)];
}

test.serial("13.4 a framework with as many tasks as it may have can ask for all of them", async (t) => {
  await using rig = await Rig.start({}, registry(limits.liveTasksPerFramework, TaskState.TASK_RUNNING));
  const scheduler = new RawScheduler(rig, "f");
  scheduler.subscribe();
  await until(() => scheduler.subscribed, "SUBSCRIBED");
  scheduler.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
  await until(() => scheduler.ended || scheduler.updates.length === limits.liveTasksPerFramework, "all answers");
  t.false(scheduler.ended, scheduler.details);
  t.is(scheduler.updates.length, limits.liveTasksPerFramework);
});

test.serial("5.1 an agent that comes back gets all launches it lacks, however large they are together", async (t) => {
  const count = 24;
  await using rig = await Rig.start({}, registry(count, TaskState.TASK_STAGING, () => ({ data: Buffer.alloc(900 * 1024) })));
  const launched = new Set<string>();
  let details = "";
  for (let attempt = 0; attempt < 4 && launched.size < count; attempt += 1) {
    const agent = new RawAgent(rig, "h", { starts: 1, nonce: "i" });
    agent.agentId = "a";
    agent.held = [];
    agent.greet("a");
    await until(() => agent.ended || agent.said("launch").length === count, "the launches");
    for (const { launchId } of agent.said("launch")) launched.add(launchId);
    details = agent.details;
    agent.close();
  }
  t.is(launched.size, count, details);
});

test.serial("an operator who reads gets the snapshot of a large cluster", async (t) => {
  await using rig = await Rig.start({}, registry(limits.liveTasksPerFramework, TaskState.TASK_RUNNING));
  const events = rig.events(true);
  await until(() => events.ended || events.count >= limits.liveTasksPerFramework, "the snapshot");
  t.false(events.ended, events.details);
  t.true(events.count >= limits.liveTasksPerFramework);
});
