import test from "ava";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findEtcd } from "../../src/dev/etcd-binary.ts";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { connectStore } from "../../src/etcd/store.ts";

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

test("an etcd that is missing is explained", async (t) => {
  await t.throwsAsync(findEtcd(undefined, { PATH: "" }, []), { message: /apt-get install etcd-server[^]*brew install etcd[^]*MESARCH_ETCD/ });
  await t.throwsAsync(findEtcd(process.execPath), { message: /does not look like etcd/ });
  t.regex((await findEtcd()).version, /^3\.\d+\.\d+/);
});

test("a kept data directory brings the same cluster back", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "mesarch-etcd-kept-"));
  try {
    const endpoints: string[][] = [];
    const metas: string[] = [];
    for (const meta of ["first", "second"]) {
      await using cluster = await EtcdCluster.start({ members: 1, dataDir });
      await using store = connectStore({ endpoints: cluster.endpoints });
      endpoints.push([...cluster.endpoints]);
      metas.push(Buffer.from((await store.bootstrap(Buffer.from(meta), Buffer.from(""), soon())).meta).toString());
    }
    t.deepEqual(endpoints[0], endpoints[1]);
    t.deepEqual(metas, ["first", "first"]);
    t.is(typeof (await readFile(join(dataDir, "etcd-0.log"), "utf8")), "string");
    await t.throwsAsync(EtcdCluster.start({ members: 3, dataDir }), { message: /is for 1 members, not 3/ });
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
