import test from "ava";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { ControlGroups } from "../../src/containers/control-groups.ts";
import { identify } from "../../src/containers/process-identity.ts";
import { eventually, ObservedRuns } from "./observed-runs.ts";
import { ProcessHost } from "./process-host.ts";

const PARENT = `mesarch-test-${process.pid}`;

test.after.always(async () => {
  for (const hierarchy of ["", "cpu", "memory"]) await rmdir(join("/sys/fs/cgroup", hierarchy, PARENT)).catch(() => {});
});

test("where groups can be made: limits hold, and what leaves the session is found", async (t) => {
  const controlGroups = await ControlGroups.open(PARENT);
  if (!controlGroups) return t.pass("no control groups for us");
  await using host = await ProcessHost.make({ controlGroups });
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const escape = "setsid sleep 1000 & echo child $!; cat /proc/self/cgroup";
  const spec = host.shell(escape, { limits: { cpus: 0.5, memoryBytes: 64 * 1024 * 1024 } });
  await containers.start(spec);
  await runs.until(spec.launchId, "exited");
  const output = await host.output(spec.launchId);
  t.true(output.includes(`/${PARENT}/${spec.launchId}`));
  const child = Number(/child (\d+)/.exec(output)?.[1]);
  await eventually(() => identify(child) === undefined, "end of what escaped");
  await containers.remove(spec.launchId);
});

test("where groups can be made: too much memory ends the task, not its monitor", async (t) => {
  const controlGroups = await ControlGroups.open(PARENT);
  if (!controlGroups) return t.pass("no control groups for us");
  await using host = await ProcessHost.make({ controlGroups });
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const hungry = `exec ${process.execPath} -e 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1))'`;
  const spec = host.shell(hungry, { limits: { memoryBytes: 64 * 1024 * 1024 } });
  await containers.start(spec);
  t.like(await runs.until(spec.launchId, "exited"), { status: 137, killed: false });
  await containers.remove(spec.launchId);
});

test("where no groups can be made there are none", async (t) => {
  t.is(await ControlGroups.open(PARENT, "/no/such/directory"), undefined);
});
