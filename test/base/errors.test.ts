import test from "ava";

import { AssertionFailure, assert, unreachable } from "../../src/base/assert.ts";
import { MesarchError, errorChain, errorTable, toMesarchError } from "../../src/base/errors.ts";

test("an error carries its code, remedy and cause", (t) => {
  const cause = new Error("connect refused");
  const error = new MesarchError("unavailable", "etcd at :2379 does not answer", { remedy: "start it", cause });
  t.true(error instanceof Error);
  t.like(error, { code: "unavailable", message: "etcd at :2379 does not answer", remedy: "start it", cause });
  t.false("cause" in new MesarchError("internal", "x"));
});

test("exit codes are those of the command line's interface", (t) => {
  const exits = Object.fromEntries(Object.entries(errorTable).map(([code, { exit }]) => [code, exit]));
  t.deepEqual(exits, {
    unavailable: 2, no_leader: 2, not_found: 3, refused: 4, invalid: 4, unauthenticated: 4,
    conflict: 1, exhausted: 1, internal: 1, timed_out: 124, cancelled: 130,
  });
});

test("every status is one its protocol knows", (t) => {
  for (const { grpc, http } of Object.values(errorTable)) {
    t.true(grpc >= 1 && grpc <= 16);
    t.true(http >= 400 && http <= 599);
  }
});

test("the chain names every cause once, outermost first", (t) => {
  const system = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });
  const middle = new Error("no answer from a", { cause: system });
  t.deepEqual(errorChain(new MesarchError("unavailable", "cannot list tasks", { cause: middle })), [
    "cannot list tasks", "no answer from a", "connect failed (ECONNREFUSED)",
  ]);
});

test("the chain shows the members of an aggregate, then its cause", (t) => {
  const both = new AggregateError([new Error("a"), new Error("b")], "neither answers", { cause: "no route" });
  t.deepEqual(errorChain(both), ["neither answers", "a", "b", "no route"]);
});

test("the chain of a cycle ends, and of odd values does not throw", (t) => {
  const loop = new Error("loop");
  loop.cause = loop;
  t.true(errorChain(loop).length <= 16);
  t.deepEqual(errorChain(undefined), ["undefined"]);
  t.deepEqual(errorChain(Object.create(null)), ["a thrown value without a text form"]);
  t.deepEqual(errorChain(new TypeError()), ["TypeError"]);
});

test("anything thrown becomes a MesarchError", (t) => {
  const own = new MesarchError("conflict", "x");
  t.is(toMesarchError(own), own);
  t.is(toMesarchError(new DOMException("stop", "AbortError")).code, "cancelled");
  t.is(toMesarchError(new DOMException("late", "TimeoutError")).code, "timed_out");
  const bug = new TypeError("x is not a function");
  t.like(toMesarchError(bug), { code: "internal", message: "x is not a function", cause: bug });
  t.like(toMesarchError("text"), { code: "internal", message: "text" });
});

test("assert builds its message only when it fails", (t) => {
  assert(true, () => t.fail());
  t.throws(() => assert(0, () => "zero"), { instanceOf: AssertionFailure, message: "zero" });
  t.throws(() => unreachable({ kind: "x" } as never, "step"), { message: 'step: unexpected {"kind":"x"}' });
});
