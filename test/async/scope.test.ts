import test from "ava";

import { MesarchError } from "../../src/base/errors.ts";
import { Scope } from "../../src/async/scope.ts";

function component(name: string, log: string[]) {
  const failure = Promise.withResolvers<void>();
  return {
    done: failure.promise,
    fail: failure.reject,
    async [Symbol.asyncDispose]() {
      log.push(`${name} disposed`);
    },
  };
}

/** Ends, by throwing the reason, when the signal fires. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

test("cleanups run in reverse order, one after the other", async (t) => {
  const log: string[] = [];
  const scope = new Scope("test");
  scope.defer(() => log.push("first"));
  scope.defer(async () => {
    await Promise.resolve();
    log.push("second");
  });
  scope.defer(() => log.push("forgotten"))();
  await scope.stop();
  await scope.stop();
  t.deepEqual(log, ["second", "first"]);
  await t.notThrowsAsync(scope.done);
});

test("the first failure ends the scope and rejects done after cleanup; all failures are kept", async (t) => {
  const log: string[] = [];
  const scope = new Scope("test");
  const [first, second] = [new Error("first"), new Error("in cleanup")];
  scope.defer(() => {
    log.push("cleaned");
  });
  scope.defer(() => {
    throw second;
  });
  scope.run(async () => {
    throw first;
  });
  const rejection = await t.throwsAsync(scope.done);
  t.is(rejection, first);
  t.is(scope.signal.reason, first);
  t.deepEqual(log, ["cleaned"]);
  t.deepEqual(scope.failures, [first, second]);
});

test("tasks are interrupted and awaited; being interrupted is no failure", async (t) => {
  const log: string[] = [];
  const scope = new Scope("test");
  scope.run(async (signal) => {
    await untilAborted(signal).finally(() => log.push("interrupted"));
  });
  scope.run(async (signal) => {
    await untilAborted(signal).catch((cause: unknown) => {
      throw new MesarchError("cancelled", "stream closed", { cause });
    });
  });
  await scope.stop();
  t.deepEqual(log, ["interrupted"]);
  t.deepEqual(scope.failures, []);
});

test("a real failure while stopping is not lost", async (t) => {
  const scope = new Scope("test");
  const error = new Error("flush failed");
  scope.run((signal) => untilAborted(signal).catch(() => Promise.reject(error)));
  await scope.stop();
  t.is(await t.throwsAsync(scope.done), error);
});

test("a component is disposed with the scope and fails it", async (t) => {
  const log: string[] = [];
  const scope = new Scope("test");
  await scope.start(() => component("a", log));
  const b = await scope.start(async () => component("b", log));
  const error = new Error("b broke");
  b.fail(error);
  t.is(await t.throwsAsync(scope.done), error);
  t.deepEqual(log, ["b disposed", "a disposed"]);
});

test("a component that starts while the scope ends is disposed, and not handed out", async (t) => {
  const log: string[] = [];
  const scope = new Scope("test");
  const gate = Promise.withResolvers<void>();
  const starting = scope.start(async () => {
    await gate.promise;
    return component("late", log);
  });
  const stopping = scope.stop();
  gate.resolve();
  await t.throwsAsync(starting, { name: "AbortError" });
  await stopping;
  t.deepEqual(log, ["late disposed"]);
  await t.throwsAsync(scope.start(() => component("x", log)), { name: "AbortError" });
});

test("a component that fails to start tells its caller only", async (t) => {
  const scope = new Scope("test");
  await t.throwsAsync(scope.start(() => Promise.reject(new Error("port taken"))), { message: "port taken" });
  t.false(scope.signal.aborted);
  await scope.stop();
  await scope.done;
});

test("a child ends with its parent, and its failure ends the parent", async (t) => {
  const log: string[] = [];
  const parent = new Scope("process");
  const child = parent.child("leadership");
  t.is(child.name, "process/leadership");
  child.defer(() => log.push("child"));
  parent.defer(() => log.push("parent"));
  const error = new Error("lost");
  child.fail(error);
  t.is(await t.throwsAsync(parent.done), error);
  t.deepEqual(log, ["child", "parent"]);
});

test("an isolated child fails alone, and a stopped one is forgotten", async (t) => {
  const parent = new Scope("process");
  const child = parent.child("leadership", { isolated: true });
  child.fail(new Error("deposed"));
  await t.throwsAsync(child.done, { message: "deposed" });
  const again = parent.child("leadership");
  await again.stop();
  t.false(parent.signal.aborted);
  const last = parent.child("leadership");
  await parent.stop();
  t.true(last.signal.aborted);
  await parent.done;
  t.throws(() => parent.defer(() => {}), { message: "process has ended" });
});
