import test from "ava";
import { existsSync } from "node:fs";
import { isRunning, identify } from "../../src/containers/process-identity.ts";
import { eventually, ObservedRuns } from "./observed-runs.ts";
import { ProcessHost } from "./process-host.ts";

/** Ready when "ready" was written to standard output. */
async function ready(host: ProcessHost, launchId: string, words = "ready"): Promise<void> {
  await eventually(async () => (await host.output(launchId).catch(() => "")).includes(words), `${words} from ${launchId}`);
}

test("TERM gives a task its grace", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.shell("trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.01; done");
  await containers.start(spec);
  await ready(host, spec.launchId);
  await containers.kill(spec.launchId, 60_000);
  t.like(await runs.until(spec.launchId, "exited"), { status: 4, killed: true });
  t.is(await host.output(spec.launchId), "ready\nbye\n");
});

test("what ignores TERM gets KILL, and so do its children", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.shell("trap '' TERM; sleep 1000 & echo child $! ready; while :; do sleep 0.01; done");
  await containers.start(spec);
  await ready(host, spec.launchId);
  const child = identify(Number((await host.output(spec.launchId)).split(" ")[1]));
  t.truthy(child);
  await containers.kill(spec.launchId, 50);
  t.like(await runs.until(spec.launchId, "exited"), { status: 137, killed: true });
  await eventually(() => !child || !isRunning(child), "end of the child");
});

test("what a task leaves in its group ends with it", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.shell("sleep 1000 & echo child $!");
  await containers.start(spec);
  t.like(await runs.until(spec.launchId, "exited"), { status: 0, killed: false });
  const left = Number((await host.output(spec.launchId)).split(" ")[1]);
  await eventually(() => identify(left) === undefined, "end of the child");
});

test("another kill only brings the end forward", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  await containers.start(spec);
  await ready(host, spec.launchId);
  await containers.kill(spec.launchId, 60_000);
  await containers.kill(spec.launchId, 90_000);
  t.is((await host.ledger(spec.launchId)).graceSeconds, 60);
  await containers.kill(spec.launchId, 50);
  t.like(await runs.until(spec.launchId, "exited"), { status: 137, killed: true });
});

for (const shell of ["/bin/sh", "/bin/bash"]) {
  test(`a kill at any moment of a start ends the run, with ${shell}`, async (t) => {
    if (!existsSync(shell)) return t.pass("not here");
    await using host = await ProcessHost.make({ shell });
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const outcomes = new Set<string>();
    for (let round = 0; round < 60; round += 1) {
      const spec = host.shell("exec sleep 1000");
      const started = containers.start(spec);
      if (round % 3 === 1) await started;
      if (round % 3 === 2) await runs.until(spec.launchId, "running");
      await Promise.all([started, containers.kill(spec.launchId, 20_000)]);
      const { kind } = await Promise.race([runs.until(spec.launchId, "exited"), runs.until(spec.launchId, "neverRan")]);
      outcomes.add(kind);
    }
    t.log([...outcomes]);
    t.true(outcomes.has("exited"));
  });
}

test("a monitor takes no notice of TERM, HUP, INT and QUIT", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.spec();
  await containers.start(spec);
  await runs.until(spec.launchId, "running");
  const monitor = await host.monitorPid(spec.launchId);
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1"] as const) process.kill(monitor, signal);
  t.like(await containers.inspect(spec.launchId), { kind: "running", monitored: true });
  await host.finish(spec.launchId, 9);
  t.like(await runs.until(spec.launchId, "exited"), { status: 9, killed: false });
});

test("a kill asked for while no agent was there is obeyed", async (t) => {
  await using host = await ProcessHost.make();
  const spec = host.spec();
  const first = await host.open();
  const before = new ObservedRuns(first);
  await first.start(spec);
  await before.until(spec.launchId, "running");
  await first[Symbol.asyncDispose]();
  await host.leave(spec.launchId, "kill 10.000");
  await using second = await host.open();
  t.like(await new ObservedRuns(second).until(spec.launchId, "exited"), { status: 143, killed: true });
});
