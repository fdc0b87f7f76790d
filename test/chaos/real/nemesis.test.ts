/** Whatever goes wrong, what was done is undone. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import test from "ava";
import { MemorySink, Recorder } from "../../../chaos/history/recorder.ts";
import { Belongings, reap } from "../../../chaos/real/belongings.ts";
import type { FaultKind, World } from "../../../chaos/real/nemesis/fault.ts";
import { NobodyToStrike } from "../../../chaos/real/nemesis/fault.ts";
import { AMID_OTHERS, Nemesis } from "../../../chaos/real/nemesis/nemesis.ts";
import type { Round } from "../../../chaos/real/nemesis/plan.ts";
import { Chance } from "../../../chaos/sim/chance.ts";
import { identify, isRunning } from "../../../src/containers/process-identity.ts";

/** A world in which only the doings of faults count. */
function world(done: string[]): World {
  const daemon = { prefix: [] as string[], resume: () => done.push("resumed"), start: () => done.push("started") };
  const firewall = { healAll: async () => void done.push("links healed") };
  const complain = (of: string, message: string) => done.push(`${of}: ${message}`);
  return { cluster: { network: { firewall }, agents: [], etcd: { members: [] }, daemons: [daemon] }, complain } as unknown as World;
}

function nemesisOn(done: string[], signal = new AbortController().signal) {
  const sink = new MemorySink();
  const nemesis = new Nemesis({ world: world(done), recorder: new Recorder(() => performance.now(), sink), tell: () => {}, signal });
  return { nemesis, sink };
}

function kind(name: string, strike: FaultKind["strike"]): FaultKind {
  return { name, about: "", needs: [], lastsMs: [0, 0], answersAfter: "strike", strike };
}

function round(...faults: readonly { readonly kind: FaultKind; readonly forMs?: number }[]): Round {
  return { number: 1, pauseMs: 0, faults: faults.map(({ kind: each, forMs = 1 }) => ({ kind: each, afterMs: 0, forMs, chance: new Chance(1, each.name) })) };
}

function struckBy(name: string, done: string[], mayFail: readonly string[] = []): FaultKind {
  return kind(name, async () => {
    done.push(`${name} on`);
    return { targets: [`master/${name}`], mayFail, undo: async () => void done.push(`${name} off`) };
  });
}

test("a fault is told when it is on and when it is off; what overlaps is told apart", async (t) => {
  const done: string[] = [];
  const { nemesis, sink } = nemesisOn(done);
  await nemesis.play(round({ kind: struckBy("a", done) }));
  await nemesis.play(round({ kind: struckBy("b", done) }, { kind: struckBy("c", done) }));
  const told = sink.events.flatMap((event) => (event.op === "fault" ? [`${event.value.name} ${event.value.targets.join()} ${event.value.on}`] : []));
  t.deepEqual(told.slice(0, 2), ["a master/a true", "a master/a false"]);
  t.true(told.includes(`b${AMID_OTHERS} master/b true`) && told.includes(`c${AMID_OTHERS} master/c false`));
  t.deepEqual(done.toSorted(), ["a off", "a on", "b off", "b on", "c off", "c on"]);
});

test("a fault that cannot be done is a complaint, and everything is healed before the run goes on", async (t) => {
  const done: string[] = [];
  const { nemesis } = nemesisOn(done);
  const broken = kind("broken", async () => {
    throw new Error("strace did not attach");
  });
  await nemesis.play(round({ kind: struckBy("a", done) }, { kind: broken }));
  t.deepEqual(done, ["a on", "a off", "links healed", "resumed", "started", "nemesis: Error: broken amid others failed: Error: strace did not attach"]);
});

test("what is not undone at once is tried again", async (t) => {
  const done: string[] = [];
  const { nemesis } = nemesisOn(done);
  let tries = 0;
  const sticky = kind("sticky", async () => ({ targets: ["agent/a1"], undo: async () => {
    tries += 1;
    if (tries < 2) throw new Error("busy");
  } }));
  await nemesis.play(round({ kind: sticky }));
  t.is(tries, 2);
});

test("nobody to strike is no failure; told to stop, faults are undone early", async (t) => {
  const done: string[] = [];
  const stop = new AbortController();
  const { nemesis, sink } = nemesisOn(done, stop.signal);
  await nemesis.play(round({ kind: kind("none", async () => Promise.reject(new NobodyToStrike("leader"))) }));
  t.deepEqual(sink.events, []);
  const playing = nemesis.play(round({ kind: struckBy("long", done, ["agent/a1"]), forMs: 60_000 }));
  while (sink.events.length === 0) await delay(1);
  t.true(nemesis.mayFail("agent/a1") && !nemesis.mayFail("agent/a2"));
  stop.abort();
  await playing;
  t.deepEqual(done, ["long on", "long off"]);
  t.false(nemesis.mayFail("agent/a1"));
});

function root(t: { teardown(act: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), "mesarch-belongings-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("belongings are undone, the last first; what is gone already is no problem", async (t) => {
  const belongings = Belongings.open(root(t));
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const identity = identify(child.pid!)!;
  belongings.add({ kind: "process", ...identity });
  belongings.add({ kind: "process", pid: 2 ** 22 - 1, startTime: "1" });
  belongings.add({ kind: "namespace", name: "mchaos-not-there" });
  t.deepEqual(await belongings.undo(), []);
  t.false(isRunning(identity));
  t.false(existsSync(belongings.directory));
});

test("the next run undoes what one left that could not, and touches nothing of one that goes on", async (t) => {
  const directory = root(t);
  const alive = Belongings.open(directory);
  const dead = join(directory, "run-dead");
  mkdirSync(dead);
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const identity = identify(child.pid!)!;
  writeFileSync(join(dead, "belongings"), `${JSON.stringify({ pid: identity.pid, startTime: "1" })}\n`);
  for (const belonging of [{ kind: "directory", path: dead }, { kind: "process", ...identity }]) appendFileSync(join(dead, "belongings"), `${JSON.stringify(belonging)}\n`);
  const gone = once(child, "exit");
  t.deepEqual(await reap(directory), []);
  await gone;
  t.false(existsSync(dead));
  t.true(readFileSync(join(alive.directory, "belongings"), "utf8").includes("directory"));
});
