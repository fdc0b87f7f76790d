import type { TestFn } from "ava";
import type { Candidate } from "../../src/ports/registry.ts";
import { Collector } from "../support/collector.ts";
import { bytes, loadAll, Master, never, rows, type StoreWorld } from "./store-world.ts";

const keysOf = (candidates: readonly Candidate[]): string[] => candidates.map(({ key }) => key);
const candidateOf = ({ fence }: Master): Candidate => ({ key: fence.candidateKey, createRevision: fence.createRevision, value: bytes("") });

export function electionContract(test: TestFn, open: () => Promise<StoreWorld>): void {
  test.serial("2.2 enqueue creates a key once and tells who is before", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    await a.store.remove("cand/nobody", 7, never());
    const store = world.connect();
    await store.grantLease(5, never());
    const first = await store.enqueue("cand/b.1.1", bytes("b"), never());
    const again = await store.enqueue("cand/b.1.1", bytes("other"), never());
    t.is(again.createRevision, first.createRevision);
    t.deepEqual(keysOf(first.candidates), ["cand/a.1.1", "cand/b.1.1"]);
    t.true(a.fence.createRevision < first.createRevision);
    t.deepEqual(await store.candidates(never()), again.candidates);
  });

  test.serial("2.2 enqueue on a lease that ended fails", async (t) => {
    await using world = await open();
    const store = world.connect();
    await t.throwsAsync(store.enqueue("cand/a.1.1", bytes("a"), never()), { name: "LeaseLost" });
    await store.grantLease(5, never());
    t.true(await store.keepAlive(never()));
    await store.revokeLease(never());
    t.false(await store.keepAlive(never()));
    await t.throwsAsync(store.enqueue("cand/a.1.1", bytes("a"), never()), { name: "LeaseLost" });
  });

  test.serial("2.1 a removal never hits a newer key", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    t.true(await a.store.remove(a.fence.candidateKey, a.fence.createRevision, never()));
    const { createRevision } = await a.store.enqueue(a.fence.candidateKey, bytes("again"), never());
    t.false(await a.store.remove(a.fence.candidateKey, a.fence.createRevision, never()));
    t.is((await a.store.candidates(never()))[0]!.createRevision, createRevision);
  });

  test.serial("2.4 promote: the first leads, the next is queued", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    const b = await Master.join(world, "b");
    t.is((await a.store.promote(a.fence, { modRevision: a.head }, [], never())).kind, "leading");
    const result = await b.store.promote(b.fence, { modRevision: b.head }, [], never());
    t.deepEqual(result.kind === "queued" && keysOf(result.candidates), ["cand/a.1.1", "cand/b.1.1"]);
  });

  test.serial("2.4 promote deletes the accused in the same moment; the deposed leader's batch fails", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    const b = await Master.join(world, "b");
    const c = await Master.join(world, "c");
    const seen = new Collector<string[]>();
    const stop = new AbortController();
    const watching = c.store.watchCandidates((candidates) => seen.add(keysOf(candidates)), stop.signal);
    await seen.until("first set", (sets) => sets.length === 1);
    t.is((await c.store.promote(c.fence, { modRevision: c.head }, [candidateOf(a), candidateOf(b)], never())).kind, "leading");
    await seen.until("both gone", (sets) => sets.length === 2);
    t.deepEqual(seen.items, [["cand/a.1.1", "cand/b.1.1", "cand/c.1.1"], ["cand/c.1.1"]]);
    t.is((await a.send(a.batch(rows(1, "late")))).kind, "deposed");
    await c.commit(...rows(1, "v"));
    stop.abort();
    await watching;
  });

  test.serial("2.5 promote with a head that moved says so and deletes nobody", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    const b = await Master.join(world, "b");
    await a.commit(...rows(1, "v"));
    t.deepEqual(await b.store.promote(b.fence, { modRevision: b.head }, [candidateOf(a)], never()), { kind: "behind", headModRevision: a.head });
    t.deepEqual(keysOf(await b.store.candidates(never())), ["cand/a.1.1", "cand/b.1.1"]);
    t.is((await b.store.promote(b.fence, { modRevision: a.head }, [candidateOf(a)], never())).kind, "leading");
  });

  test.serial("2.5 promote without an own key says so", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    await a.store.revokeLease(never());
    t.deepEqual(await a.store.promote(a.fence, { modRevision: a.head }, [], never()), { kind: "gone" });
  });

  test.serial("2.6 a barrier lists the candidates and makes no revision", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    await Master.join(world, "b");
    const first = await a.store.barrier(a.fence, never());
    const second = await a.store.barrier(a.fence, never());
    t.deepEqual(first, second);
    t.deepEqual(first.kind === "passed" && keysOf(first.candidates), ["cand/a.1.1", "cand/b.1.1"]);
    t.is((await loadAll(a.store)).revision, first.kind === "passed" ? first.revision : 0);
  });

  test.serial("2.2 the candidates' watch shows every set, across a cut", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a");
    const seen = new Collector<string>();
    const stop = new AbortController();
    const watching = world.connect().watchCandidates((candidates) => seen.add(keysOf(candidates).join(" ")), stop.signal);
    const until = (set: string) => seen.until(set, () => seen.last === set);
    await until("cand/a.1.1");
    await a.store.enqueue("cand/a.1.2", bytes(""), never());
    await until("cand/a.1.1 cand/a.1.2");
    world.cut();
    const removing = a.store.remove(a.fence.candidateKey, a.fence.createRevision, never());
    world.heal();
    t.is(typeof (await removing), "boolean");
    await until("cand/a.1.2");
    t.deepEqual(seen.items, ["cand/a.1.1", "cand/a.1.1 cand/a.1.2", "cand/a.1.2"]);
    stop.abort();
    await watching;
  });

  test.serial("2.7 a lease without keep-alives takes its candidate along", async (t) => {
    await using world = await open();
    const a = await Master.join(world, "a", 2);
    const b = await Master.join(world, "b");
    t.true(await a.store.keepAlive(never()));
    const seen = new Collector<string>();
    const stop = new AbortController();
    const watching = b.store.watchCandidates((candidates) => seen.add(keysOf(candidates).join(" ")), stop.signal);
    await world.expireLease(a.store);
    await seen.until("only b", () => seen.last === "cand/b.1.1");
    t.false(await a.store.keepAlive(never()));
    t.is((await b.store.promote(b.fence, { modRevision: b.head }, [], never())).kind, "leading");
    stop.abort();
    await watching;
  });
}
