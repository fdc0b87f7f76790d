/** When the lease under a master's candidate keys is renewed, and when it is left to end (2.7). */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { delay } from "../../src/async/abort.ts";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { LeaseKeeper } from "../../src/master/lease-keeper.ts";
import type { ElectionPort } from "../../src/ports/registry.ts";
import { StoreUnavailable } from "../../src/ports/store-errors.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { Masters } from "./masters.ts";

const TTL_MS = 6_000;

function keeping() {
  const clock = new ManualClock();
  const renewedAt: number[] = [];
  const store = {
    grants: 0,
    keepAlive: async (): Promise<boolean> => true,
  };
  const election = {
    grantLease: async () => void (store.grants += 1),
    keepAlive: () => {
      renewedAt.push(clock.now());
      return store.keepAlive();
    },
  } as unknown as ElectionPort;
  const lease = new LeaseKeeper(election, TTL_MS, clock, new TelemetryRecorder().log);
  const ending = new AbortController();
  const running = lease.run(ending.signal);
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      await turn();
    }
  };
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  return { clock, lease, store, renewedAt, run, signal: ending.signal, [Symbol.asyncDispose]: stop };
}

test("2.7 the lease is renewed each third of its TTL while transactions are answered", async (t) => {
  await using keeper = keeping();
  await keeper.lease.ensure(keeper.signal);
  for (let seconds = 0; seconds < 12; seconds += 1) {
    keeper.lease.proved(keeper.clock.now());
    await keeper.run(1_000);
  }
  t.deepEqual(keeper.renewedAt, [2_000, 4_000, 6_000, 8_000, 10_000, 12_000]);
  t.is(keeper.store.grants, 1);
});

test("2.7 without a transaction answered that was sent within half a TTL it is not renewed, however well renewals are answered", async (t) => {
  await using keeper = keeping();
  await keeper.lease.ensure(keeper.signal);
  await keeper.run(12_000);
  t.deepEqual(keeper.renewedAt, [2_000], "the grant is proof for half a TTL; its renewal is none");
  keeper.lease.proved(9_000);
  keeper.lease.proved(1_000);
  await keeper.run(1_900);
  keeper.lease.proved(10_999);
  await keeper.run(100);
  t.deepEqual(keeper.renewedAt, [2_000], "sent just more than half a TTL ago");
  keeper.lease.proved(13_000);
  keeper.lease.proved(1_000);
  await keeper.run(2_000);
  t.deepEqual(keeper.renewedAt, [2_000, 16_000], "sent half a TTL ago; an older proof that arrives late takes nothing back");
});

test("2.7 a lease that ended is not renewed but granted anew, by whoever queues next; a silent store ends none", async (t) => {
  await using keeper = keeping();
  const prove = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      keeper.lease.proved(keeper.clock.now());
      await keeper.run(1_000);
    }
  };
  await prove(4_000);
  t.deepEqual(keeper.renewedAt, [], "there is none yet");
  await keeper.lease.ensure(keeper.signal);
  keeper.store.keepAlive = () => Promise.reject(new StoreUnavailable("keep-alive", "memory", "no answer", true));
  await prove(4_000);
  t.deepEqual(keeper.renewedAt, [6_000, 8_000]);
  keeper.store.keepAlive = async () => false;
  await prove(6_000);
  t.deepEqual(keeper.renewedAt, [6_000, 8_000, 10_000]);
  await keeper.lease.ensure(keeper.signal);
  t.is(keeper.store.grants, 2);
});

test("2.7 of a leader and of a standby counts when the transaction was sent, not when it was answered", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2"], { rehearsals: 0 });
  const renewals = new Map([...masters.nodes.keys()].map((name) => [name, 0]));
  for (const [name, { store }] of masters.nodes) {
    const { keepAlive } = store;
    store.keepAlive = (...args) => {
      renewals.set(name, renewals.get(name)! + 1);
      return keepAlive.apply(store, args);
    };
  }
  await masters.run(5_000);
  t.true([...renewals.values()].every((count) => count >= 2));
  const slow = async <T>(answer: T): Promise<T> => {
    await delay(2_600, undefined, masters.clock);
    return answer;
  };
  for (const { store } of masters.nodes.values()) {
    const { barrier, commit } = store;
    store.barrier = async (...args) => slow(await barrier.apply(store, args));
    store.commit = async (...args) => slow(await commit.apply(store, args));
  }
  // What was answered before is proof for half a TTL.
  await masters.run(2_500);
  for (const name of renewals.keys()) renewals.set(name, 0);
  await masters.run(10_000);
  t.deepEqual([...renewals], [["m1", 0], ["m2", 0]]);
});
