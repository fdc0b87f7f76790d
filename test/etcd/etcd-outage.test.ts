import test from "ava";
import { randomUUID } from "node:crypto";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { freePorts } from "../../src/dev/free-ports.ts";
import type { EtcdOptions } from "../../src/etcd/options.ts";
import { connectStore } from "../../src/etcd/store.ts";
import { StoreUnavailable } from "../../src/ports/store-errors.ts";
import { follow, loadAll, Master, never, rows, type StoreWorld } from "../contracts/store-world.ts";

/** What only a cluster of real members can show: members that die, freeze and come back. */

let cluster: EtcdCluster;

test.before(async (t) => {
  cluster = await EtcdCluster.start();
  t.log(`etcd ${cluster.version}`);
});
test.after.always(() => cluster?.[Symbol.asyncDispose]());

/** Stores on a prefix of their own, closed at the end. */
function world(options: Partial<EtcdOptions> = {}): Pick<StoreWorld, "connect"> & AsyncDisposable {
  const prefix = `test-${randomUUID()}/`;
  const stack = new AsyncDisposableStack();
  return {
    connect: () => stack.use(connectStore({ endpoints: cluster.endpoints, prefix, ...options })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const join = (from: Pick<StoreWorld, "connect">, name: string) => Master.join(from as StoreWorld, name);

async function leader(): Promise<number> {
  const index = await cluster.leader();
  if (index === undefined) throw new Error("etcd has no leader");
  return index;
}

test.serial("3.4 without a quorum a batch waits; given up, it may still land; sent again, it is one batch", async (t) => {
  await using stores = world();
  const master = await join(stores, "a");
  const watch = follow(stores.connect(), master.head + 1);
  const down = [0, 1];
  await Promise.all(down.map((index) => cluster.kill(index)));

  const batch = master.batch(rows(3, "v"));
  const stop = new AbortController();
  const reason = new Error("no answer within the lease");
  let attempts = 0;
  const waiting = master.store.commit(batch, stop.signal, () => {
    attempts += 1;
    if (attempts === 5) stop.abort(reason);
  });
  t.is(await t.throwsAsync(waiting), reason);

  const again = master.send(batch);
  await Promise.all(down.map((index) => cluster.restart(index)));
  t.is((await again).kind, "committed");
  await master.commit(...rows(1, "after"));
  await watch.until(master.head);
  t.deepEqual(watch.changes.items.map(({ writes }) => writes.length), [4, 2], "landed once");
  await watch.stop();
});

test.serial("3.4 an etcd leader that is killed costs an election, not a batch", async (t) => {
  await using stores = world();
  const master = await join(stores, "a");
  const watch = follow(stores.connect(), master.head + 1);
  for (let round = 0; round < 3; round += 1) {
    await master.commit(...rows(2, `before ${round}`));
    const index = await leader();
    const killed = cluster.kill(index);
    const startedAt = performance.now();
    await master.commit(...rows(2, `after ${round}`));
    t.log(`answered ${Math.round(performance.now() - startedAt)} ms after the kill`);
    t.true(await master.store.keepAlive(never()), "the lease outlives it");
    await killed;
    await cluster.restart(index);
  }
  await watch.until(master.head);
  t.is(watch.changes.items.length, 6);
  await watch.stop();
});

test.serial("3.4 a frozen etcd leader is left for another; its watches move too", async (t) => {
  await using stores = world();
  const master = await join(stores, "a");
  const watch = follow(stores.connect(), master.head + 1);
  await master.commit(...rows(1, "before"));
  await watch.until(master.head);
  const index = await leader();
  await cluster.pause(index);
  try {
    const startedAt = performance.now();
    await master.commit(...rows(1, "after"));
    t.log(`answered ${Math.round(performance.now() - startedAt)} ms after the freeze`);
    t.is((await master.store.barrier(master.fence, never())).kind, "passed");
    await watch.until(master.head);
    t.log(`watched ${Math.round(performance.now() - startedAt)} ms after the freeze`);
  } finally {
    await cluster.resume(index);
  }
  await watch.stop();
});

test.serial("a dead endpoint, first in the list, costs no time worth mentioning", async (t) => {
  const [dead] = await freePorts(1);
  await using stores = world({ endpoints: [`http://127.0.0.1:${dead}`, ...cluster.endpoints] });
  const startedAt = performance.now();
  const master = await join(stores, "a");
  await master.commit(...rows(1, "v"));
  t.true(performance.now() - startedAt < 2_000);
});

test.serial("a read from a store that does not answer says so, in time", async (t) => {
  const troubles: StoreUnavailable[] = [];
  await using stores = world({ readPatienceMs: 500, onTrouble: (error) => troubles.push(error) });
  const store = stores.connect();
  await loadAll(store);
  const all = cluster.members.map((_, index) => index);
  await Promise.all(all.map((index) => cluster.pause(index)));
  try {
    const error = await t.throwsAsync(store.candidates(never()), { instanceOf: StoreUnavailable });
    t.regex(error!.message, /^candidates at http:\/\/127\.0\.0\.1:\d+: /);
    t.true(troubles.length > 0);
  } finally {
    await Promise.all(all.map((index) => cluster.resume(index)));
  }
  t.deepEqual(await store.candidates(never()), []);
});
