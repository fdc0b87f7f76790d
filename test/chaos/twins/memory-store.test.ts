import test from "ava";
import { storeContract } from "../../contracts/store-contract.ts";
import { bytes, follow, loadAll, Master, never, rows, type StoreWorld } from "../../contracts/store-world.ts";
import { MemoryStoreServer } from "../../../chaos/twins/memory-store-server.ts";
import { MemoryStore, type Link } from "../../../chaos/twins/memory-store.ts";

class MemoryWorld implements StoreWorld {
  readonly server = new MemoryStoreServer();
  readonly #clients: MemoryStore[] = [];

  connect(): MemoryStore {
    const client = new MemoryStore(this.server);
    this.#clients.push(client);
    return client;
  }

  cut(): void {
    this.#link("cut");
  }

  heal(): void {
    this.#link("up");
  }

  async fill(): Promise<void> {
    this.server.full = true;
  }

  async drain(): Promise<void> {
    this.server.full = false;
  }

  async expireLease(store: MemoryStore): Promise<void> {
    store.expireLease();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
  }

  #link(link: Link): void {
    for (const client of this.#clients) client.link = link;
  }
}

storeContract(test, async () => new MemoryWorld());

async function memoryMaster(world: MemoryWorld): Promise<{ master: Master; store: MemoryStore }> {
  const master = await Master.join(world, "a");
  return { master, store: master.store as MemoryStore };
}

test("3.4 twin: a reply that is lost costs a second copy, not a second batch", async (t) => {
  const world = new MemoryWorld();
  const { master, store } = await memoryMaster(world);
  store.loseNextCommitReply();
  const attempts: unknown[] = [];
  const before = world.server.revision;
  const result = await store.commit(master.batch(rows(2, "v")), never(), (error) => attempts.push(error));
  t.deepEqual(result, { kind: "committed", revision: before + 1 });
  t.is(attempts.length, 1);
});

test("3.4 twin: a copy given up may land much later", async (t) => {
  const world = new MemoryWorld();
  const { master, store } = await memoryMaster(world);
  store.holdNextCommit();
  const stop = new AbortController();
  const batch = master.batch(rows(2, "v"));
  await t.throwsAsync(store.commit(batch, stop.signal, () => stop.abort(new Error("enough"))), { message: "enough" });
  t.is((await loadAll(store)).rows.size, 2);
  store.landHeldCommits();
  t.is((await loadAll(store)).rows.size, 4);
  t.is((await master.send(batch)).kind, "committed");
});

test("3.5 twin: full is no answer while a copy is in doubt", async (t) => {
  const world = new MemoryWorld();
  const { master, store } = await memoryMaster(world);
  store.holdNextCommit();
  world.server.full = true;
  const result = store.commit(master.batch(rows(2, "v")), never(), () => setImmediate(() => (world.server.full = false)));
  t.is((await result).kind, "committed");
});

test("twin: a hung store answers when it comes back", async (t) => {
  const world = new MemoryWorld();
  const { master, store } = await memoryMaster(world);
  const watch = follow(store, master.head + 1);
  store.link = "hung";
  const sent = master.send(master.batch(rows(1, "v")));
  const reading = store.candidates(never());
  store.link = "up";
  t.is((await sent).kind, "committed");
  t.is((await reading).length, 1);
  await watch.until(master.head);
  await watch.stop();
});

test("3.11 twin: a store restored from a backup is noticed by its watchers", async (t) => {
  const world = new MemoryWorld();
  const { master, store } = await memoryMaster(world);
  const backup = world.server.snapshot();
  await master.commit(...rows(1, "v"));
  await loadAll(store);
  const watch = follow(store, master.head + 1);
  world.server.restore(backup);
  t.is((await watch.end).kind, "wentBack");
  t.deepEqual(await world.connect().bootstrap(bytes("other"), bytes(""), never()).then(({ meta }) => Buffer.from(meta).toString()), "meta");
});
