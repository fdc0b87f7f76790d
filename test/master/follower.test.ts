/** What the follower takes into its tables, and what not. */
import test from "ava";
import { Follower } from "../../src/master/follower.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { HeadRecord, HistoryRecord, MetaRecord, TaskRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import type { RegistryPort } from "../../src/ports/registry.ts";
import { never } from "../contracts/store-world.ts";
import { MemoryStore } from "../../chaos/twins/memory-store.ts";
import { MemoryStoreServer } from "../../chaos/twins/memory-store-server.ts";

const LAUNCH = "0123456789abcdef0123456789abcdef";

function taskRow(launchId: string, more: object = {}): TaskRecord {
  const info = { name: "t", taskId: { value: "t1" }, agentId: { value: "a1" }, resources: [{ name: "cpus", type: 0, scalar: { value: 1 } }] };
  return TaskRecord.fromPartial({ launchId, frameworkId: "f1", agentId: "a1", info, ...more } as object);
}

/** A task whose resources nobody can have launched. */
const impossible = (launchId: string): TaskRecord => {
  const record = taskRow(launchId);
  return { ...record, info: { ...record.info!, resources: [{ name: "cpus", type: 0, scalar: { value: -1 }, reservations: [] }] } as never };
};

async function loaded(rows: readonly { readonly key: string; readonly value: Uint8Array }[]): Promise<Follower> {
  const server = new MemoryStoreServer();
  const meta = MetaRecord.encode(MetaRecord.fromPartial({ clusterId: "c", generation: 1, format: 1 })).finish();
  server.apply([{ key: "meta", value: meta }, { key: "head", value: HeadRecord.encode(HeadRecord.fromPartial({})).finish() }, ...rows]);
  const follower = new Follower(new MemoryStore(server), new TelemetryRecorder());
  await follower.load(never());
  return follower;
}

for (const [what, record] of [
  ["its id is no launch id", taskRow("by-hand")],
  ["its id is not in the form of one", taskRow(LAUNCH.toUpperCase())],
  ["its resources do not parse", impossible(LAUNCH)],
] as const) {
  test(`3.10 a foreign task row leaves nothing in the tables: ${what}`, async (t) => {
    const { tables, foreignKeys } = await loaded([{ key: `t/${record.launchId}`, value: TaskRecord.encode(record).finish() }]);
    t.is(tables.tasks.size, 0);
    t.deepEqual([...tables.agentBooks("a1").launches], [], "what is in there is launched");
    t.is(tables.frameworkBooks("f1").live.size, 0);
    t.is(foreignKeys.size, 1);
  });

  test(`3.10 a foreign history row leaves nothing in the tables: ${what}`, async (t) => {
    const value = HistoryRecord.encode({ task: record, at: 1, number: 0 }).finish();
    const { tables, foreignKeys } = await loaded([{ key: "h/f1/0", value }]);
    t.is(tables.history.size, 0);
    t.is(foreignKeys.size, 1);
  });
}

test("3.10 rows that a leader wrote are taken", async (t) => {
  const task = taskRow(LAUNCH);
  const { tables, foreignKeys } = await loaded([
    { key: `t/${LAUNCH}`, value: TaskRecord.encode(task).finish() },
    { key: "h/f1/0", value: HistoryRecord.encode({ task, at: 1, number: 0 }).finish() },
  ]);
  t.deepEqual([...tables.agentBooks("a1").launches], [LAUNCH]);
  t.is(tables.history.size, 1);
  t.deepEqual([...foreignKeys], []);
});

test("10.7 while the registry is loaded again, the tables show what they did, and of that revision", async (t) => {
  const loading = Promise.withResolvers<void>();
  let loads = 0;
  const registry = {
    load: async () => {
      loads += 1;
      if (loads === 1) return { revision: 7, headModRevision: 5 };
      loading.resolve();
      return new Promise(() => {});
    },
    watch: async () => ({ kind: "compacted", compactRevision: 9 }),
  } as unknown as RegistryPort;
  const follower = new Follower(registry, new TelemetryRecorder());
  void follower.follow(never(), () => {});
  await loading.promise;
  t.is(follower.revision, 0);
  t.is(follower.shownRevision, 7);
});
