/** A leader whose store does not answer: when it falls silent, goes on, and ends (3.6). */
import test from "ava";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Masters, type Node, SchedulerClient } from "./masters.ts";

/** A leader alone, so that nobody takes over, with a framework, at the moment its store last answered. */
async function alone(): Promise<{ masters: Masters; leader: Node; framework: SchedulerClient }> {
  const masters = new Masters();
  await masters.start(["m1"], { rehearsals: 0 });
  const leader = masters.leader();
  const framework = new SchedulerClient(leader, "f1");
  await masters.run(1_000);
  const call = reconcile(framework);
  await masters.calm();
  if (framework.reply(call) !== 202) throw new Error("the store does not answer");
  return { masters, leader, framework };
}

const reconcile = (framework: SchedulerClient): number => framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });

const linesOf = ({ telemetry }: Node, text: string): number => telemetry.lines.filter(({ message }) => message.includes(text)).length;

test("3.6 calls wait for 500 ms and get 503 from then on; answered, it goes on, and what waited is said", async (t) => {
  const { masters, leader, framework } = await alone();
  await using _ = masters;
  leader.store.link = "hung";
  const first = reconcile(framework);
  await masters.run(490);
  const second = reconcile(framework);
  await masters.calm();
  t.deepEqual([first, second].map((call) => framework.reply(call)), [undefined, undefined]);
  t.is(linesOf(leader, "mute:"), 0);
  // It looks ten times a second.
  await masters.run(110);
  t.is(linesOf(leader, "mute:"), 1);
  const third = reconcile(framework);
  await masters.calm();
  t.deepEqual([first, second, third].map((call) => framework.reply(call)), [undefined, undefined, 503]);
  await masters.run(4_000);
  leader.store.link = "up";
  await masters.calm();
  t.deepEqual([first, second].map((call) => framework.reply(call)), [202, 202]);
  t.is(linesOf(leader, "answers again"), 1);
  const later = reconcile(framework);
  await masters.run(2_000);
  t.is(framework.reply(later), 202);
  t.is(linesOf(leader, "mute:"), 1);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.is(linesOf(leader, "leading"), 1, "in the same leadership");
  t.false(framework.closed);
});

test("3.6 with nothing to say it is mute as well: its canary is not answered", async (t) => {
  const { masters, leader, framework } = await alone();
  await using _ = masters;
  leader.store.link = "hung";
  await masters.run(1_700);
  t.is(linesOf(leader, "mute:"), 1);
  const call = reconcile(framework);
  await masters.calm();
  t.is(framework.reply(call), 503);
});

test("3.6 no answer for a whole TTL, and no sooner, ends the leadership: its calls are cut without a status", async (t) => {
  const { masters, leader, framework } = await alone();
  await using _ = masters;
  leader.store.link = "hung";
  const call = framework.call({ type: Call_Type.TEARDOWN });
  await masters.run(4_990);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.false(framework.closed);
  await masters.run(110);
  t.deepEqual(masters.leaders(), []);
  t.true(framework.closed);
  t.is(framework.reply(call), undefined);
  leader.store.link = "up";
  await masters.run(8_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.is(linesOf(leader, "leading"), 2);
});
