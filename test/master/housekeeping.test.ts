/** What a leader does for the store beside leading (13.3). */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { MemoryStore } from "../../chaos/twins/memory-store.ts";
import { MemoryStoreServer } from "../../chaos/twins/memory-store-server.ts";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { Housekeeping } from "../../src/master/housekeeping.ts";
import { defaultMasterOptions } from "../../src/master/options.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Masters, SchedulerClient } from "./masters.ts";

const MIB = 2 ** 20;
const MINUTE_MS = 60_000;

/** The housekeeping of a leader that has committed what a test says, beside a standby that has folded what it says. */
class House implements AsyncDisposable {
  readonly server = new MemoryStoreServer();
  readonly clock = new ManualClock(1_000);
  readonly loop = { revision: 1, bytesCommitted: 0, deliver: () => {} };
  readonly standby = { foldedRevision: Number.MAX_SAFE_INTEGER };
  readonly #store = new MemoryStore(this.server);
  readonly #keeping: Housekeeping;

  constructor() {
    const report = { slowestFold: () => this.standby.foldedRevision, storeSize: () => {} };
    this.#keeping = new Housekeeping({
      options: { ...defaultMasterOptions, name: "m1", address: "m1:6050" },
      store: this.#store,
      clock: this.clock,
      log: new TelemetryRecorder().log,
      loop: this.loop as never,
      report: report as never,
    });
  }

  commit(bytes = 100): void {
    this.loop.revision = this.server.apply([{ key: "head", value: Buffer.alloc(1) }]);
    this.loop.bytesCommitted += bytes;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.clock.advance(1_000);
      for (let turns = 0; turns < 8; turns += 1) await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#keeping.stop();
    await this.#store[Symbol.asyncDispose]();
  }
}

test("13.3 history goes once it is five minutes old, and not before", async (t) => {
  await using house = new House();
  house.commit();
  const early = house.loop.revision;
  await house.pass(MINUTE_MS);
  house.commit();
  const later = house.loop.revision;
  await house.pass(4 * MINUTE_MS);
  t.is(house.server.compactRevision, 0);
  await house.pass(MINUTE_MS / 2);
  t.is(house.server.compactRevision, early);
  await house.pass(MINUTE_MS);
  t.is(house.server.compactRevision, later);
});

test("13.3 what the slowest living standby has not folded stays, however old", async (t) => {
  await using house = new House();
  house.commit();
  house.standby.foldedRevision = house.loop.revision;
  house.commit();
  const newest = house.loop.revision;
  await house.pass(20 * MINUTE_MS);
  t.is(house.server.compactRevision, house.standby.foldedRevision);
  house.standby.foldedRevision = newest;
  await house.pass(MINUTE_MS);
  t.is(house.server.compactRevision, newest);
});

test("13.3 with 256 MiB behind it history goes sooner; with 512 MiB it waits for nobody", async (t) => {
  await using house = new House();
  house.commit();
  const first = house.loop.revision;
  house.standby.foldedRevision = first - 1;
  await house.pass(10_000);
  house.commit(256 * MIB - 1);
  await house.pass(20_000);
  t.is(house.server.compactRevision, 0, "a byte less");
  house.commit(1);
  await house.pass(10_000);
  t.is(house.server.compactRevision, first - 1, "as far as the standby is");
  house.commit(256 * MIB - 1);
  await house.pass(10_000);
  t.is(house.server.compactRevision, first - 1, "it is waited for");
  house.commit(1);
  await house.pass(10_000);
  t.true(house.server.compactRevision >= first, "no longer");
});

test("13.3 a standby that the store's answers do not reach is waited for by the leader, and need not load again", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2"], { compactAfterMs: 15_000 });
  const subscribed = async (name: string): Promise<void> => {
    const client = new SchedulerClient(masters.leader(), name);
    await masters.run(100);
    t.true(client.subscribed, name);
  };
  const slow = masters.node("m2").store;
  slow.link = "hung";
  const folded = masters.server.revision;
  await subscribed("a");
  await masters.run(40_000);
  t.true(masters.server.compactRevision > 0 && masters.server.compactRevision <= folded, `${masters.server.compactRevision} of ${folded}`);
  let loads = 0;
  const load = slow.load.bind(slow);
  slow.load = (onChunk, signal) => {
    loads += 1;
    return load(onChunk, signal);
  };
  slow.link = "up";
  await subscribed("b");
  await masters.run(40_000);
  t.true(masters.server.compactRevision > folded);
  t.is(loads, 0);
});

test("13.3 above 80 % of the store's quota nothing is launched, until 75 % are reached; all else goes on", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const { server } = masters;
  const scheduler = new SchedulerClient(masters.leader(), "f");
  await masters.run(15_000);
  const accept = { offerIds: [{ value: "none" }], operations: [{ type: 1, launch: { taskInfos: [{ name: "t", taskId: { value: "t" } }] } }] };
  /** Answers to an ACCEPT that launches, and to a call that does not, once the leader has seen the store so full. */
  const answers = async (share: number): Promise<(number | undefined)[]> => {
    server.quotaBytes = Math.round(server.usedBytes / share);
    await masters.run(10_000);
    const calls = [{ type: Call_Type.ACCEPT, accept } as never, { type: Call_Type.REVIVE }].map((call) => scheduler.call(call));
    await masters.run(50);
    return calls.map((call) => scheduler.reply(call));
  };
  t.deepEqual(await answers(0.78), [202, 202]);
  t.deepEqual(await answers(0.82), [503, 202]);
  t.deepEqual(await answers(0.78), [503, 202], "not before 75 %");
  t.deepEqual(await answers(0.72), [202, 202]);
  t.deepEqual(await answers(0.78), [202, 202]);
});
