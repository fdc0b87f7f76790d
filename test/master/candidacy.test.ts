/** The keys a master queues with, one after the other: their numbers (2.8) and the deposals they confess (2.12). */
import test from "ava";
import { CandidateRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { Masters, SchedulerClient } from "./masters.ts";

interface OwnKey {
  readonly key: string;
  readonly deposals: number;
}

function keysOf({ server }: Masters, name: string): OwnKey[] {
  return server.candidates().flatMap(({ key, value }) => (key.startsWith(`cand/${name}.`) ? [{ key, deposals: CandidateRecord.decode(value).deposals }] : []));
}

/** The key that master is queued with; it has no other. */
function keyOf(masters: Masters, name: string): OwnKey {
  const [own, ...more] = keysOf(masters, name);
  if (own === undefined || more.length > 0) throw new Error(`${name} has ${1 + more.length} keys, or none`);
  return own;
}

const numberOf = (masters: Masters, name: string): number => Number(keyOf(masters, name).key.split(".").at(-1));

async function started(...names: string[]): Promise<Masters> {
  const masters = new Masters();
  await masters.start(names, { rehearsals: 0 });
  await masters.run(1_000);
  return masters;
}

async function stepDown(masters: Masters): Promise<void> {
  const asked = masters.leader().master.operators.call({ allowStale: false, call: { $case: "stepDown", value: {} } }, "");
  await masters.run(1_000);
  await asked;
}

const ends: readonly (readonly [string, (masters: Masters) => Promise<unknown>])[] = [
  ["it stepped down", stepDown],
  ["its lease expired", async (masters) => masters.leader().store.expireLease()],
  [
    "its store did not answer for a whole TTL",
    async (masters) => {
      const { store } = masters.leader();
      store.link = "hung";
      await masters.run(6_000);
      store.link = "up";
    },
  ],
  [
    "somebody else wrote to the registry",
    async (masters) => {
      masters.server.apply([{ key: "head", value: new Uint8Array([1, 2, 3]) }]);
      new SchedulerClient(masters.leader(), "f1");
    },
  ],
];

for (const [how, end] of ends) {
  test(`2.8 a key is led on once: the next has a higher number and the old one is gone, when ${how}`, async (t) => {
    await using masters = await started("m1");
    const led: OwnKey[] = [];
    for (let leadership = 0; leadership < 2; leadership += 1) {
      led.push(keyOf(masters, "m1"));
      const number = numberOf(masters, "m1");
      await end(masters);
      await masters.run(8_000);
      t.deepEqual(masters.leaders(), ["m1"]);
      t.true(numberOf(masters, "m1") > number);
    }
    const everMade = masters.server.since(0).flatMap(({ writes }) => writes.filter(({ key, value }) => key.startsWith("cand/") && value !== undefined));
    t.is(new Set(everMade.map(({ key }) => key)).size, everMade.length, "2.1 no key was created twice");
    t.is(everMade.length, 3);
  });
}

test("2.1, 2.8, 2.9 a standby that lost its key in the queue goes on with a higher number, and deposes nobody for it", async (t) => {
  await using masters = await started("m1", "m2");
  const number = numberOf(masters, "m2");
  masters.node("m2").store.expireLease();
  await masters.run(3_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.true(numberOf(masters, "m2") > number);
});

test("2.8 a key that could not be deleted when its leadership failed is deleted at the next sight of it, though its master pauses", async (t) => {
  await using masters = await started("m1", "m2");
  const { key } = keyOf(masters, "m1");
  const { store } = masters.leader();
  const { remove } = store;
  store.remove = () => Promise.reject(new Error("no answer in time"));
  masters.server.apply([{ key: "head", value: new Uint8Array([1, 2, 3]) }]);
  new SchedulerClient(masters.leader(), "f1");
  await masters.run(500);
  t.deepEqual(masters.leaders(), []);
  t.deepEqual(keysOf(masters, "m1").map((own) => own.key), [key]);
  store.remove = remove;
  masters.add("m3", { rehearsals: 0 });
  await masters.run(500);
  t.deepEqual(keysOf(masters, "m1"), []);
});

test("2.9 a master that paused after its leadership failed queues again, and does not take for silence that nobody wrote to it meanwhile", async (t) => {
  await using masters = await started("m1", "m2");
  masters.server.apply([{ key: "head", value: new Uint8Array([1, 2, 3]) }]);
  new SchedulerClient(masters.leader(), "f1");
  await masters.run(2_000);
  t.deepEqual(masters.leaders(), ["m2"]);
  t.deepEqual(keysOf(masters, "m1"), []);
  await masters.run(8_000);
  t.deepEqual(masters.leaders(), ["m2"]);
  t.is(keyOf(masters, "m1").deposals, 0);
});

test("2.12 who was deposed while alive, leading or queued, says so in its next key; who resigned does not", async (t) => {
  await using masters = await started("m1", "m2", "m3");
  masters.freeze("m1");
  await masters.run(1_000);
  masters.thaw("m1");
  await masters.run(2_000);
  t.deepEqual(masters.leaders(), ["m2"]);
  t.is(keyOf(masters, "m1").deposals, 1);
  await stepDown(masters);
  await masters.run(1_000);
  t.deepEqual(masters.leaders(), ["m3"]);
  t.is(keyOf(masters, "m2").deposals, 0, "it resigned");
  masters.node("m2").store.expireLease();
  await masters.run(2_000);
  t.is(keyOf(masters, "m2").deposals, 1);
  masters.node("m2").store.expireLease();
  await masters.run(2_000);
  t.is(keyOf(masters, "m2").deposals, 2);
});

test("2.12 a leader that heard nothing from its store for a whole TTL counts as deposed; after ten minutes that is forgotten", async (t) => {
  await using masters = await started("m1");
  const { store } = masters.leader();
  store.link = "hung";
  await masters.run(6_000);
  store.link = "up";
  await masters.run(5_000);
  t.is(keyOf(masters, "m1").deposals, 1);
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 200) {
      masters.clock.advance(200);
      await masters.calm();
    }
  };
  await pass(9 * 60_000);
  await stepDown(masters);
  t.is(keyOf(masters, "m1").deposals, 1);
  await pass(60_000);
  await stepDown(masters);
  t.is(keyOf(masters, "m1").deposals, 0);
});

test("2.12 of a leader that was deposed before, death counts as silence, and its patience is doubled", async (t) => {
  await using masters = await started("m1", "m2", "m3");
  masters.freeze("m1");
  await masters.run(1_000);
  masters.thaw("m1");
  await masters.run(2_000);
  for (let handovers = 0; handovers < 2; handovers += 1) await stepDown(masters);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.is(keyOf(masters, "m1").deposals, 1);
  // Long enough for its pauses to be forgotten: patience is that of regular heartbeats.
  await masters.run(12_000);
  masters.kill("m1");
  await masters.run(690);
  const others = (): string[] => masters.leaders().filter((name) => name !== "m1");
  t.deepEqual(others(), []);
  await masters.run(300);
  t.deepEqual(others(), ["m2"]);
});
