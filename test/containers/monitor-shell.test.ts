/** The monitor's shell where processes are scarce, and where their numbers come around again. */
import test, { type ExecutionContext } from "ava";
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { access, chmod, constants, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { identify } from "../../src/containers/process-identity.ts";
import type { Containers } from "../../src/ports/containers.ts";
import { eventually, ObservedRuns } from "./observed-runs.ts";
import { ProcessHost } from "./process-host.ts";

const run = promisify(execFile);
const SHELLS = ["/bin/dash", "/bin/bash"].filter((shell) => existsSync(shell));
const LAST_PID = "/proc/sys/kernel/ns_last_pid";

/** A program that runs a monitor as a user of its own, which may have so many processes. */
async function shellWithFew(t: ExecutionContext, shell: string, processes: number): Promise<string> {
  const user = randomInt(100_000, 1_000_000);
  const directory = await mkdtemp(join(tmpdir(), "mesarch-shell-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const program = join(directory, "sh");
  const become = `prlimit --nproc=${processes} setpriv --reuid=${user} --regid=${user} --clear-groups`;
  await writeFile(program, `#!/bin/sh\nchmod 711 "\${2%/*}" "\${2%/*/*}"\nchown -R ${user} "$2" .\nexec ${become} ${shell} "$@"\n`);
  await chmod(program, 0o755);
  return program;
}

/** Starts a task of one process that is deaf to TERM and ends when `finish` is written to its pipe. */
async function startDeaf(host: ProcessHost, containers: Containers): Promise<string> {
  const spec = host.shell("trap '' TERM; echo ready; read -r _ < pipe");
  await mkdir(spec.sandbox, { recursive: true });
  await run("mkfifo", [join(spec.sandbox, "pipe")]);
  await containers.start(spec);
  await eventually(async () => (await host.output(spec.launchId).catch(() => "")) === "ready\n", "the task ignores TERM");
  return spec.launchId;
}

for (const shell of SHELLS) {
  // Two: monitor and task. Three: the timer as well, but not what it waits with.
  for (const processes of [2, 3]) {
    test(`a kill for which no timer can be made is a KILL at once, and told: ${processes} processes, ${shell}`, async (t) => {
      if (process.getuid?.() !== 0) return t.pass("needs a user of its own");
      await using host = await ProcessHost.make({ shell: await shellWithFew(t, shell, processes) });
      await using containers = await host.open();
      const runs = new ObservedRuns(containers);
      const launchId = await startDeaf(host, containers);
      await containers.kill(launchId, 3600_000);
      t.like(await runs.until(launchId, "exited"), { status: 137, killed: true });
    });
  }

  test(`a timer that ended is not looked for under its old pid, with ${shell}`, async (t) => {
    const writable = await access(LAST_PID, constants.W_OK).then(() => true, () => false);
    if (!writable || process.getuid?.() !== 0) return t.pass("pids cannot be chosen");
    await using host = await ProcessHost.make({ shell });
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const launchId = await startDeaf(host, containers);
    await containers.kill(launchId, 3600_000);
    const timer = await timerOf(await host.monitorPid(launchId));
    process.kill(-timer, "SIGKILL");
    await eventually(() => !existsSync(`/proc/${timer}`) && !groupExists(timer), "end of the timer");
    if (!(await startStranger(timer))) return t.pass("somebody else took the pid");
    const stranger = identify(timer);
    await writeFile(join(host.sandbox(launchId), "pipe"), "\n");
    t.like(await runs.until(launchId, "exited"), { status: 0, killed: true });
    t.deepEqual(identify(timer), stranger);
    process.kill(timer, "SIGKILL");
  });
}

/** The pid of the monitor's timer, once it leads a group. */
async function timerOf(monitor: number): Promise<number> {
  let timer = 0;
  await eventually(async () => {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
      const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
      const [, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (parent === String(monitor) && group === pid && command.includes("\0timer\0")) timer = Number(pid);
    }
    return timer !== 0;
  }, "the timer");
  return timer;
}

/** Its number is given to nobody as long as a zombie bears it. */
function groupExists(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** A process in a session of its own with this very pid; false if it could not be had. */
async function startStranger(pid: number): Promise<boolean> {
  const script = `
    for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      echo ${pid - 1} > ${LAST_PID}
      setsid sleep 1000 > /dev/null 2>&1 &
      [ $! != ${pid} ] || exit 0
      kill -KILL $!
    done
    exit 1`;
  const started = await run("/bin/sh", ["-c", script]).then(() => true, () => false);
  // Before its setsid it would not be found by a signal to its group.
  if (started) {
    await eventually(async () => {
      const stat = await readFile(`/proc/${pid}/stat`, "latin1");
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3] === String(pid);
    }, "the stranger's session");
  }
  return started;
}
