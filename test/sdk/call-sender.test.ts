import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { MesarchError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import { CallSender } from "../../src/sdk/call-sender.ts";
import { PendingCalls } from "../../src/sdk/pending-calls.ts";

/** A sender on a stream that notes the numbers of what is sent, and the outcome of each call. */
function sending() {
  const clock = new ManualClock();
  const outcomes = new Map<number, string>();
  const pending = new PendingCalls({
    clock,
    maxCalls: 1_000,
    maxBytes: 1_000,
    timeoutMs: 30_000,
    onTimeout: () => new MesarchError("timed_out", "late"),
    onSettled: (call) => sender.settled(call),
  });
  const sender = new CallSender(pending, { clock, random: seededRandom(1) });
  let sent: number[] = [];
  let last = 0;
  return {
    clock,
    outcomes,
    sender,
    open: (revision = 1) => sender.open({ send: ([number]) => void sent.push(number!) }, { generation: 1, revision }),
    /** What was sent since it was asked last. */
    sent: () => sent.splice(0),
    call: (independent = false, signal?: AbortSignal): number => {
      const number = ++last;
      const call = { number, kind: "KILL", bytes: Uint8Array.of(number), repeatable: true, independent, launches: [] };
      pending.add(call, { signal }, (added) => sender.add(added)).then(
        () => outcomes.set(number, "done"),
        (error: MesarchError) => outcomes.set(number, error.code ?? error.message),
      );
      return number;
    },
    answer: (number: number, code = 202) => sender.answered({ number, code, message: "", revision: 1 }),
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("10.8 without trouble each call is sent at once", (t) => {
  const { open, call, sent } = sending();
  call();
  t.deepEqual(sent(), []);
  open();
  t.deepEqual(sent(), [1]);
  call();
  call();
  t.deepEqual(sent(), [2, 3]);
});

test("10.8 what was sent behind a call refused for now is sent again behind it, whatever its answer was", async (t) => {
  const { open, call, sent, answer, clock, outcomes } = sending();
  open();
  for (let i = 0; i < 3; i++) call();
  t.deepEqual(sent(), [1, 2, 3]);
  answer(2, 503);
  answer(3);
  clock.advance(1_000);
  t.deepEqual(sent(), [], "an answer is still to come");
  answer(1);
  clock.advance(4);
  t.deepEqual(sent(), []);
  call();
  clock.advance(6);
  t.deepEqual(sent(), [2]);
  answer(2);
  t.deepEqual(sent(), [3, 4]);
  answer(3);
  answer(4, 400);
  await settled();
  t.deepEqual([...outcomes], [[1, "done"], [2, "done"], [3, "done"], [4, "invalid"]]);
});

test("10.8 while one is refused the others wait, but not acknowledgements", async (t) => {
  const { open, call, sent, answer, clock, outcomes } = sending();
  open();
  call();
  for (let round = 0; round < 5; round++) {
    answer(sent().at(-1)!, 503);
    clock.advance(1_000);
  }
  t.deepEqual(sent(), [1]);
  const [kill, acknowledgement] = [call(), call(true)];
  t.deepEqual(sent(), [acknowledgement]);
  answer(acknowledgement, 503);
  clock.advance(10);
  t.deepEqual(sent(), [acknowledgement]);
  answer(acknowledgement);
  clock.advance(60_000);
  await settled();
  t.deepEqual([...outcomes], [[acknowledgement, "done"], [1, "timed_out"], [kill, "timed_out"]]);
});

test("10.8 a refused call that is given up lets the others go", async (t) => {
  const { open, call, sent, answer, clock, outcomes } = sending();
  open();
  const giveUp = new AbortController();
  call(false, giveUp.signal);
  call();
  t.deepEqual(sent(), [1, 2]);
  answer(1, 503);
  giveUp.abort(new Error("enough"));
  answer(2);
  clock.advance(10);
  t.deepEqual(sent(), [2]);
  answer(2);
  await settled();
  t.deepEqual([...outcomes], [[1, "enough"], [2, "done"]]);
  call();
  call();
  t.deepEqual(sent(), [3, 4]);
});

test("10.8 after a refusal more are under way with each answer", (t) => {
  const { open, call, sent, answer, clock } = sending();
  open();
  for (let i = 0; i < 20; i++) call();
  for (const number of sent()) answer(number, 503);
  clock.advance(10);
  const groups: number[] = [];
  for (let group = sent(); group.length > 0; group = sent()) {
    groups.push(group.length);
    for (const number of group) answer(number);
  }
  t.deepEqual(groups, [1, 2, 4, 8, 5]);
  for (let i = 0; i < 50; i++) call();
  t.is(sent().length, 50);
});

test("10.9 the call on which streams break is found among others, and fails after three times", async (t) => {
  const { open, call, sent, answer, sender, clock, outcomes } = sending();
  const numbers = Array.from({ length: 20 }, () => call());
  const [poison] = [numbers[12]!];
  let streams = 0;
  for (open(); outcomes.size < numbers.length && streams < 50; await settled()) {
    const group = sent();
    if (group.includes(poison)) {
      for (const number of group) if (number < poison && streams % 2 === 0) answer(number);
      streams += 1;
      clock.advance(5);
      sender.close("cannot read this");
      await settled();
      open();
    } else for (const number of group) answer(number);
  }
  t.is(outcomes.get(poison), "internal");
  t.deepEqual(numbers.filter((number) => outcomes.get(number) !== "done"), [poison]);
  t.true(streams <= 10, `${streams} streams`);
});

test("10.9 streams that lived for a while, or were another leader's, or were ended on purpose, are no sign", async (t) => {
  const { open, call, sender, clock, outcomes } = sending();
  call();
  for (let revision = 1; revision < 10; revision++) {
    open(revision);
    sender.close("broken");
  }
  for (let i = 0; i < 5; i++) {
    open(10);
    clock.advance(2_000);
    sender.close("broken");
  }
  for (let i = 0; i < 5; i++) {
    open(10);
    sender.close();
  }
  await settled();
  t.is(outcomes.size, 0);
});
