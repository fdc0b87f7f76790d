/** What a leader does between the order to hand over and the end of its key (2.15). */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { onAbort } from "../../src/async/abort.ts";
import { CandidateRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Masters, type Node, SchedulerClient } from "./masters.ts";

const hasKey = ({ server }: Masters, name: string): boolean => server.candidates().some(({ key }) => key.startsWith(`cand/${name}.`));

/** Has that store keep the answers to commits; returns what hands them over. */
function holdAnswers({ store }: Node): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { commit } = store;
  store.commit = async (batch, signal, onAttempt) => {
    const result = await commit.call(store, batch, signal, onAttempt);
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    onAbort(signal, () => reject(signal.reason as Error));
    await Promise.race([promise, givenUp]);
    return result;
  };
  return resolve;
}

const suppress = (framework: SchedulerClient): number => framework.call({ type: Call_Type.SUPPRESS });
const reconcile = (framework: SchedulerClient): number => framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });

async function pair(): Promise<{ masters: Masters; leader: Node; framework: SchedulerClient }> {
  const masters = new Masters();
  await masters.start(["m1", "m2"], { rehearsals: 0 });
  await masters.run(1_000);
  const leader = masters.leader();
  const framework = new SchedulerClient(leader, "f1");
  await masters.run(100);
  return { masters, leader, framework };
}

const orders: readonly (readonly [string, (leader: Node) => void])[] = [
  ["SIGTERM", ({ master }) => void master.stop()],
  ["step-down", ({ master }) => void master.operators.call({ allowStale: false, call: { $case: "stepDown", value: {} } }, "").catch(() => {})],
];

for (const [what, order] of orders) {
  test(`2.15 ${what}: what was admitted is durable and answered before the key goes`, async (t) => {
    const { masters, leader, framework } = await pair();
    await using _ = masters;
    const answer = holdAnswers(leader);
    const inFlight = suppress(framework);
    await masters.calm();
    const behind = reconcile(framework);
    const atRemoval: (number | undefined)[] = [];
    const { remove } = leader.store;
    leader.store.remove = (...args) => {
      atRemoval.push(framework.reply(inFlight), framework.reply(behind));
      return remove.apply(leader.store, args);
    };
    order(leader);
    await masters.run(400);
    t.true(leader.master.leading && hasKey(masters, "m1"), "it waits for the store");
    t.deepEqual([inFlight, behind].map((call) => framework.reply(call)), [undefined, undefined]);
    answer();
    await masters.run(200);
    t.deepEqual(atRemoval.slice(0, 2), [202, 202]);
    t.true(masters.node("m2").master.leading);
  });
}

test("2.15 what waits for its turn when the order comes is admitted", async (t) => {
  const { masters, leader, framework } = await pair();
  await using _ = masters;
  const calls = [suppress(framework), reconcile(framework)];
  void leader.master.stop();
  // The order is under way; the calls wait in the mailbox until the clock moves.
  await turn();
  await masters.run(200);
  t.deepEqual(calls.map((call) => framework.reply(call)), [202, 202]);
  t.true(masters.node("m2").master.leading);
});

test("2.15 once it hands over nothing new is admitted: calls get 503, a new stream is sent away", async (t) => {
  const { masters, leader, framework } = await pair();
  await using _ = masters;
  const answer = holdAnswers(leader);
  const admitted = suppress(framework);
  await masters.calm();
  void leader.master.stop();
  await masters.calm();
  const late = reconcile(framework);
  const stranger = new SchedulerClient(leader, "f2");
  await masters.calm();
  t.deepEqual([admitted, late].map((call) => framework.reply(call)), [undefined, 503]);
  t.true(stranger.closed);
  answer();
  await masters.run(200);
  t.is(framework.reply(admitted), 202);
  t.false(masters.server.rows().some(({ key }) => key === "f/f2"));
});

test("2.15 a store that does not answer holds a handover up for a second, no longer; what it left open is cut without a status", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"], { rehearsals: 0 });
  const leader = masters.leader();
  const framework = new SchedulerClient(leader, "f1");
  await masters.run(100);
  holdAnswers(leader);
  const call = suppress(framework);
  await masters.calm();
  void leader.master.stop();
  await masters.run(990);
  t.true(leader.master.leading && hasKey(masters, "m1"));
  await masters.run(100);
  t.false(leader.master.leading || hasKey(masters, "m1"));
  t.is(framework.reply(call), undefined);
  t.true(framework.closed);
});

for (const [what, order] of orders) {
  test(`2.15, 2.4 ${what}: the key is left to the successor's own transaction; with nobody else it is deleted`, async (t) => {
    const { masters, leader } = await pair();
    await using _ = masters;
    const leading = (): boolean => masters.node("m2").master.leading;
    const removals: boolean[] = [];
    const { remove } = leader.store;
    leader.store.remove = (...args) => {
      removals.push(leading());
      return remove.apply(leader.store, args);
    };
    order(leader);
    await masters.run(200);
    t.true(leading());
    t.true(removals.every((afterwards) => afterwards));
  });
}

test("2.15 a successor that does not take the key over in 100 ms loses nothing: the key is deleted then", async (t) => {
  const { masters, leader } = await pair();
  await using _ = masters;
  const other = masters.node("m2");
  other.store.promote = (...[, , , signal]) => new Promise((_, reject) => onAbort(signal, () => reject(signal.reason as Error)));
  orders[0]![1](leader);
  await masters.run(80);
  t.true(hasKey(masters, "m1"));
  await masters.run(100);
  t.false(hasKey(masters, "m1"));
});

test("2.15, 2.12 a leader whose successor was quicker than its own last transaction was not deposed", async (t) => {
  const { masters, leader, framework } = await pair();
  await using _ = masters;
  const other = masters.node("m2");
  const { promote } = other.store;
  other.store.promote = async (...args) => {
    const result = await promote.apply(other.store, args);
    // The end of a stream is written down, by a key that is gone.
    if (result.kind === "leading") framework.disconnect();
    return result;
  };
  orders[1]![1](leader);
  await masters.run(500);
  t.true(masters.node("m2").master.leading);
  t.true(hasKey(masters, "m1"), "it queued again");
  const queued = masters.server.candidates().find(({ key }) => key.startsWith("cand/m1."));
  t.is(CandidateRecord.decode(queued!.value).deposals, 0);
});
