/** A store that answers late is slow, not away: nothing is given up, reconnected or done twice because of it. */
import test from "ava";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { follow, loadAll, Master, never, rows } from "../contracts/store-world.ts";
import { EtcdWorld } from "./etcd-world.ts";

let cluster: EtcdCluster;

test.before(async () => {
  cluster = await EtcdCluster.start({ members: 1 });
});
test.after.always(() => cluster?.[Symbol.asyncDispose]());

for (const latencyMs of [300, 800]) {
  test.serial(`3.4 answers ${latencyMs} ms late: each batch takes one of those, is one batch, and the lease is kept`, async (t) => {
    await using world = await EtcdWorld.open(cluster);
    const master = await Master.join(world, "a", 5);
    const watch = follow(world.connect(), master.head + 1);
    await master.commit(...rows(1, "fast"));
    await watch.until(master.head);
    world.slow(latencyMs);
    const took: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const startedAt = performance.now();
      await master.commit(...rows(3, `slow ${n}`));
      took.push(Math.round(performance.now() - startedAt));
      t.true(await master.store.keepAlive(never()));
    }
    t.log(`answered after ${took.join(", ")} ms`);
    // A copy that is cancelled takes its connection along, and the next one would wait for two answers or more.
    t.true(Math.min(...took) < 2 * latencyMs);
    t.is((await master.store.barrier(master.fence, never())).kind, "passed");
    await watch.until(master.head);
    t.deepEqual(watch.changes.items.map(({ writes }) => writes.length), [2, 4, 4, 4, 4], "landed once, on the watch that was there");
    t.is((await loadAll(master.store)).headModRevision, master.head);
    await watch.stop();
  });
}
