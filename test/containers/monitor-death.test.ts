import test from "ava";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { bootId, identify } from "../../src/containers/process-identity.ts";
import type { Containers } from "../../src/ports/containers.ts";
import { eventually, ObservedRuns } from "./observed-runs.ts";
import { ProcessHost } from "./process-host.ts";

/** The identity of a process that is no more. */
async function deadProcess(): Promise<{ pid: number; startTime: string }> {
  const child = spawn("/bin/cat", { stdio: ["pipe", "ignore", "ignore"] });
  await once(child, "spawn");
  const identity = identify(child.pid ?? 0);
  child.stdin.end();
  await once(child, "exit");
  if (!identity) throw new Error("it ended too early");
  return identity;
}

/** A run whose monitor was killed. */
async function orphan(host: ProcessHost, runs: ObservedRuns, containers: Containers, command?: string): Promise<{ launchId: string; pid: number }> {
  const spec = command === undefined ? host.spec() : host.shell(command);
  await containers.start(spec);
  const { pid } = await runs.until(spec.launchId, "running");
  process.kill(await host.monitorPid(spec.launchId), "SIGKILL");
  await runs.until(spec.launchId, "running", ({ monitored }) => !monitored);
  return { launchId: spec.launchId, pid };
}

test("a task goes on without its monitor; its status is lost", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const { launchId, pid } = await orphan(host, runs, containers);
  t.like(await containers.inspect(launchId), { kind: "running", pid, monitored: false });
  await host.finish(launchId, 0);
  await runs.until(launchId, "lost");
  t.deepEqual(runs.kinds(launchId), ["running", "running", "lost"]);
});

test("the agent kills a task without monitor, after its grace with KILL", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const { launchId, pid } = await orphan(host, runs, containers, "trap '' TERM; echo ready; while :; do sleep 0.01; done");
  await eventually(async () => (await host.output(launchId).catch(() => "")).includes("ready"), "the task ignores TERM");
  await containers.kill(launchId, 30_000);
  t.is((await containers.inspect(launchId)).kind, "running");
  await containers.kill(launchId, 20);
  await runs.until(launchId, "lost");
  t.is(identify(pid), undefined);
});

test("8.9: what is left of a task without monitor ends with it, as it does with one, ordered or not", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const stubborn = `(trap '' TERM; echo child $(exec sh -c 'echo $PPID') ready; while :; do sleep 0.01; done) &`;
  for (const [command, grace] of [[`${stubborn} wait`, 60_000], [`${stubborn} until [ -e finish ]; do sleep 0.01; done`, undefined]] as const) {
    const { launchId } = await orphan(host, runs, containers, command);
    await eventually(async () => (await host.output(launchId).catch(() => "")).includes("ready"), "the child ignores TERM");
    const child = Number((await host.output(launchId)).split(" ")[1]);
    t.truthy(identify(child));
    if (grace === undefined) await host.finish(launchId, 0);
    else await containers.kill(launchId, grace);
    await runs.until(launchId, "lost");
    await eventually(() => identify(child) === undefined, "end of the child");
  }
});

test("the next agent finds a task without monitor and finishes its kill", async (t) => {
  await using host = await ProcessHost.make();
  const first = await host.open();
  const { launchId } = await orphan(host, new ObservedRuns(first), first);
  await first[Symbol.asyncDispose]();
  await host.leave(launchId, "kill 10.000");
  await using second = await host.open();
  const runs = new ObservedRuns(second);
  await runs.until(launchId, "lost");
  t.pass();
});

test("a monitor that dies while another agent watches is noticed", async (t) => {
  await using host = await ProcessHost.make();
  const first = await host.open();
  const spec = host.spec();
  await first.start(spec);
  await first[Symbol.asyncDispose]();
  await using second = await host.open();
  const runs = new ObservedRuns(second);
  await runs.until(spec.launchId, "running");
  process.kill(await host.monitorPid(spec.launchId), "SIGKILL");
  t.false((await runs.until(spec.launchId, "running", ({ monitored }) => !monitored)).monitored);
});

test("a monitor that died before its child: never ran, and a late child keeps out", async (t) => {
  await using host = await ProcessHost.make();
  const { launchId } = host.spec();
  const { pid, startTime } = await deadProcess();
  await host.leave(launchId, `start ${bootId()} ${pid} ${startTime}`);
  await using containers = await host.open();
  t.deepEqual(await containers.inspect(launchId), { kind: "neverRan" });
  t.is((await host.ledger(launchId)).child, "void");
  await host.leave(launchId, "child 1 1");
  t.deepEqual(await containers.inspect(launchId), { kind: "neverRan" }, "the first mark counts");
});

test("after a restart of the host no pid is trusted", async (t) => {
  await using host = await ProcessHost.make();
  const own = identify(process.pid);
  const ids = { running: host.spec().launchId, exited: host.spec().launchId, cancelled: host.spec().launchId };
  const marks = [`start 00000000-0000-0000-0000-000000000000 ${own?.pid} ${own?.startTime}`, `child ${own?.pid} ${own?.startTime}`];
  await host.leave(ids.running, ...marks);
  await host.leave(ids.exited, ...marks, "exit 3 0");
  await host.leave(ids.cancelled, "start cancelled");
  await using containers = await host.open();
  t.deepEqual(await containers.inspect(ids.running), { kind: "lost" });
  t.like(await containers.inspect(ids.exited), { kind: "exited", status: 3 });
  t.deepEqual(await containers.inspect(ids.cancelled), { kind: "cancelled" });
  await containers.kill(ids.running, 0);
  t.truthy(identify(process.pid), "and nothing is signalled");
});

test("a pid that was given away again is not taken for the task", async (t) => {
  await using host = await ProcessHost.make();
  const { launchId } = host.spec();
  const dead = await deadProcess();
  await host.leave(launchId, `start ${bootId()} ${dead.pid} ${dead.startTime}`, `child ${process.pid} 1`, "kill 0.000");
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  await runs.until(launchId, "lost");
  t.truthy(identify(process.pid), "and not killed");
});
