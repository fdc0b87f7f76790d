import test from "ava";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { bootId, identify, isRunning, parseStat, signalGroup, signalProcess } from "../../src/containers/process-identity.ts";

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
