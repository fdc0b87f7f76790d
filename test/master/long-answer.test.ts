/** An answer of many words on its way out of the leader's loop. */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Masters, SchedulerClient } from "./masters.ts";

const TASKS = 1_000;

/** A framework of a leader that takes half a millisecond to say a word to it. */
async function slowlyTold(masters: Masters): Promise<SchedulerClient> {
  await masters.start(["m1"]);
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await masters.run(1_500);
  const now = masters.clock.now.bind(masters.clock);
  masters.clock.now = () => now() + framework.items.length / 2;
  return framework;
}

/** RECONCILE of tasks that nobody knows: a status for each. */
function askForMany(framework: SchedulerClient): number {
  const tasks = Array.from({ length: TASKS }, (_, n) => ({ taskId: { value: `t${n}` } }));
  return framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks } } as never);
}

/** States told so far. */
const told = ({ items }: SchedulerClient): number =>
  items.filter(({ item }) => item?.$case === "event" && item.value.update !== undefined).length;

test("2.9, 3.1 an answer of many words leaves heartbeats their turns, and the answer behind it its place", async (t) => {
  await using masters = new Masters();
  const framework = await slowlyTold(masters);
  const asked = askForMany(framework);
  const revived = framework.call({ type: Call_Type.REVIVE } as never);
  const turns: number[] = [];
  for (let rounds = 0; rounds < 1_000 && framework.reply(revived) === undefined; rounds += 1) {
    turns.push(framework.items.length);
    masters.clock.advance(0);
    await turn();
  }
  turns.push(framework.items.length);
  const stretches = turns.slice(1).map((at, i) => at - turns[i]!);
  t.true(Math.max(...stretches) <= 50, `${Math.max(...stretches)} words without a turn of others`);
  t.is(told(framework), TASKS);
  const order = framework.items.flatMap(({ item }) => (item?.$case === "reply" ? [item.value.number] : []));
  t.deepEqual(order.filter((number) => number >= asked), [asked, revived]);
});

test("2.15 a handover waits for the last word", async (t) => {
  await using masters = new Masters();
  const framework = await slowlyTold(masters);
  const asked = askForMany(framework);
  while (told(framework) === 0) {
    masters.clock.advance(0);
    await turn();
  }
  t.true(told(framework) < TASKS);
  void masters.node("m1").master.stop();
  for (let rounds = 0; rounds < 1_000 && !framework.closed; rounds += 1) {
    masters.clock.advance(0);
    await turn();
  }
  t.is(told(framework), TASKS);
  t.is(framework.reply(asked), 202);
});
