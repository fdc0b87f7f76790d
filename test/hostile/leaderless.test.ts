/** Ways in which all masters could live on and none would ever lead again. */
import test from "ava";
import { StoreUnavailable } from "../../src/ports/store-errors.ts";
import { Masters } from "../master/masters.ts";

const TRIO = ["m1", "m2", "m3"];

async function trio(): Promise<Masters> {
  const masters = new Masters();
  await masters.start(TRIO);
  return masters;
}

test("2.8 the store away for longer than a lease: with it back, somebody leads, and each master holds one key", async (t) => {
  await using masters = await trio();
  for (const { store } of masters.nodes.values()) store.link = "hung";
  await masters.run(9_000);
  for (const { store } of masters.nodes.values()) store.link = "up";
  await masters.run(20_000);
  t.is(masters.leaders().length, 1);
  t.is(masters.server.candidates().length, 3);
});

test("2.8 the same for a master alone", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  masters.node("m1").store.link = "hung";
  await masters.run(9_000);
  masters.node("m1").store.link = "up";
  await masters.run(20_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.is(masters.server.candidates().length, 1);
});

test("2.7 a master cut from the store until its lease expired queues again", async (t) => {
  await using masters = await trio();
  const { store } = masters.node("m2");
  store.link = "cut";
  await masters.run(8_000);
  store.expireLease();
  store.link = "up";
  await masters.run(30_000);
  t.is(masters.server.candidates().length, 3);
});

test("2.3 a fold that breaks while queued leaves no key behind that nobody can lead on", async (t) => {
  await using masters = await trio();
  const { store } = masters.node("m2");
  const load = store.load.bind(store);
  let failures = 1;
  store.load = async (...args) => {
    if (failures-- > 0) throw new StoreUnavailable("load", "memory", "connection refused", false);
    return load(...args);
  };
  // Rows vanish from the watch: the standby has to load anew, and that fails once.
  store.link = "hung";
  masters.server.apply([{ key: "w/lost", value: new Uint8Array() }]);
  masters.server.apply([{ key: "w/lost", value: new Uint8Array() }]);
  masters.server.compact(masters.server.revision + 1);
  await masters.run(50);
  store.link = "up";
  await masters.run(3_000);
  t.is(masters.server.candidates().length, 3, "one key a master");
  masters.kill("m1");
  await masters.run(15_000);
  t.is(masters.leaders().filter((name) => name !== "m1").length, 1);
});
