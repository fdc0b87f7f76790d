/** What the end of a leadership leaves in the tables: what the registry is known to hold, and a fold that goes on (3.7). */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { Input } from "../../src/core/master/input.ts";
import type { Output } from "../../src/core/master/output.ts";
import { defaultMasterSettings } from "../../src/core/master/settings.ts";
import type { Tables } from "../../src/core/registry/tables.ts";
import { defaultMasterOptions } from "../../src/master/options.ts";
import { Follower } from "../../src/master/follower.ts";
import { LeaderLoop } from "../../src/master/leader-loop.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { HeadRecord, MetaRecord, WeightRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { Call, Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { sizeOfChange } from "../../src/wire/registry-codec.ts";
import { MemoryStore } from "../../chaos/twins/memory-store.ts";
import { MemoryStoreServer } from "../../chaos/twins/memory-store-server.ts";
import { never } from "../contracts/store-world.ts";

const CANDIDATE_KEY = "cand/m1.i.1";

function subscribe(session: number, id: string): Input {
  const frameworkInfo = { id: { value: id }, user: "root", name: id, roles: ["*"], failoverTimeout: 60, capabilities: [{ type: 6 }] };
  const call = Call.fromPartial({ type: Call_Type.SUBSCRIBE, frameworkId: { value: id }, subscribe: { frameworkInfo } } as Partial<Call>);
  return { kind: "subscribe", session, principal: "", call };
}

function teardown(session: number, id: string): Input {
  const call = Call.fromPartial({ type: Call_Type.TEARDOWN, frameworkId: { value: id } });
  return { kind: "call", session, principal: "", call, token: 1, traceparent: "" };
}

const setWeight = (role: string, weight: number): Input => ({
  kind: "operator",
  token: 2,
  principal: "",
  request: { allowStale: false, call: { $case: "setWeight", value: { role, weight } } },
});

/** Everything of the tables that shows, derived or not; how its records were made does not. */
function contents({ meta, head, present, agentsIn, timed, ...tables }: Tables): object {
  const rows = Object.entries(tables).map(([name, table]) => [name, [...(table as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))]);
  const shown = { meta, head, present: [...present].sort(), agentsIn, timed, rows };
  return JSON.parse(JSON.stringify(shown, (key, value: unknown) => (key === "_unknownFields" ? undefined : value))) as object;
}

async function newServer(): Promise<MemoryStoreServer> {
  const server = new MemoryStoreServer();
  const meta = MetaRecord.encode(MetaRecord.fromPartial({ clusterId: "c", generation: 1, format: 1 })).finish();
  server.apply([{ key: "meta", value: meta }, { key: "head", value: HeadRecord.encode(HeadRecord.fromPartial({})).finish() }]);
  server.apply([{ key: CANDIDATE_KEY, value: new Uint8Array() }]);
  return server;
}

/** A loop that leads; "f1", "f2" and the weight 2 of role "r" are committed. */
async function leading() {
  const server = await newServer();
  const store = new MemoryStore(server);
  const telemetry = new TelemetryRecorder();
  const follower = new Follower(store, telemetry);
  await follower.load(never());
  const clock = new ManualClock(1_000_000);
  const said: Output[] = [];
  const createRevision = server.candidates()[0]!.createRevision;
  const { muteAfterMs, canaryMs, fullRetryMs } = defaultMasterOptions;
  const loop = new LeaderLoop({
    machine: {
      leadership: { generation: 1, revision: createRevision, clusterId: "c", master: "m1", address: "m1:1", since: server.revision, electedAtMs: 0 },
      settings: defaultMasterSettings,
      random: seededRandom(1),
      sizeOf: sizeOfChange,
    },
    fence: { candidateKey: CANDIDATE_KEY, createRevision },
    follower,
    registry: store,
    speaker: { say: (output) => void said.push(output), restart: () => {} },
    clock,
    telemetry,
    muteAfterMs,
    expireAfterMs: 5_000,
    canaryMs,
    fullRetryMs,
    onProof: () => {},
  });
  void loop.run();
  /** Lets what is under way arrive, without time passing. */
  const calm = async (): Promise<void> => {
    for (let turns = 0; turns < 12; turns += 1) {
      clock.advance(0);
      await turn();
    }
  };
  for (const input of [subscribe(1, "f1"), subscribe(2, "f2"), setWeight("r", 2)]) loop.submit(input);
  await calm();
  return { server, store, follower, loop, said, calm };
}

type Leading = Awaited<ReturnType<typeof leading>>;

