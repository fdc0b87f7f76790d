import test from "ava";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { bootId, identify, isRunning, parseStat, signalGroup, signalProcess, signalRemains, startedAt } from "../../src/containers/process-identity.ts";
import { eventually } from "./observed-runs.ts";

/** A line of /proc/PID/stat with the fields that matter. */
function stat(name: string, state: string, threads = 1): string {
  const fields = Array.from({ length: 50 }, () => "0");
  [fields[0], fields[17], fields[19]] = [state, String(threads), "4711"];
  return `42 (${name}) ${fields.join(" ")}\n`;
}

test("a name may hold spaces and parentheses", (t) => {
  for (const name of ["sh", "a b", "a) R 1 (b", ") Z", ""]) t.deepEqual(parseStat(stat(name, "S")), { pid: 42, startTime: "4711" }, name);
});

test("a zombie is no process, unless threads of it run on", (t) => {
  t.is(parseStat(stat("sh", "Z")), undefined);
  t.is(parseStat(stat("sh", "X")), undefined);
  t.truthy(parseStat(stat("sh", "Z", 2)));
  t.is(parseStat(""), undefined);
});

test("11.2 a process's start is told by the monotonic clock", async (t) => {
  const before = performance.now();
  const child = spawn("/bin/cat", { stdio: ["pipe", "ignore", "ignore"] });
  await once(child, "spawn");
  const at = startedAt(identify(child.pid!)!);
  // Ticks are 10 ms, of both processes.
  t.true(at > before - 100 && at < performance.now() + 100, `${at} is not between ${before} and ${performance.now()}`);
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("only the very process is signalled", async (t) => {
  const child = spawn("/bin/cat", { stdio: ["pipe", "ignore", "ignore"], detached: true });
  await once(child, "spawn");
  const identity = identify(child.pid ?? 0);
  if (!identity) return t.fail("it runs");
  const successor = { ...identity, startTime: "1" };
  t.true(isRunning(identity));
  t.false(isRunning(successor));
  t.false(signalProcess(successor, "SIGKILL"));
  t.false(signalGroup(successor, "SIGKILL"));
  t.true(isRunning(identity));
  t.true(signalGroup(identity, "SIGKILL"));
  await once(child, "exit");
  t.false(signalProcess(identity, "SIGKILL"));
  t.regex(bootId(), /^[0-9a-f-]{36}$/);
});

test("what is left of a session is signalled, but not who has its number now", async (t) => {
  const child = spawn("/bin/sh", ["-c", "sleep 1000 & echo $!; exec cat > /dev/null"], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  const leader = identify(child.pid ?? 0);
  const member = Number(String((await once(child.stdout, "data"))[0]));
  if (!leader) return t.fail("it runs");
  t.false(signalRemains({ ...leader, startTime: "1" }, "SIGKILL"), "the number is a stranger's");
  child.stdin.end();
  await once(child, "exit");
  t.is(identify(leader.pid), undefined);
  t.truthy(identify(member));
  t.true(signalRemains(leader, "SIGKILL"));
  await eventually(() => identify(member) === undefined, "end of what is left");
});

test("what is left of a shell's job is no session", async (t) => {
  const job = spawn("/bin/sh", ["-c", "set -m; (sleep 1000 & echo $!; exec sh -c 'echo $$' ) & wait; exec cat > /dev/null"], {
    stdio: ["pipe", "pipe", "ignore"], detached: true,
  });
  let said = "";
  for await (const text of job.stdout) {
    said += String(text);
    if (said.trim().split("\n").length === 2) break;
  }
  const [sleeper = 0, first = 0] = said.trim().split("\n").map(Number);
  await eventually(() => !existsSync(`/proc/${first}`), "end of the job's first process");
  t.false(signalRemains({ pid: first, startTime: "1" }, "SIGKILL"));
  t.truthy(identify(sleeper));
  process.kill(sleeper, "SIGKILL");
  job.stdin.end();
  await once(job, "exit");
});
