/** Problems of docs/scenarios.md that take whole masters to show. */
import test from "ava";
import { Masters } from "./masters.ts";

/** As after SIGKILL by a supervisor that starts it again before anybody has looked at its port. */
function restartAtOnce(masters: Masters, name: string): void {
  const dead = masters.node(name);
  masters.kill(name);
  masters.add(name);
  masters.nodes.set(`${name}, dead`, dead);
}

test("2.9, 2.14 a leader that is back before its port was probed is not waited for: the next in line leads", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2", "m3"]);
  const [first] = masters.server.candidates();
  restartAtOnce(masters, "m1");
  await masters.run(200);
  t.true(masters.node("m2").master.leading);
  t.false(masters.server.candidates().some(({ key }) => key === first!.key));
  await masters.run(1_000);
  t.is(masters.server.candidates().length, 3, "it waits in line again");
  t.false(masters.node("m1").master.leading);
});

test("2.14 a master that is started again is not kept waiting by the key of its earlier life", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  restartAtOnce(masters, "m1");
  await masters.run(200);
  t.true(masters.node("m1").master.leading);
  t.is(masters.server.candidates().length, 1);
});

test("2.10 one of three is dead and the leader hangs: the one that is left leads, and waits for no lease", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2", "m3"]);
  masters.kill("m2");
  masters.freeze("m1");
  await masters.run(1_000);
  t.true(masters.node("m3").master.leading);
});

test("2.12 two masters that cannot hear each other, though both reach the store, swap at most twice", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2"]);
  const epochs = new Set([epochOf(masters)]);
  masters.cut("m1", "m2");
  for (let passed = 0; passed < 60_000; passed += 100) {
    await masters.run(100);
    epochs.add(epochOf(masters));
  }
  t.true(epochs.size <= 3, `${epochs.size - 1} changes of leadership`);
  t.is(masters.leaders().length, 1);
});

test("2.6 masters at rest write nothing, though each asks the store every second", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2", "m3"]);
  await masters.run(10_000);
  const asked = new Map<string, number>();
  for (const [name, { store }] of masters.nodes) {
    const { barrier } = store;
    store.barrier = (...args) => (asked.set(name, (asked.get(name) ?? 0) + 1), barrier.apply(store, args));
  }
  const { revision } = masters.server;
  await masters.run(60_000);
  t.is(masters.server.revision, revision);
  t.deepEqual(masters.leaders(), ["m1"]);
  for (const name of ["m1", "m2", "m3"]) t.true((asked.get(name) ?? 0) >= 50, `${name} asked ${asked.get(name) ?? 0} times`);
});

/** The newest of all that any master knows of. */
function epochOf(masters: Masters): number {
  return Math.max(...[...masters.nodes.values()].map(({ master }) => master.views.view.epoch?.revision ?? 0));
}
