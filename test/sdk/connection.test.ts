/** Which streams a session opens and leaves, seen without a network. */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { openSession } from "../../src/sdk/scheduler.ts";
import { nextEvent } from "../support/fake-session.ts";
import { ScriptedTransport } from "../support/scripted-transport.ts";

const OTHER = "10.0.0.1:6050";
const OWN = "m1.example:6050";

/** By what the session knows m1, and what m1 says once SUBSCRIBE was sent there. */
const cases = [
  { news: "it speaks from another address", known: OTHER, revision: 1 },
  { news: "it leads again, and speaks from another address", known: OTHER, revision: 9 },
  { news: "it leads again", known: OWN, revision: 9 },
];

for (const { news, known, revision } of cases) {
  for (const connects of [true, false]) {
    const title = connects ? "is waited for, as it may have been taken" : "is left and sent again if it cannot be on its way";
    test(`10.1, 10.5 SUBSCRIBE ${title}, when of its master is heard: ${news}`, async (t) => {
      const transport = new ScriptedTransport();
      const clock = new ManualClock();
      transport.connects = connects;
      transport.say(known === OWN ? {} : { master: "m2", leading: false, leaderAddress: known });
      const outside = { transport, random: seededRandom(1) };
      const opening = openSession({ masters: "m1.example", framework: { name: "test" }, clock }, outside);
      await turn();
      t.is(transport.streams[0]!.address, known);
      transport.say({ master: "m1", leading: true, epoch: { generation: 1, revision } });
      await turn();
      t.is(transport.streams[0]!.cancelled, !connects);
      clock.advance(100); // the pause before the next stream
      await turn();
      transport.streams.at(-1)!.subscribed();
      const session = await opening;
      t.deepEqual(session.leader, { name: "m1", address: connects ? known : OWN, epoch: { generation: 1, revision } });
      await session.close();
    });
  }
}

test("10.1, 10.5 a session stays with its master that is heard to lead in a new epoch only after it has subscribed there", async (t) => {
  const transport = new ScriptedTransport();
  const clock = new ManualClock();
  const opening = openSession({ masters: "m1.example", framework: { name: "test" }, clock }, { transport, random: seededRandom(1) });
  await turn();
  transport.streams[0]!.subscribed();
  const session = await opening;
  transport.say({ epoch: { generation: 1, revision: 9 } });
  await turn();
  t.false(transport.streams[0]!.cancelled);
  const from = { name: "m1", address: OWN, epoch: { generation: 1, revision: 1 } };
  t.deepEqual((await nextEvent(session, "leaderChanged")).to, { ...from, epoch: { generation: 1, revision: 9 } });
  t.is(session.leader!.epoch.revision, 9);
  transport.say({ master: "m2", leader: "m2", epoch: { generation: 1, revision: 12 } });
  await turn();
  t.true(transport.streams[0]!.cancelled, "but not when another leads");
  await session.close();
});
