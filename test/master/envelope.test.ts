/** What masters put around and beside the messages of Mesos, and to which leadership it belongs. */
import test from "ava";
import { HeadRecord, MetaRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import type { PeerLinks } from "../../src/ports/peers.ts";
import type { PeerHeartbeat } from "../../src/wire/gen/mesarch/v1/peers.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { decodeCandidate } from "../../src/wire/registry-codec.ts";
import { Masters, SchedulerClient } from "./masters.ts";

/** Masters whose heartbeats are kept. */
class OverheardMasters extends Masters {
  readonly beats: PeerHeartbeat[] = [];

  protected override linksOf(...of: Parameters<Masters["linksOf"]>): PeerLinks {
    const links = super.linksOf(...of);
    const broadcast = links.broadcast.bind(links);
    links.broadcast = (beat) => {
      this.beats.push(beat);
      broadcast(beat);
    };
    return links;
  }
}

async function overheard(names: readonly string[]): Promise<{ masters: Masters; beats: PeerHeartbeat[] }> {
  const masters = new OverheardMasters();
  await masters.start(names);
  return { masters, beats: masters.beats };
}

function metaOf(masters: Masters): MetaRecord {
  return MetaRecord.decode(masters.server.rows().find(({ key }) => key === "meta")!.value);
}

test("1.1, 1.2 an epoch is the registry's generation and the create-revision of the leader's key; a failover raises neither cluster id nor generation", async (t) => {
  const { masters } = await overheard(["m1", "m2"]);
  await using _ = masters;
  const meta = metaOf(masters);
  t.regex(meta.clusterId, /^[0-9a-f]{32}$/);
  for (const kill of [undefined, "m1"]) {
    if (kill !== undefined) {
      masters.kill(kill);
      await masters.run(500);
    }
    const [first] = masters.server.candidates();
    const leader = masters.node(decodeCandidate(first!.key, first!.value)!.master);
    t.true(leader.master.leading);
    t.like(leader.master.views.view.epoch, { generation: meta.generation, revision: first!.createRevision });
    t.deepEqual(metaOf(masters), meta);
  }
});

test("1.3 a master's incarnation is new with each process", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const incarnation = () => masters.server.candidates().map(({ key, value }) => decodeCandidate(key, value)!.incarnation)[0]!;
  const first = incarnation();
  t.regex(first, /^[0-9a-f]{16}$/);
  await Promise.all([masters.node("m1").master.stop(), masters.run(2_000)]);
  masters.add("m1");
  await masters.run(1_000);
  t.not(incarnation(), first);
});

test("10.7 replies carry epoch and revision beside the messages of Mesos; a standby's answers are stale, of the revision folded", async (t) => {
  const { masters } = await overheard(["m1", "m2"]);
  await using _ = masters;
  const leader = masters.leader();
  const { epoch } = leader.master.views.view;
  const before = masters.server.revision;
  const framework = new SchedulerClient(leader, "f1");
  const asked = framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
  await masters.run(50);
  const reply = framework.items.map(({ item }) => item).find((item) => item?.$case === "reply" && item.value.number === asked);
  t.like(reply, { $case: "reply", value: { code: 202, epoch: { ...epoch } } });
  t.true(reply?.$case === "reply" && reply.value.revision > before && reply.value.revision <= masters.server.revision);
  for (const { item } of framework.items) {
    if (item?.$case === "event") t.deepEqual(Object.keys(item.value).filter((key) => /epoch|revision/i.test(key)), []);
  }

  const list = { $case: "listFrameworks", value: {} } as const;
  const [fresh, stale] = await Promise.all([
    leader.master.operators.call({ allowStale: false, call: list }, ""),
    masters.node("m2").master.operators.call({ allowStale: true, call: list }, ""),
    masters.run(50),
  ]);
  t.like(fresh, { epoch: { ...epoch }, stale: false });
  t.like(stale, { epoch: { ...epoch }, stale: true, revision: masters.server.revision });
  t.true(fresh.revision > before);
  await t.throwsAsync(masters.node("m2").master.operators.call({ allowStale: false, call: list }, ""), { message: /does not lead/ });
});

test("12.3 heartbeats name master, incarnation and key, and the epoch while leading; head names epoch, number and master", async (t) => {
  const { masters, beats } = await overheard(["m1", "m2"]);
  await using _ = masters;
  new SchedulerClient(masters.leader(), "f1");
  await masters.run(300);
  const queued = new Map(masters.server.candidates().map(({ key, value }) => [key, decodeCandidate(key, value)!]));
  const { epoch } = masters.leader().master.views.view;
  for (const name of ["m1", "m2"]) {
    const last = beats.filter(({ master }) => master === name).at(-1)!;
    t.like(queued.get(last.candidateKey), { master: name, incarnation: last.incarnation, address: last.address });
    t.deepEqual(last.leading, name === "m1" ? { ...epoch! } : undefined);
  }
  const head = HeadRecord.decode(masters.server.rows().find(({ key }) => key === "head")!.value);
  t.like(head, { epoch: { ...epoch }, master: "m1" });
  t.true(head.n >= 1);

  masters.kill("m1");
  await masters.run(300);
  const next = masters.node("m2").master.views.view.epoch!;
  t.deepEqual(beats.filter(({ master }) => master === "m2").at(-1)!.leading, { ...next });
  t.true(next.revision > epoch!.revision);
});

test("2.17 what a leadership was about to say is dropped with it, though the same master leads again", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const first = masters.leader();
  const framework = new SchedulerClient(first, "f1");
  await masters.run(50);
  const { epoch } = first.master.views.view;
  first.store.link = "hung";
  const call = framework.call({ type: Call_Type.TEARDOWN });
  const question = first.master.operators.call({ allowStale: false, call: { $case: "listFrameworks", value: {} } }, "");
  const unanswered = t.throwsAsync(question);
  await masters.run(6_000);
  t.deepEqual(masters.leaders(), []);
  await unanswered;
  const heard = framework.items.length;
  first.store.link = "up";
  await masters.run(8_000);
  t.true(first.master.leading);
  t.true(first.master.views.view.epoch!.revision > epoch!.revision);
  // Long enough for every timer of the old leadership, such as the heartbeat of its streams.
  await masters.run(40_000);
  t.is(framework.reply(call), undefined);
  t.is(framework.items.length, heard);
  // The teardown never happened: the framework may come back, and hears the new leadership only.
  const again = new SchedulerClient(first, "f1");
  await masters.run(50);
  t.true(again.subscribed);
  t.true(again.items.every(({ item }) => item?.$case !== "reply"));
});
