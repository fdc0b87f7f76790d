import test from "ava";
import { LeaderTracker, parseMasters } from "../../src/sdk/index.ts";
import { FakeMaster } from "../support/fake-master.ts";

const at = (revision: number, generation = 1) => ({ generation, revision });

test("addresses are read as people write them", (t) => {
  t.deepEqual(parseMasters(" a:1, b ,[::1]:7,a:1,"), ["a:1", "b:6050", "[::1]:7"]);
  t.deepEqual(parseMasters(["host"]), ["host:6050"]);
  for (const wrong of ["", "http://a:1", "a:b", "a:99999", "a b"]) t.throws(() => parseMasters(wrong), { code: "invalid" });
});

test("a standby's word is enough, and the leader's own is preferred", async (t) => {
  await using leader = await FakeMaster.start("m1");
  await using standby = await FakeMaster.start("m2");
  leader.lead(5);
  standby.follow(leader);
  using tracker = new LeaderTracker({ masters: standby.address });
  t.deepEqual(await tracker.next(), { name: "m1", address: leader.address, epoch: at(5) });
  t.true(tracker.addresses.includes(leader.address), "a leader that is named is watched too");
});

test("generations come before revisions", async (t) => {
  await using first = await FakeMaster.start("m1");
  await using second = await FakeMaster.start("m2");
  first.lead(900, 1);
  using tracker = new LeaderTracker({ masters: [first.address, second.address] });
  await tracker.next();
  second.lead(7, 2);
  t.is((await tracker.next(at(900))).name, "m2");
});

test("a leader that has stepped down is none, until another one is", async (t) => {
  await using old = await FakeMaster.start("m1");
  await using next = await FakeMaster.start("m2");
  old.lead(5);
  using tracker = new LeaderTracker({ masters: [old.address, next.address] });
  await tracker.next();
  const changed = tracker.next(at(5));
  old.stepDown();
  next.lead(9);
  t.is((await changed).name, "m2");
  t.is(tracker.leader?.name, "m2");
});

test("a master that comes back on its old port is heard again", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  using tracker = new LeaderTracker({ masters: master.address });
  await tracker.next();
  master.kill();
  master.lead(9);
  await master.restart();
  t.is((await tracker.next(at(5))).epoch.revision, 9);
});

test("waiting can be given up", async (t) => {
  await using master = await FakeMaster.start("m1");
  using tracker = new LeaderTracker({ masters: master.address });
  await t.throwsAsync(tracker.next(undefined, AbortSignal.abort(new Error("enough"))), { message: "enough" });
  const controller = new AbortController();
  const waiting = tracker.next(undefined, controller.signal);
  controller.abort(new Error("enough"));
  await t.throwsAsync(waiting, { message: "enough" });
});
