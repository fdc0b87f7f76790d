/** Which streams a session opens and leaves, seen without a network. */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { openSession } from "../../src/sdk/scheduler.ts";
import { ScriptedTransport } from "../support/scripted-transport.ts";

for (const [connects, revision] of [[true, 1], [true, 9], [false, 1], [false, 9]] as const) {
  const title = connects ? "is not left, as both SUBSCRIBEs could arrive, in any order" : "that cannot be reached is left";
  test(`10.1 a leader's address ${title}, when that master leads by another one (epoch ${revision})`, async (t) => {
    const transport = new ScriptedTransport();
    const clock = new ManualClock();
    transport.connects = connects;
    transport.say({ master: "m2", leading: false, leaderAddress: "10.0.0.1:6050" });
    const outside = { transport, random: seededRandom(1) };
    const opening = openSession({ masters: "m1.example", framework: { name: "test" }, clock }, outside);
    await turn();
    t.is(transport.streams[0]!.address, "10.0.0.1:6050");
    transport.say({ master: "m1", leading: true, epoch: { generation: 1, revision } });
    await turn();
    t.is(transport.streams[0]!.cancelled, !connects);
    clock.advance(100); // the pause before the next stream
    await turn();
    transport.streams.at(-1)!.subscribed();
    const session = await opening;
    const address = connects ? "10.0.0.1:6050" : "m1.example:6050";
    t.deepEqual(session.leader, { name: "m1", address, epoch: { generation: 1, revision } });
    await session.close();
  });
}
