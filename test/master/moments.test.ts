/** Whatever a master is doing: it can be stopped, and it gets over a fault. Moments are turns of the event loop, and within. */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { Masters, type Node } from "./masters.ts";

/** A lone master at each of its first moments; it stands queued after about 20 turns, and leads after 40. */
async function* moments(): AsyncGenerator<{ masters: Masters; node: Node; moment: string }> {
  for (let turns = 0; turns < 100; turns += 1) {
    await using masters = new Masters();
    const node = masters.add("m1", { rehearsals: 0 });
    for (let passed = 0; passed < turns; passed += 1) {
      await turn();
      if (passed % 5 === 0) masters.clock.advance(10);
    }
    const microtasks = turns % 4;
    for (let passed = 0; passed < microtasks; passed += 1) await Promise.resolve();
    yield { masters, node, moment: `turn ${turns}, microtask ${microtasks}` };
  }
}

/** Lets time pass until it holds; false if it does not within a minute. */
async function comes(masters: Masters, holds: () => boolean): Promise<boolean> {
  for (let passed = 0; passed < 60_000 && !holds(); passed += 100) {
    masters.clock.advance(100);
    for (let turns = 0; turns < 4; turns += 1) await turn();
  }
  return holds();
}

for (const link of ["up", "cut", "hung"] as const) {
  test(`2.15 a master stops at any moment, its store ${link}`, async (t) => {
    for await (const { masters, node, moment } of moments()) {
      node.store.link = link;
      let stopped = false;
      void node.master.stop().then(() => (stopped = true));
      t.true(await comes(masters, () => stopped), moment);
    }
  });
}

for (const [what, happen] of [
  ["its key is deleted", ({ server }: Masters) => server.apply(server.candidates().map(({ key }) => ({ key })))],
  ["its lease ends", (_: Masters, { store }: Node) => store.expireLease()],
] as const) {
  test(`2.8 a master leads again, whenever ${what}`, async (t) => {
    for await (const { masters, node, moment } of moments()) {
      happen(masters, node);
      // A leader that lost its key learns of it by its next transaction.
      masters.clock.advance(1_500);
      const leads = (): boolean => node.master.leading && masters.server.candidates().length === 1;
      t.true(await comes(masters, leads), moment);
    }
  });
}
