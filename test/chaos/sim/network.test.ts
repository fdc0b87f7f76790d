/** The simulated network: a connection keeps the order of what is sent on it, whatever happens to its path. */
import test from "ava";
import { Chance } from "../../../chaos/sim/chance.ts";
import { Network } from "../../../chaos/sim/network.ts";
import { SimProcess, VirtualTime } from "../../../chaos/sim/virtual-time.ts";

test("what a cut path held up is not overtaken by what was on its way when the path healed", async (t) => {
  const time = new VirtualTime(new Chance(1, "ties").random);
  const network = new Network(time, new Chance(1, "network"), { latencyMs: 10, keepaliveMs: 30_000 });
  const [near, far] = [new SimProcess(time, "near", "a"), new SimProcess(time, "far", "b")];
  const heard: number[] = [];
  network.listen("b:1", far, (wire) => (wire.onMessage = ([number]) => heard.push(number!)));
  const connected = network.connect(near, "b:1");
  await time.runUntil(1_000);
  const wire = (await connected)!;
  network.cut("a", "b");
  for (let number = 0; number < 100; number += 1) time.after(number, () => wire.send(Uint8Array.of(number)));
  time.after(50, () => network.heal("a", "b"));
  await time.runUntil(2_000);
  t.deepEqual(heard, Array.from({ length: 100 }, (_, number) => number));
});
