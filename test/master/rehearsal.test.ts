import test from "ava";
import { seededRandom } from "../../src/base/random.ts";
import { defaultMasterSettings } from "../../src/core/master/settings.ts";
import { rehearse } from "../../src/master/rehearsal.ts";

test("D8 a rehearsal plays the whole life of a task: launched, updated, acknowledged, forgotten", async (t) => {
  const bytes: number[] = [];
  const random = { ...seededRandom(1), hex: (count: number) => (bytes.push(count), seededRandom(bytes.length).hex(count)) };
  await rehearse(defaultMasterSettings, random, 1, new AbortController().signal);
  t.true(bytes.filter((count) => count === 16).length >= 5, "a launch id was made on each agent's offer");
});

test("D8 a rehearsal ends when there is a leadership to attend to", async (t) => {
  const stop = new AbortController();
  stop.abort();
  let asked = 0;
  await rehearse(defaultMasterSettings, { ...seededRandom(1), hex: (count) => ((asked += 1), "0".repeat(2 * count)) }, 1_000, stop.signal);
  t.is(asked, 0);
});
