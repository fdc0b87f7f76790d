import test from "ava";
import { ManualClock } from "../../../src/async/manual-clock.ts";
import type { RunSpec } from "../../../src/ports/containers.ts";
import { SimulatedHost } from "../../../chaos/twins/simulated-containers.ts";
import { containersContract } from "../../containers/contract.ts";
import { ObservedRuns } from "../../containers/observed-runs.ts";

let made = 0;

function nextSpec(): RunSpec {
  const launchId = (made += 1).toString(16).padStart(32, "0");
  return { launchId, command: { shell: true, value: "simulated" }, environment: {}, sandbox: `/sandbox/${launchId}` };
}

containersContract(test, "simulated", async () => {
  const host = new SimulatedHost();
  return {
    open: async () => host.open(),
    spec: nextSpec,
    finish: async (launchId, status) => host.finish(launchId, status),
    [Symbol.asyncDispose]: async () => {},
  };
});

test("what ignores TERM ends when the shortest grace is over", async (t) => {
  const clock = new ManualClock();
  const host = new SimulatedHost(clock);
  host.obeysTerm = () => false;
  await using containers = host.open();
  const runs = new ObservedRuns(containers);
  const spec = nextSpec();
  await containers.start(spec);
  await runs.until(spec.launchId, "running");
  await containers.kill(spec.launchId, 5_000);
  await containers.kill(spec.launchId, 9_000);
  await containers.kill(spec.launchId, 1_000);
  clock.advance(999);
  t.is((await containers.inspect(spec.launchId)).kind, "running");
  clock.advance(1);
  t.like(await containers.inspect(spec.launchId), { kind: "exited", status: 137, killed: true });
});

test("a failure to start, the death of a monitor and a restart of the host can be played", async (t) => {
  const host = new SimulatedHost();
  await using containers = host.open();
  const runs = new ObservedRuns(containers);
  const [orphaned, caught] = [nextSpec(), nextSpec()];
  host.failNextStart(new Error("disk full"));
  await t.throwsAsync(containers.start(orphaned), { message: "disk full" });
  await containers.start(orphaned);
  await containers.start(caught);
  await runs.until(orphaned.launchId, "running");
  host.killMonitor(orphaned.launchId);
  t.like(await containers.inspect(orphaned.launchId), { kind: "running", monitored: false });
  host.finish(orphaned.launchId, 0);
  t.is((await containers.inspect(orphaned.launchId)).kind, "lost");
  host.reboot();
  t.is((await containers.inspect(caught.launchId)).kind, "lost");
});
