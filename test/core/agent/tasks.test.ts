import test from "ava";
import { stateName } from "../../../src/model/task-state.ts";
import { TaskStatus_Reason as Reason, TaskStatus_Source as Source } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { AgentWorld, RUNNING, exited, launchId } from "./agent-world.ts";

test("6.1: accepted in the journal, then started, then said to run", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  const before = world.journal.length;
  link.launch(1);
  t.deepEqual(world.take(), ["start 1"]);
  t.is(world.journal.length, before + 1);
  world.run(1, { kind: "starting" });
  t.deepEqual(world.take(), []);
  world.run(1, RUNNING);
  const { status, latestState } = world.update();
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
  t.is(world.journal.length, before + 2);
  t.is(latestState, 1);
  t.is(status!.agentId!.value, "agent-1");
  t.is(status!.executorId!.value, "task-1");
  t.is(status!.source, Source.SOURCE_EXECUTOR);
  t.is(status!.uuid!.length, 16);
  t.is(status!.containerStatus!.containerId!.value, launchId(1));
  t.is(status!.containerStatus!.networkInfos[0]!.ipAddresses[0]!.ipAddress, "10.0.0.1");
});

test("6.1: launched twice, it starts once and repeats its own record", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.take();
  link.launch(1);
  t.deepEqual(world.take(), [], "there is nothing to say yet");
  world.run(1, RUNNING);
  world.take();
  link.launch(1);
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
});

test("6.1: over its resources: DROPPED, the same each time, and nothing is held back for it", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1, { resources: "cpus:3" });
  link.launch(2, { resources: "cpus:1.5" });
  const first = world.update();
  t.is(stateName(first.status!.state!), "TASK_DROPPED");
  t.is(first.status!.reason, Reason.REASON_RESOURCES_UNKNOWN);
  t.is(first.status!.source, Source.SOURCE_AGENT);
  world.restart({ 1: RUNNING });
  const again = world.confirmed(6);
  world.take();
  again.launch(2, { resources: "cpus:0.1" });
  t.deepEqual(Buffer.from(world.update().status!.uuid!), Buffer.from(first.status!.uuid!), "also after a restart");
  again.launch(3, { resources: "cpus:1" });
  t.true(world.take().includes("start 3"));
});

test("6.1: ports of two tasks are disjoint, and free again when the first has ended", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1, { resources: "cpus:1;ports:[1000-1002]" });
  link.launch(2, { resources: "cpus:1;ports:[1002-1003]" });
  t.deepEqual(world.take(), ["start 1", "update 2.1 TASK_DROPPED"]);
  world.run(1, RUNNING);
  world.run(1, exited(0));
  link.launch(3, { resources: "cpus:1;ports:[1002-1003]" });
  t.true(world.take().includes("start 3"));
});

test("what this agent cannot run is an error, said plainly", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  const refused = (task: object): string => {
    link.launch(world.machine.state.tasks.size + 1, { task });
    const { status } = world.update();
    t.is(stateName(status!.state!), "TASK_ERROR");
    t.is(status!.reason, Reason.REASON_TASK_INVALID);
    return status!.message!;
  };
  t.regex(refused({ executor: { executorId: { value: "e" }, resources: [] } }), /command tasks only/);
  t.regex(refused({ command: undefined }), /no command/);
  t.regex(refused({ container: { type: 1, volumes: [], networkInfos: [] } }), /container images/);
  t.regex(refused({ command: { value: "x", uris: [{ value: "http://x" }], arguments: [] } }), /URIs/);
  t.regex(refused({ healthCheck: {} }), /checks/);
});

test("the end: FINISHED or FAILED with the exit status in words and as a label", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  const endOf = (n: number, status: number): unknown[] => {
    link.launch(n);
    world.run(n, RUNNING);
    link.acknowledge(world.update());
    world.run(n, exited(status));
    const said = world.update().status!;
    link.acknowledge(world.update());
    return [stateName(said.state!), said.message, said.labels!.labels.map(({ key, value }) => `${key}=${value}`)];
  };
  t.deepEqual(endOf(1, 0), ["TASK_FINISHED", "Command exited with status 0", ["mesarch.exit_status=0"]]);
  t.deepEqual(endOf(2, 3), ["TASK_FAILED", "Command exited with status 3", ["mesarch.exit_status=3"]]);
  t.deepEqual(endOf(3, 137), ["TASK_FAILED", "Command exited with status 137 (signal 9)", ["mesarch.exit_status=137"]]);
});

test("a command that ends before it was seen: RUNNING, then its end", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, exited(0));
  t.deepEqual(world.take(), ["start 1", "update 1.1 TASK_RUNNING"]);
  world.pass(1000);
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING latest TASK_FINISHED"], "7.1: resources are free early");
  link.acknowledge(headOf(world, 1));
  t.deepEqual(world.take(), ["update 1.2 TASK_FINISHED"]);
});

test("7.3: the terminal update acknowledged: forgotten in the journal, then said, then collected", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.run(1, exited(0));
  world.outputs = world.outputs.slice(-1);
  link.acknowledge(world.update());
  t.deepEqual(world.take(), ["update 1.2 TASK_FINISHED", "forgotten 1", "collect 1"]);
  t.is(world.machine.state.digest.count, 0);
  world.restart();
  t.is(world.machine.state.tasks.size, 0);
});

test("7.3: an acknowledgement with another uuid, or of an unknown launch, is an echo", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  world.take();
  link.say({ $case: "acknowledge", value: { launchId: launchId(1), uuid: new Uint8Array(16) } });
  link.say({ $case: "acknowledge", value: { launchId: launchId(9), uuid: new Uint8Array(16) } });
  world.pass(10_000);
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
});

