import type { TestFn } from "ava";
import { eventually } from "../support/eventually.ts";
import { bytes, follow, loadAll, Master, never, rows, text, type StoreWorld } from "./store-world.ts";

export function registryContract(test: TestFn, open: () => Promise<StoreWorld>): void {
  test.serial("2.14 bootstrap writes meta and head once", async (t) => {
    await using world = await open();
    const first = await world.connect().bootstrap(bytes("one"), bytes("head 0"), never());
    const second = await world.connect().bootstrap(bytes("two"), bytes("head 0"), never());
    t.is(text(first.meta), "one");
    t.is(text(second.meta), "one");
    const loaded = await loadAll(world.connect());
    t.deepEqual([...loaded.rows], [["head", "head 0"], ["meta", "one"]]);
    t.is(loaded.headModRevision, first.revision);
  });

  test.serial("3.2 a batch of 127 rows commits; one more, or a row twice, is malformed", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    t.is((await master.send(master.batch(rows(127, "v")))).kind, "committed");
    t.is((await master.send(master.batch(rows(128, "w")))).kind, "invalid");
    t.is((await master.send(master.batch([...rows(1, "w"), ...rows(1, "w")]))).kind, "invalid");
    t.is((await master.send(master.batch([{ key: "t/big", value: Buffer.alloc(1_600_000) }]))).kind, "invalid");
    t.is((await master.send(master.batch([{ key: "t/big", value: Buffer.alloc(3_000_000) }]))).kind, "invalid");
    t.is((await loadAll(world.connect())).rows.size, 127 + 2);
  });

  test.serial("3.10 the watch shows each batch whole: head, puts and deletes, but no candidates", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const standby = world.connect();
    const { revision } = await standby.load(() => {}, never());
    const watch = follow(standby, revision + 1);
    await master.commit({ key: "t/1", value: bytes("one") }, { key: "a/1", value: bytes("agent") });
    await Master.join(world, "b");
    await master.commit({ key: "t/1" }, { key: "t/2", value: bytes("") });
    await watch.until(master.head);
    t.deepEqual(
      watch.changes.items.map(({ writes }) => writes.map(({ key, value }) => [key, text(value)])),
      [
        [["head", "cand/a.1.1 1"], ["t/1", "one"], ["a/1", "agent"]],
        [["head", "cand/a.1.1 2"], ["t/1", undefined], ["t/2", ""]],
      ],
    );
    t.deepEqual(await watch.stop(), { kind: "aborted" });
  });

  test.serial("3.3 compare failed but head is ours: committed", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const batch = master.batch(rows(3, "v"));
    const first = await master.send(batch);
    t.is(first.kind, "committed");
    t.deepEqual(await master.store.commit(batch, never()), first);
    await master.commit(...rows(1, "after"));
  });

  test.serial("3.3 two copies at once make one batch", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const batch = master.batch(rows(3, "v"));
    const [one, two] = await Promise.all([master.store.commit(batch, never()), master.store.commit(batch, never())]);
    t.is(one.kind, "committed");
    t.deepEqual(one, two);
  });

  test.serial("3.3 own key gone: deposed", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const batch = master.batch(rows(3, "v"));
    t.true(await world.connect().remove(master.fence.candidateKey, master.fence.createRevision, never()));
    t.deepEqual(await master.send(batch), { kind: "deposed" });
    t.deepEqual(await master.store.barrier(master.fence, never()), { kind: "deposed" });
    t.is((await loadAll(world.connect())).rows.size, 2);
  });

  test.serial("3.3 own key there and another's head: intruder", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const intruder = await Master.join(world, "b");
    await intruder.commit(...rows(1, "theirs"));
    const result = await master.send(master.batch(rows(1, "ours")));
    t.is(result.kind, "intruder");
    t.is((await loadAll(world.connect())).rows.get("t/00000000"), "theirs");
  });

  test.serial("3.4 a batch waits for the store to answer again", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    world.cut();
    const attempts: unknown[] = [];
    let healing = false;
    const result = await master.store.commit(master.batch(rows(1, "v")), never(), (error) => {
      attempts.push(error);
      if (!healing) setImmediate(() => world.heal());
      healing = true;
    });
    t.is(result.kind, "committed");
    t.true(attempts.length >= 1);
  });

  test.serial("3.4 waiting for a batch or a barrier can be given up", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    world.cut();
    const stop = new AbortController();
    const reason = new Error("stepping down");
    const commit = master.store.commit(master.batch([]), stop.signal, () => stop.abort(reason));
    const barrier = master.store.barrier(master.fence, stop.signal);
    t.is(await t.throwsAsync(commit), reason);
    t.is(await t.throwsAsync(barrier), reason);
    world.heal();
  });

  test.serial("3.5 a full store says so, and stays able to elect, fence and delete", async (t) => {
    await using world = await open();
    const leader = await Master.join(world, "a");
    const next = await Master.join(world, "b");
    await world.fill();
    const batch = leader.batch(rows(3, "v"));
    t.deepEqual(await leader.send(batch), { kind: "noSpace" });
    t.is((await leader.store.barrier(leader.fence, never())).kind, "passed", "2.6");
    await t.throwsAsync(next.store.enqueue("cand/b.1.2", bytes(""), never()), { name: "StoreFull" }, "2.13");
    t.is((await leader.store.promote(leader.fence, { modRevision: leader.head }, [], never())).kind, "leading");
    const accused = [{ key: leader.fence.candidateKey, createRevision: leader.fence.createRevision, value: bytes("a") }];
    t.is((await next.store.promote(next.fence, { modRevision: next.head }, accused, never())).kind, "leading", "2.4");
    t.is((await leader.store.barrier(leader.fence, never())).kind, "deposed");
    await world.drain();
    t.is((await next.send(next.batch(rows(3, "v")))).kind, "committed");
  });

  test.serial("3.10 a watch goes on after a cut where it stopped: nothing lost, nothing twice", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const watch = follow(world.connect(), master.head + 1);
    const expected: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      expected.push(await master.commit(...rows(20, `before ${round}`)));
      if (round === 2) await watch.until(master.head);
      world.cut();
      const during = master.send(master.batch(rows(20, `during ${round}`)));
      world.heal();
      await during;
      expected.push(master.head);
    }
    await watch.until(master.head);
    t.deepEqual(watch.revisions(), expected);
    t.true(watch.changes.items.every(({ writes }) => writes.length === 21));
    await watch.stop();
  });

  test.serial("3.11 a watch from a compacted or a future revision says so", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const from = master.head + 1;
    await master.commit(...rows(1, "one"));
    await master.commit(...rows(1, "two"));
    await master.store.compact(master.head, never());
    await master.store.compact(from, never());
    t.deepEqual(await world.connect().watch(from, () => {}, never()), { kind: "compacted", compactRevision: master.head });
    const { revision } = await loadAll(master.store);
    t.is((await world.connect().watch(revision + 100, () => {}, never())).kind, "wentBack");
  });

  test.serial("3.11 who wrote meta itself may follow on from there: it is the same history", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    await loadAll(master.store);
    await master.commit({ key: "meta", value: bytes("meta") });
    const from = master.head + 1;
    const watch = follow(master.store, from);
    await master.commit(...rows(1, "v"));
    await Promise.race([watch.until(master.head), watch.end]);
    t.deepEqual(watch.revisions(), [from]);
    t.deepEqual(await watch.stop(), { kind: "aborted" });
  });

  test.serial("13.3 load reads every row as of one revision while batches are committed", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    for (let n = 0; n < 30; n += 1) await master.commit(...rows(100, "old", n * 100));
    let loading = true;
    const writing = (async () => {
      // One row of each hundred: a batch touches all parts of the key space.
      const spread = rows(3_000, "").filter((_, i) => i % 100 === 0);
      for (let n = 0; loading; n += 1) await master.commit(...spread.map(({ key }) => ({ key, value: bytes(`new ${n}`) })));
      return spread;
    })();
    const loaded = await loadAll(world.connect());
    loading = false;
    const spread = await writing;
    t.is(loaded.rows.size, 3_000 + 2);
    t.is(loaded.order.length, loaded.rows.size, "no row twice");
    t.is(new Set(spread.map(({ key }) => loaded.rows.get(key))).size, 1, "all from one batch");
    t.true(loaded.headModRevision <= loaded.revision);
  });

  test.serial("3.10 a standby far behind catches up with 20,000 rows", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const from = master.head + 1;
    for (let n = 0; n < 160; n += 1) await master.commit(...rows(125, "v", n * 125));
    const watch = follow(world.connect(), from);
    await watch.until(master.head);
    t.is(watch.changes.items.length, 160);
    t.is(new Set(watch.changes.items.flatMap(({ writes }) => writes.map(({ key }) => key))).size, 20_000 + 1);
    await watch.stop();
  });

  test.serial("what onChanges throws ends the watch", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const fault = new Error("fold failed");
    const watching = world.connect().watch(master.head + 1, () => { throw fault; }, never());
    await master.commit(...rows(1, "v"));
    t.is(await t.throwsAsync(watching), fault);
  });

  test.serial("a watch given up while it is being opened ends, whenever that is", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    for (let steps = 0; steps < 12; steps += 1) {
      const stop = new AbortController();
      const abortSoon = async (): Promise<void> => {
        for (let step = 0; step < steps; step += 1) await Promise.resolve();
        stop.abort();
      };
      await master.store.watchCandidates(() => void abortSoon(), stop.signal);
      t.true(stop.signal.aborted, `after ${steps} steps`);
    }
  });

  test.serial("a closed store ends its watches", async (t) => {
    await using world = await open();
    const master = await Master.join(world, "a");
    const store = world.connect();
    const watch = follow(store, master.head + 1);
    const candidates = store.watchCandidates(() => {}, never());
    await master.commit(...rows(1, "v"));
    await watch.until(master.head);
    await store[Symbol.asyncDispose]();
    t.deepEqual(await watch.end, { kind: "aborted" });
    await candidates;
    await t.throwsAsync(store.barrier(master.fence, never()), { name: "StoreUnavailable" });
  });

  test.serial("13.3 the size grows with what is written, and is told with the quota", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    const before = await a.store.size(never());
    for (let i = 0; i < 4; i += 1) await a.commit({ key: `t/${i}`, value: Buffer.alloc(512 * 1024, i) });
    // A member counts what it has written to its file, which it does now and then, and each may be asked.
    const after = await eventually("the size grows", async () => {
      const size = await a.store.size(never());
      return size.usedBytes >= before.usedBytes + 2 ** 20 ? size : undefined;
    });
    t.true(before.usedBytes > 0);
    t.is(after.quotaBytes, before.quotaBytes);
    t.true(Number.isSafeInteger(after.quotaBytes) && after.quotaBytes >= 0);
  });
}
