/** Whose turn it is when a leader dies, and what the next in line does when its fold is behind. */
import test from "ava";
import { Masters, type Node, SchedulerClient } from "./masters.ts";

const keyOf = ({ server }: Masters, name: string): string | undefined => server.candidates().find(({ key }) => key.startsWith(`cand/${name}.`))?.key;

/** Holds back what that master's watch brings; returns what lets it through again. */
function holdFold({ store }: Node): () => void {
  const held: (() => void)[] = [];
  let holding = true;
  const { watch } = store;
  store.watch = (from, onChanges, signal) =>
    watch.call(store, from, (changes) => (holding ? void held.push(() => onChanges(changes)) : onChanges(changes)), signal);
  return () => {
    holding = false;
    for (const bring of held.splice(0)) bring();
  };
}

/** m1 leads and m2 is next, its fold behind by a framework's row. */
async function behind(): Promise<{ masters: Masters; next: Node; letThrough: () => void; loads: () => number }> {
  const masters = new Masters();
  await masters.start(["m1"], { rehearsals: 0 });
  const next = masters.add("m2", { rehearsals: 0 });
  const letThrough = holdFold(next);
  let loads = 0;
  const { load } = next.store;
  next.store.load = (...args) => ((loads += 1), load.apply(next.store, args));
  await masters.run(1_000);
  loads = 0;
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await masters.run(100);
  if (!framework.subscribed) throw new Error("the framework is not subscribed");
  return { masters, next, letThrough, loads: () => loads };
}

/** Which frameworks that leader knows of. */
async function frameworks(masters: Masters, { master }: Node): Promise<string[]> {
  const asked = master.operators.call({ allowStale: false, call: { $case: "listFrameworks", value: {} } }, "");
  await masters.run(50);
  const { answer } = await asked;
  return answer?.$case === "frameworks" ? answer.value.frameworks.map(({ id }) => id) : [];
}

test("2.5 with a fold that is behind the accused goes by itself, at once; promoted is who has caught up", async (t) => {
  const { masters, next, letThrough, loads } = await behind();
  await using _ = masters;
  masters.kill("m1");
  await masters.run(40);
  t.is(keyOf(masters, "m1"), undefined, "the next in line, if it were another, would not have to wait");
  await masters.run(100);
  t.false(next.master.leading);
  letThrough();
  await masters.calm();
  t.true(next.master.leading);
  t.is(loads(), 0);
  t.deepEqual(await frameworks(masters, next), ["f1"]);
});

test("2.5 a fold that does not catch up within 200 ms is loaded anew", async (t) => {
  const { masters, next, loads } = await behind();
  await using _ = masters;
  masters.kill("m1");
  await masters.run(190);
  t.deepEqual([next.master.leading, loads()], [false, 0]);
  await masters.run(60);
  t.deepEqual([next.master.leading, loads()], [true, 1]);
  t.deepEqual(await frameworks(masters, next), ["f1"]);
});

test("2.10 another than the next in line waits for 100 ms, then only deletes the key of the accused", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2", "m3"], { rehearsals: 0 });
  await masters.run(1_000);
  const next = masters.node("m2");
  const last = masters.node("m3");
  // The next in line cannot take its turn.
  next.store.link = "hung";
  const killedAt = masters.clock.now();
  let deletedAt: number | undefined;
  const { remove } = last.store;
  last.store.remove = (...args) => ((deletedAt ??= masters.clock.now()), remove.apply(last.store, args));
  const promoted: string[] = [];
  const promoteLast = last.store.promote;
  last.store.promote = (...args) => (promoted.push("m3"), promoteLast.apply(last.store, args));
  masters.kill("m1");
  await masters.run(1_000);
  t.true(deletedAt !== undefined && deletedAt >= killedAt + 100 && deletedAt <= killedAt + 200, `${deletedAt! - killedAt} ms`);
  t.is(keyOf(masters, "m1"), undefined);
  t.deepEqual(promoted, []);
  t.false(last.master.leading || next.master.leading);
  next.store.link = "up";
  await masters.calm();
  t.true(next.master.leading);
});

test("2.10 where the next in line takes its turn, nobody else lays a hand on the key", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2", "m3"], { rehearsals: 0 });
  await masters.run(1_000);
  const removed: string[] = [];
  const { store } = masters.node("m3");
  const { remove } = store;
  store.remove = (...args) => (removed.push(args[0]), remove.apply(store, args));
  masters.kill("m1");
  await masters.run(1_000);
  t.true(masters.node("m2").master.leading);
  t.deepEqual(removed, []);
});
