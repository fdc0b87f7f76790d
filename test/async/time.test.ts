import test from "ava";

import { anySignal, delay, onAbort, withDeadline } from "../../src/async/abort.ts";
import { backoff } from "../../src/async/backoff.ts";
import { systemClock } from "../../src/async/clock.ts";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { Timer } from "../../src/async/timer.ts";

/** How many listeners a signal holds, counted at its own methods. */
function countingSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const held = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: never, options?: unknown) => {
    held.add(listener);
    add(type as never, listener, options as never);
  };
  signal.removeEventListener = (type: string, listener: never) => {
    held.delete(listener);
    remove(type as never, listener);
  };
  return { controller, listeners: () => held.size };
}

test("a late listener of an abort is told at once; one that stopped listening is not told", (t) => {
  const { controller, listeners } = countingSignal();
  const told: string[] = [];
  onAbort(controller.signal, () => told.push("before"));
  onAbort(controller.signal, () => told.push("stopped"))();
  t.is(listeners(), 1);
  controller.abort();
  onAbort(controller.signal, () => told.push("late"));
  onAbort(undefined, () => told.push("never"))();
  t.deepEqual(told, ["before", "late"]);
});

test("the manual clock runs callbacks in order of time, then of arrival", (t) => {
  const clock = new ManualClock(5, 1_000);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`late ${clock.now()}`));
  clock.after(10, () => {
    seen.push(`first ${clock.now()}`);
    clock.after(0, () => seen.push(`nested ${clock.now()}`));
  });
  clock.after(10, () => seen.push("second"));
  const cancel = clock.after(15, () => seen.push("never"));
  cancel();
  t.is(clock.nextDue(), 15);
  clock.advance(19);
  t.deepEqual(seen, ["first 15", "second", "nested 15"]);
  clock.advance(1);
  t.deepEqual(seen.at(-1), "late 25");
  t.is(clock.wall(), 1_020);
  t.is(clock.nextDue(), undefined);
});

test("11.2 setting a manual clock's wall moves nothing that waits", (t) => {
  const clock = new ManualClock(100, 5_000);
  let fired = 0;
  clock.after(50, () => (fired += 1));
  clock.setWall(9_000_000);
  t.deepEqual([clock.now(), clock.wall(), clock.nextDue()], [100, 9_000_000, 150]);
  clock.advance(49);
  clock.setWall(0);
  t.is(fired, 0);
  clock.advance(1);
  t.deepEqual([fired, clock.now(), clock.wall()], [1, 150, 1]);
});

test("the system clock never fires early and can be cancelled", async (t) => {
  const start = systemClock.now();
  await new Promise<void>((resolve) => systemClock.after(3.5, resolve));
  t.true(systemClock.now() - start >= 3.5);
  const cancel = systemClock.after(0, () => t.fail());
  cancel();
  cancel();
  systemClock.after(2 ** 40, () => t.fail())();
  await new Promise<void>((resolve) => systemClock.after(0, resolve));
  t.pass();
});

test("a timer fires once per deadline, whichever way it moves", (t) => {
  const clock = new ManualClock();
  const fired: number[] = [];
  const timer = new Timer(clock, () => fired.push(clock.now()));
  timer.armAt(10);
  timer.armAt(30);
  clock.advance(20);
  t.deepEqual(fired, []);
  timer.armAt(25);
  clock.advance(20);
  t.deepEqual(fired, [25]);
  t.is(timer.deadline, undefined);
  timer.armAt(1);
  t.deepEqual(fired, [25], "not inside armAt");
  clock.advance(0);
  t.deepEqual(fired, [25, 40]);
  timer.armAt(50);
  timer.armAt(undefined);
  clock.advance(100);
  t.deepEqual(fired, [25, 40]);
  t.is(clock.nextDue(), undefined);
});

test("a timer can be armed from within its own callback", (t) => {
  const clock = new ManualClock();
  const fired: number[] = [];
  const timer = new Timer(clock, () => {
    fired.push(clock.now());
    if (fired.length < 3) timer.armAt(clock.now() + 5);
  });
  timer.armAt(5);
  clock.advance(100);
  t.deepEqual(fired, [5, 10, 15]);
});

test("backoff grows to its maximum under full jitter", (t) => {
  const upper = backoff({ baseMs: 10, maxMs: 60, random: () => 1 });
  t.deepEqual(Array.from({ length: 5 }, () => upper.next().value), [10, 20, 40, 60, 60]);
  const lower = backoff({ baseMs: 10, minMs: 3, random: () => 0 });
  t.deepEqual([lower.next().value, lower.next().value], [3, 3]);
});

test("a delay resolves on time, or rejects with the signal's reason", async (t) => {
  const clock = new ManualClock();
  const waiting = delay(10, undefined, clock);
  clock.advance(10);
  await waiting;

  const { controller, listeners } = countingSignal();
  const elapsed = delay(10, controller.signal, clock);
  clock.advance(10);
  await elapsed;
  t.is(listeners(), 0);

  const given = delay(10, controller.signal, clock);
  controller.abort(new Error("enough"));
  await t.throwsAsync(given, { message: "enough" });
  t.is(clock.nextDue(), undefined);
  await t.throwsAsync(delay(10, controller.signal, clock), { message: "enough" });
});

test("a deadline fires with a TimeoutError, and leaves nothing behind", (t) => {
  const clock = new ManualClock();
  const { controller, listeners } = countingSignal();
  {
    using kept = withDeadline(controller.signal, 100, clock);
    t.false(kept.signal.aborted);
    t.is(listeners(), 1);
  }
  t.is(listeners(), 0);
  t.is(clock.nextDue(), undefined);

  const late = withDeadline(controller.signal, 100, clock);
  clock.advance(100);
  t.is((late.signal.reason as Error).name, "TimeoutError");
  t.is(listeners(), 0);

  const parent = withDeadline(controller.signal, 100, clock);
  controller.abort("why");
  t.is(parent.signal.reason, "why");
  t.is(clock.nextDue(), undefined);

  const gone = withDeadline(controller.signal, 100, clock);
  t.is(gone.signal.reason, "why");
  t.is(clock.nextDue(), undefined);
});

test("any of several signals, with the first reason", (t) => {
  const one = countingSignal();
  const two = countingSignal();
  const either = anySignal([undefined, one.controller.signal, two.controller.signal]);
  two.controller.abort("second");
  one.controller.abort("first");
  t.is(either.signal.reason, "second");
  t.is(one.listeners() + two.listeners(), 0);
  t.false(anySignal([]).signal.aborted);
});
