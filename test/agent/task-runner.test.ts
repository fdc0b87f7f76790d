import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { TaskRunner } from "../../src/agent/task-runner.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { Input } from "../../src/core/agent/input.ts";
import type { Containers, RunSpec } from "../../src/ports/containers.ts";
import { launchId } from "../core/agent/agent-world.ts";

/** A runner over a host whose starts end when the test says so. */
function world() {
  const under = new Map<string, PromiseWithResolvers<void>>();
  const heard: string[] = [];
  const asked: string[] = [];
  const containers: Partial<Containers> = {
    start: ({ launchId }) => {
      const start = Promise.withResolvers<void>();
      under.set(launchId, start);
      return start.promise;
    },
    cancel: async (id) => {
      asked.push(`cancel ${parseInt(id, 16)}`);
      return true;
    },
  };
  const runner = new TaskRunner({
    containers: containers as Containers,
    deliver: (input: Input) => void heard.push(`${input.kind} ${"launchId" in input ? parseInt(input.launchId, 16) : ""}`),
    onProblem: () => {},
    clock: new ManualClock(),
    random: seededRandom(1),
    signal: new AbortController().signal,
  });
  const start = (n: number): void => runner.start(launchId(n), { launchId: launchId(n) } as RunSpec);
  return { runner, under, heard, asked, start };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

test("6.3: a start is told as spawned when it was carried out, not when it was asked for", async (t) => {
  const w = world();
  for (let n = 1; n <= 34; n++) w.start(n);
  await settled();
  t.is(w.under.size, 32, "the others wait for their turn");
  t.deepEqual(w.heard, []);
  w.under.get(launchId(7))!.resolve();
  w.under.get(launchId(9))!.reject(new Error("no such user"));
  await settled();
  t.deepEqual(w.heard, ["spawned 7", "startFailed 9"]);
  t.is(w.under.size, 34);
});

test("a cancel waits for the start before it, which it could otherwise not undo", async (t) => {
  const w = world();
  w.start(1);
  w.runner.cancel(launchId(1));
  await settled();
  t.deepEqual(w.asked, []);
  w.under.get(launchId(1))!.resolve();
  await w.runner.idle();
  t.deepEqual(w.asked, ["cancel 1"]);
  t.deepEqual(w.heard, ["spawned 1", "cancelled 1"]);
});