/** From now on commits land, or do not, and are not answered; returns what answers them, however late. */
function withholdAnswers({ store, server }: Leading, lands: boolean): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { commit } = store;
  store.commit = async (...args) => {
    const result = lands ? await commit.apply(store, args) : { kind: "committed" as const, revision: server.revision + 1 };
    await promise;
    return result;
  };
  return resolve;
}

/** Rows made, changed, changed again and changed back: of the batch in flight, and of those behind it. */
async function leavePending({ loop, calm }: Leading): Promise<void> {
  for (const input of [setWeight("r", 3), subscribe(3, "f3"), teardown(1, "f1")]) loop.submit(input);
  await calm();
  for (const input of [setWeight("r", 4), setWeight("s", 5), teardown(3, "f3"), subscribe(4, "f4"), setWeight("r", 2), setWeight("r", 6)]) loop.submit(input);
  await calm();
}

/** The tables of somebody who loads the registry now. */
async function loadedNow(server: MemoryStoreServer): Promise<object> {
  const follower = new Follower(new MemoryStore(server), new TelemetryRecorder());
  await follower.load(never());
  return contents(follower.tables);
}

for (const lands of [false, true]) {
  const fate = lands ? "landed without an answer" : "never landed";
  test(`3.7 the end undoes by before-images what is pending, says none of it, and the fold goes on: the batch in flight ${fate}`, async (t) => {
    const leader = await leading();
    const { server, store, follower, loop, said, calm } = leader;
    const committed = contents(follower.tables);
    t.deepEqual(committed, await loadedNow(server));
    t.deepEqual([...follower.tables.present], ["f1", "f2"]);
    const { revision } = loop;
    t.is(server.revision, revision);
    const saidBefore = said.length;
    const answer = withholdAnswers(leader, lands);
    await leavePending(leader);
    t.deepEqual([follower.tables.weights.get("r"), follower.tables.frameworks.has("f4"), follower.tables.present.has("f1")], [6, true, false]);

    loop.end({ kind: "deposed" });
    t.deepEqual(contents(follower.tables), committed);
    t.deepEqual([follower.revision, follower.headModRevision], [revision, revision]);
    answer();
    await calm();
    t.deepEqual(await loop.ended, { kind: "deposed" });
    t.deepEqual(contents(follower.tables), committed, "an answer that comes too late changes nothing");
    t.is(said.length, saidBefore, "nor is anything said for it");

    let loads = 0;
    const { load } = store;
    store.load = (...args) => ((loads += 1), load.apply(store, args));
    const following = new AbortController();
    const follow = follower.follow(following.signal, () => {});
    const head = HeadRecord.fromPartial({ epoch: { generation: 1, revision: revision + 9 }, master: "m2", n: 1, ops: 1, clusterClock: 7 });
    server.apply([
      { key: "head", value: HeadRecord.encode(head).finish() },
      { key: "w/next", value: WeightRecord.encode({ role: "next", weight: 7 }).finish() },
    ]);
    await calm();
    t.is(follower.tables.weights.get("next"), 7);
    t.is(follower.tables.frameworks.has("f3"), lands);
    t.deepEqual(contents(follower.tables), await loadedNow(server));
    t.is(loads, 0);
    following.abort();
    await follow;
  });
}

test("3.7 what was committed stays, though what came behind it is undone", async (t) => {
  const leader = await leading();
  const { server, follower, loop, calm } = leader;
  const answerFirst = withholdAnswers(leader, true);
  loop.submit(setWeight("r", 3));
  await calm();
  for (const input of [setWeight("r", 4), subscribe(3, "f3")]) loop.submit(input);
  await calm();
  withholdAnswers(leader, false);
  answerFirst();
  await calm();
  t.deepEqual([follower.tables.weights.get("r"), follower.tables.frameworks.has("f3")], [4, true]);
  loop.end({ kind: "deposed" });
  t.is(follower.tables.weights.get("r"), 3);
  t.deepEqual(contents(follower.tables), await loadedNow(server));
});

test("3.7 nothing that comes after the end is taken", async (t) => {
  const { follower, loop, said, calm } = await leading();
  const committed = contents(follower.tables);
  const saidBefore = said.length;
  const waiting = loop.submit(setWeight("r", 3));
  loop.end({ kind: "deposed" });
  const late = loop.submit(setWeight("r", 4));
  loop.deliver(setWeight("r", 5));
  await calm();
  t.deepEqual([waiting, late], [true, false]);
  t.deepEqual(contents(follower.tables), committed);
  t.is(said.length, saidBefore);
});
