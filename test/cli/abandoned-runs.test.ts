import test from "ava";
import { endAbandonedRuns, killAbandonedRuns } from "../../src/cli/abandoned-runs.ts";
import { identify, isRunning } from "../../src/containers/process-identity.ts";
import { eventually, ObservedRuns } from "../containers/observed-runs.ts";
import { ProcessHost } from "../containers/process-host.ts";

const TIMEOUT_MS = 20_000;

/** A task that TERM does not end, whose agent then dies. */
async function abandoned(host: ProcessHost): Promise<string> {
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.shell("trap '' TERM; sleep 1000 & while :; do sleep 0.05; done");
  await containers.start(spec);
  await runs.until(spec.launchId, "running");
  return spec.launchId;
}

async function isThere(host: ProcessHost, launchId: string): Promise<boolean> {
  const { start, child } = await host.ledger(launchId);
  return [start, child].some((mark) => typeof mark === "object" && isRunning(mark));
}

test("tasks of a dead agent are ended with their monitors, and counted", async (t) => {
  await using host = await ProcessHost.make();
  const launches = [await abandoned(host), await abandoned(host)];
  t.deepEqual(await endAbandonedRuns([host.directory, "/nowhere"], TIMEOUT_MS), { ended: 2, left: 0 });
  for (const launchId of launches) t.false(await isThere(host, launchId));
  t.deepEqual(await endAbandonedRuns([host.directory], TIMEOUT_MS), { ended: 0, left: 0 });
});

test("a task whose monitor was killed is ended, too", async (t) => {
  await using host = await ProcessHost.make();
  const launchId = await abandoned(host);
  process.kill(await host.monitorPid(launchId), "SIGKILL");
  t.deepEqual(await endAbandonedRuns([host.directory], TIMEOUT_MS), { ended: 1, left: 0 });
  t.false(await isThere(host, launchId));
});

test("marks of an earlier boot name strangers, and a run not taken yet is never taken", async (t) => {
  await using host = await ProcessHost.make();
  const { pid, startTime } = identify(process.pid)!;
  await host.leave("a".repeat(32), `start another-boot ${pid} ${startTime}`, `child ${pid} ${startTime}`);
  await host.leave("b".repeat(32));
  t.deepEqual(await endAbandonedRuns([host.directory], TIMEOUT_MS), { ended: 0, left: 0 });
  t.is((await host.ledger("b".repeat(32))).start, "cancelled");
});

test("at the exit of a process they are killed without waiting", async (t) => {
  await using host = await ProcessHost.make();
  const launchId = await abandoned(host);
  killAbandonedRuns([host.directory]);
  await eventually(async () => !(await isThere(host, launchId)), "the end of the task");
  t.pass();
});
