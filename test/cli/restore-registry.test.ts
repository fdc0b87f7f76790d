import test from "ava";
import { restoreRegistry } from "../../src/cli/restore-registry.ts";
import type { RestorePort } from "../../src/ports/registry.ts";
import { HeadRecord, MetaRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";

type Found = Awaited<ReturnType<RestorePort["read"]>>;

/** The `meta` row that a restore writes over what it finds. */
async function restoredMeta(found: Found, emptyClusterId?: string): Promise<MetaRecord> {
  let written: Uint8Array | undefined;
  const port: RestorePort = {
    read: () => Promise.resolve(found),
    replaceMeta: (_before, meta) => {
      written = meta;
      return Promise.resolve("replaced");
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const options = { nowSeconds: 1_000, ...(emptyClusterId === undefined ? {} : { emptyClusterId }) };
  await restoreRegistry(port, options, new AbortController().signal);
  return MetaRecord.decode(written!);
}

test("13.2, 1.2 the generation rises, the cluster id stays, and the last epoch of the backup is remembered", async (t) => {
  const epoch = { generation: 3, revision: 77 };
  const meta = MetaRecord.encode(MetaRecord.fromPartial({ clusterId: "c1", generation: 3, format: 1 })).finish();
  const head = HeadRecord.encode(HeadRecord.fromPartial({ epoch })).finish();
  const restored = await restoredMeta({ meta, head });
  t.like(restored, { clusterId: "c1", generation: 1_000, lastEpochBefore: epoch });
  const again = await restoredMeta({ meta: MetaRecord.encode({ ...restored, generation: 5_000 }).finish(), head });
  t.like(again, { clusterId: "c1", generation: 5_001 });
});

test("13.2, 5.4 what begins empty knows that something was before it", async (t) => {
  const meta = await restoredMeta(undefined, "c1");
  t.like(meta, { clusterId: "c1", generation: 1_000, lastEpochBefore: { generation: 0, revision: 0 } });
});

test("13.1 what a newer version wrote into meta survives a restore", async (t) => {
  // Field 100, two bytes long.
  const newer = Uint8Array.of(0xa2, 0x06, 2, 7, 9);
  const meta = MetaRecord.encode(MetaRecord.fromPartial({ clusterId: "c1", generation: 3, format: 1 })).finish();
  const head = HeadRecord.encode(HeadRecord.fromPartial({ epoch: { generation: 3, revision: 77 } })).finish();
  const restored = await restoredMeta({ meta: Buffer.concat([meta, newer]), head });
  t.true(Buffer.from(MetaRecord.encode(restored).finish()).includes(Buffer.from(newer)));
});