test("7.1: an unacknowledged head is said again after 10 s, doubling to 10 min", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.lead(6, { pingTimeoutMs: 0 });
  link.confirm();
  link.launch(1);
  world.run(1, RUNNING);
  world.take();
  const gaps: number[] = [];
  for (let last = world.now; gaps.length < 9; ) {
    world.pass(1000);
    if (world.take().length === 0) continue;
    gaps.push((world.now - last) / 1000);
    last = world.now;
  }
  t.deepEqual(gaps, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
});

test("7.3: a lost acknowledgement costs one repeat with the same uuid, also across a restart", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  const uuid = Buffer.from(world.update().status!.uuid!);
  world.restart({ 1: RUNNING });
  world.confirmed(6);
  const head = headOf(world, 1);
  t.deepEqual(Buffer.from(head.status!.uuid!), uuid);
  t.is(head.seq, 1);
});

test("7.4: nothing follows a terminal state", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  world.run(1, exited(0));
  world.run(1, { kind: "lost" });
  link.kill(1);
  t.deepEqual(
    world.machine.state.tasks.get(launchId(1))!.updates.map(({ status }) => stateName(status!.state!)),
    ["TASK_RUNNING", "TASK_FINISHED"],
  );
});

test("max_completion_time: killed with the task's own grace, FAILED for that reason", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  const task = { maxCompletionTime: { nanoseconds: 60_000_000_000n }, killPolicy: { gracePeriod: { nanoseconds: 7_000_000_000n } } };
  link.launch(1, { task });
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.take();
  world.pass(59_999);
  t.deepEqual(world.take(), []);
  world.pass(1);
  t.deepEqual(world.take(), ["kill 1 7000"]);
  world.run(1, exited(143, true));
  t.is(world.update().status!.reason, Reason.REASON_MAX_COMPLETION_TIME_REACHED);
  t.deepEqual(world.take(), ["update 1.2 TASK_FAILED"]);
});

test("11.2: after a restart the completion time goes on from when the command started", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1, { task: { maxCompletionTime: { nanoseconds: 60_000_000_000n } } });
  world.run(1, RUNNING);
  const startedAt = world.now;
  world.pass(40_000);
  // The wall clock is set meanwhile: it decides nothing.
  world.wallOffset += 86_400_000;
  world.restart({ 1: { kind: "running", pid: 100, monitored: true, startedAt } });
  world.take();
  world.pass(19_999);
  t.deepEqual(world.take(), []);
  world.pass(1);
  t.deepEqual(world.take(), ["kill 1 3000"]);
});

test("a start that the host refuses: FAILED, and its resources are free", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1, { resources: "cpus:4" });
  world.take();
  world.step({ kind: "startFailed", launchId: launchId(1), reason: "no such user" });
  t.is(world.update().status!.reason, Reason.REASON_CONTAINER_LAUNCH_FAILED);
  t.is(world.update().status!.message, "no such user");
  t.true(world.machine.state.used.isEmpty);
});

test("6.3: a monitor that never shows: after a minute the agent takes the start mark itself", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.step({ kind: "spawned", launchId: launchId(1) });
  world.take();
  world.pass(60_000);
  t.deepEqual(world.take(), ["cancel 1"]);
  world.step({ kind: "cancelled", launchId: launchId(1), won: true });
  t.deepEqual(world.take(), ["update 1.1 TASK_FAILED"]);
});

test("6.3: ... counted from when it was spawned, however long that start had to wait for others", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.lead(6, { pingTimeoutMs: 0 });
  link.confirm();
  link.launch(1);
  world.take();
  world.pass(600_000);
  t.deepEqual(world.take(), []);
  world.step({ kind: "spawned", launchId: launchId(1) });
  world.pass(59_999);
  t.deepEqual(world.take(), []);
  world.pass(1);
  t.deepEqual(world.take(), ["cancel 1"]);
});

test("6.3: ... unless it was seen to run before that was told", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.lead(6, { pingTimeoutMs: 0 });
  link.confirm();
  link.launch(1);
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.step({ kind: "spawned", launchId: launchId(1) });
  world.take();
  world.pass(600_000);
  t.deepEqual(world.take(), []);
});

test("6.4: killed and then too late to start is KILLED", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.step({ kind: "spawned", launchId: launchId(1) });
  link.kill(1);
  world.pass(60_000);
  t.deepEqual(world.take(), ["start 1", "cancel 1"]);
  world.step({ kind: "cancelled", launchId: launchId(1), won: true });
  t.deepEqual(world.take(), ["update 1.1 TASK_KILLED"]);
});

test("... and when the monitor has it after all, it is waited for", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.step({ kind: "spawned", launchId: launchId(1) });
  world.pass(60_000);
  world.step({ kind: "cancelled", launchId: launchId(1), won: false });
  world.take();
  world.run(1, RUNNING);
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
});

test("... and when it was seen to run before the answer came, it is left alone", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.lead(6, { pingTimeoutMs: 0 });
  link.confirm();
  link.launch(1);
  world.step({ kind: "spawned", launchId: launchId(1) });
  world.pass(60_000);
  world.run(1, RUNNING);
  link.acknowledge(world.update());
  world.step({ kind: "cancelled", launchId: launchId(1), won: false });
  world.take();
  world.pass(3600_000);
  t.deepEqual(world.take(), []);
});

function headOf(world: AgentWorld, n: number) {
  const head = world.machine.state.tasks.get(launchId(n))!.updates[0]!;
  return { ...head, latestState: 0, traceparent: "" };
}
