import test from "ava";
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, readlink, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ObservedRuns } from "./observed-runs.ts";
import { ProcessHost } from "./process-host.ts";

const run = promisify(execFile);

test("of cancel and monitor exactly one wins", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  let cancelled = 0;
  for (let round = 0; round < 80; round += 1) {
    const spec = host.shell("echo ran");
    const started = containers.start(spec);
    // A growing number of turns later, to meet the monitor at every stage.
    if (round % 2 === 0) await started;
    for (let turn = 0; turn < round * 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const won = await containers.cancel(spec.launchId);
    await started;
    if (won) {
      cancelled += 1;
      await runs.until(spec.launchId, "cancelled");
      t.deepEqual(await containers.inspect(spec.launchId), { kind: "cancelled" });
    } else {
      t.is((await runs.until(spec.launchId, "exited")).status, 0);
    }
    t.is(await host.output(spec.launchId), won ? "" : "ran\n");
  }
  t.log(`${cancelled} of 80 cancelled`);
});

test("many starts by two agents run a command once", async (t) => {
  await using host = await ProcessHost.make();
  await using first = await host.open();
  await using second = await host.open();
  const runs = new ObservedRuns(first);
  for (let round = 0; round < 10; round += 1) {
    const spec = host.shell("echo ran");
    await Promise.all([first, second, first, second].map((containers) => containers.start(spec)));
    await runs.until(spec.launchId, "exited");
    t.is(await host.output(spec.launchId), "ran\n");
  }
});

test("a monitor that comes after the removal of its run does nothing", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  for (let round = 0; round < 20; round += 1) {
    const spec = host.shell("echo ran");
    await containers.start(spec);
    const won = await containers.cancel(spec.launchId);
    await containers.remove(spec.launchId);
    t.deepEqual(await containers.inspect(spec.launchId), { kind: "absent" });
    if (won) t.is(await host.output(spec.launchId), "");
  }
  t.deepEqual(await containers.list(), []);
});

test("a monitor that ends without its mark is told, and the run can be cancelled", async (t) => {
  await using host = await ProcessHost.make({ shell: "/bin/true" });
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.spec();
  await containers.start(spec);
  await runs.until(spec.launchId, "absent");
  t.true(await containers.cancel(spec.launchId));
});

test("a directory that cannot be written is refused before anything starts", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  await writeFile(join(host.directory, "file"), "");
  const spec = host.spec({ sandbox: join(host.directory, "file", "sandbox") });
  await t.throwsAsync(containers.start(spec), { name: "MesarchError", code: "unavailable", message: /ENOTDIR/ });
  t.deepEqual(await containers.inspect(spec.launchId), { kind: "absent" });
});

test("output that is no file is refused at once, and nothing stays open", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  for (const name of ["stdout", "stderr"]) {
    for (const makes of ["mkdir", "mkfifo"]) {
      const spec = host.spec();
      await mkdir(spec.sandbox, { recursive: true });
      await run(makes, [join(spec.sandbox, name)]);
      await t.throwsAsync(containers.start(spec), { name: "MesarchError" });
      t.deepEqual((await openFiles()).filter((file) => file.startsWith(spec.sandbox)), [], `${makes} ${name}`);
    }
  }
});

test("a full disk refuses starts but takes kills and ends", async (t) => {
  await using host = await ProcessHost.make();
  await mkdir(host.runs);
  const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", host.runs]).then(() => true, () => false);
  if (!mounted) return t.pass("needs a mount");
  try {
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const [finished, killed, late] = [host.spec(), host.spec(), host.spec()];
    await containers.start(finished);
    await containers.start(killed);
    await runs.until(finished.launchId, "running");
    await runs.until(killed.launchId, "running");
    await t.throwsAsync(writeFile(join(host.runs, "filler"), Buffer.alloc(1024 * 1024)), { code: "ENOSPC" });
    t.is((await statfs(host.runs)).bfree, 0);

    await t.throwsAsync(containers.start(late), { name: "MesarchError", code: "exhausted" });
    await host.finish(finished.launchId, 6);
    t.is((await runs.until(finished.launchId, "exited")).status, 6);
    await containers.kill(killed.launchId, 5_000);
    t.true((await runs.until(killed.launchId, "exited")).killed);

    await rm(join(host.runs, "filler"));
    t.is((await containers.inspect(late.launchId)).kind, "absent");
    await containers.start(late);
    await runs.until(late.launchId, "running");
    await containers.kill(late.launchId, 0);
    await runs.until(late.launchId, "exited");
    t.regex(await readFile(join(host.runs, late.launchId, "ledger"), "utf8"), /^run 1\n/);
  } finally {
    await run("umount", ["--lazy", host.runs]);
  }
});

async function openFiles(): Promise<string[]> {
  const numbers = await readdir("/proc/self/fd");
  return Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => "")));
}
