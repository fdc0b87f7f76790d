/** The gRPC door against frameworks that are broken, greedy or lying: refused clearly, nobody else notices. */
import test from "ava";
import { status as Status } from "@grpc/grpc-js";
import fc from "fast-check";
import { limits } from "../../src/model/limits.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { stateName } from "../../src/model/task-state.ts";
import { TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { FrameworkRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { accept, pair, RawScheduler, Rig, task, until } from "./rig.ts";

async function heardOut(scheduler: RawScheduler): Promise<void> {
  await scheduler.caughtUp();
  scheduler.close();
}

test("bytes flipped, cut or made up: the stream may end, the master goes on", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent } = await pair(rig, "honest");
  const valid = [
    scheduler.encode({ type: Call_Type.SUBSCRIBE, subscribe: { frameworkInfo: { user: "u", name: "n", roles: ["a", "b"] }, suppressedRoles: ["a"] } }),
    scheduler.encode(accept(["1-2-x-O1"], [task("t", agent.agentId, { limits: { cpus: { value: 2 } } })])),
    scheduler.encode({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId: { value: "a" }, taskId: { value: "t" }, uuid: Buffer.alloc(16) } }),
    scheduler.encode({ type: Call_Type.RECONCILE, reconcile: { tasks: [{ taskId: { value: "t" } }] } }),
    scheduler.encode({ type: Call_Type.KILL, kill: { taskId: { value: "t" }, killPolicy: { gracePeriod: { nanoseconds: 5n } } } }),
  ];
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.nat(valid.length - 1), fc.nat(10_000)).map(([which, cut]) => valid[which]!.subarray(0, cut % valid[which]!.length)),
    fc
      .tuple(fc.nat(valid.length - 1), fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 6 }))
      .map(([which, flips]) => {
        const out = Uint8Array.from(valid[which]!);
        for (const [at, value] of flips) out[at % out.length] = value;
        return out;
      }),
  );
  const open: RawScheduler[] = [];
  for (const sample of fc.sample(bytes, { numRuns: 200, seed: 42 })) {
    const hostile = new RawScheduler(rig, "hostile");
    if (sample.length % 2 === 0) hostile.subscribe();
    hostile.raw(sample);
    if (sample.length % 3 === 0) hostile.close();
    else open.push(hostile);
    if (open.length > 20) await heardOut(open.shift()!);
  }
  for (const hostile of open) await heardOut(hostile);
  t.is(await rig.trouble(), undefined);
  t.false(scheduler.ended, "the honest one goes on");
});

test("a message above the limit is refused as exhausted, and only its stream ends", async (t) => {
  await using rig = await Rig.start();
  const { scheduler } = await pair(rig, "honest");
  const hostile = new RawScheduler(rig, "big");
  hostile.raw(Buffer.alloc(limits.messageBytes + 1));
  await until(() => hostile.ended, "the end");
  t.is(hostile.code, Status.RESOURCE_EXHAUSTED);
  t.false(scheduler.ended);
  t.is(await rig.trouble(), undefined);
});

test("nested groups of any depth are skipped or refused", async (t) => {
  await using rig = await Rig.start();
  for (const depth of [100, 20_000, 1_000_000]) {
    const hostile = new RawScheduler(rig, "deep");
    hostile.raw(Buffer.alloc(depth, 0x7b)); // start of group 15, over and over
    const closed = new RawScheduler(rig, "deep");
    closed.raw(Buffer.concat([Buffer.alloc(depth, 0x7b), Buffer.alloc(depth, 0x7c)]));
    await hostile.caughtUp();
    await closed.caughtUp();
  }
  t.is(await rig.trouble(), undefined);
});

test("13.4 a message of millions of empty calls ends its stream, and nothing else", async (t) => {
  await using rig = await Rig.start();
  const hostile = new RawScheduler(rig, "tiny");
  hostile.subscribe();
  await until(() => hostile.subscribed, "SUBSCRIBED");
  // Field 1, length 0, repeated: eight million calls in sixteen megabytes.
  const tiny = Buffer.alloc(limits.messageBytes - 16);
  for (let at = 0; at < tiny.length; at += 2) tiny[at] = 0x0a;
  hostile.raw(tiny);
  await until(() => hostile.ended, "the end");
  t.is(hostile.code, Status.INTERNAL);
  t.is(await rig.trouble(), undefined);
});

test("13.4 an ACCEPT of more elements than a call may have is answered with 400, and its stream goes on", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent } = await pair(rig, "f");
  const variables = Array.from({ length: 5 }, (_, i) => ({ name: `NAME_${i}`, value: "value" }));
  const more = { command: { value: "true", uris: [], arguments: [], environment: { variables } } };
  const tasks = Array.from({ length: 9_000 }, (_, i) => task(`t${i}`, agent.agentId, more));
  const answer = await scheduler.answered(scheduler.call(accept([scheduler.offers[0]!.id!.value!], tasks)));
  t.is(answer.code, 400);
  t.regex(answer.message, /elements.*split it/);
  t.is((await scheduler.answered(scheduler.call(accept([scheduler.offers[0]!.id!.value!], tasks.slice(0, 3))))).code, 202);
  await until(() => agent.said("launch").length === 3, "launches on the same offer");
  t.false(scheduler.ended);
  t.is(await rig.trouble(), undefined);
});

test("calls before SUBSCRIBE, a second SUBSCRIBE, calls of unknown type or without content: an error code each", async (t) => {
  await using rig = await Rig.start();
  const scheduler = new RawScheduler(rig, "f");
  t.is((await scheduler.answered(scheduler.call({ type: Call_Type.REVIVE }))).code, 403);
  scheduler.subscribe();
  await until(() => scheduler.subscribed, "SUBSCRIBED");
  t.is((await scheduler.answered(scheduler.subscribe())).code, 400);
  t.is((await scheduler.answered(scheduler.call({ type: 9_999 as never }))).code, 501);
  t.is((await scheduler.answered(scheduler.call({ type: -1 as never }))).code, 501);
  t.is((await scheduler.answered(scheduler.call({ type: Call_Type.ACCEPT }))).code, 400);
  t.is((await scheduler.answered(scheduler.call({ type: Call_Type.KILL, kill: {} as never }))).code, 400);
  t.is((await scheduler.answered(scheduler.call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId: { value: "a" }, taskId: { value: "t" }, uuid: Buffer.alloc(3) } }))).code, 400);
  t.is(await rig.trouble(), undefined);
});

test("another framework's id, offers, tasks and acknowledgements are refused, and nothing of it changes", async (t) => {
  await using rig = await Rig.start();
  const { scheduler: owner, agent } = await pair(rig, "owner");
  owner.call(accept([owner.offers[0]!.id!.value!], [task("t1", agent.agentId)], 1_000));
  await until(() => agent.said("launch").length === 1, "the launch");
  const launchId = agent.said("launch")[0]!.launchId;
  agent.update(launchId, 1, { taskId: { value: "t1" }, state: TaskState.TASK_RUNNING }, TaskState.TASK_RUNNING);
  await until(() => owner.updates.length === 1, "RUNNING");
  const thief = new RawScheduler(rig, "thief");
  thief.subscribe();
  await until(() => thief.subscribed, "SUBSCRIBED");
  const before = rig.rows();
  const frameworkId = { value: "owner" };
  for (const call of [
    { type: Call_Type.KILL, kill: { taskId: { value: "t1" } } },
    { type: Call_Type.TEARDOWN },
    { type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId: { value: agent.agentId }, taskId: { value: "t1" }, uuid: Buffer.alloc(16, 1) } },
    { type: Call_Type.SUPPRESS, suppress: { roles: [] } },
    accept([owner.offers[0]!.id!.value!], [task("t2", agent.agentId)]),
  ]) {
    t.is((await thief.answered(thief.call({ frameworkId, ...call } as never))).code, 400, JSON.stringify(call.type));
  }
  // Under its own name, but with what is the other's.
  t.is((await thief.answered(thief.call({ type: Call_Type.KILL, kill: { taskId: { value: "t1" } } }))).code, 202);
  t.is((await thief.answered(thief.call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId: { value: agent.agentId }, taskId: { value: "t1" }, uuid: Buffer.alloc(16, 1) } }))).code, 202);
  t.is((await thief.answered(thief.call(accept([owner.offers[0]!.id!.value!], [task("t3", agent.agentId)])))).code, 202);
  await thief.caughtUp();
  await agent.caughtUp();
  t.deepEqual(thief.updates.map(({ state }) => state).filter((state) => state === TaskState.TASK_RUNNING), [], "it learns nothing of the other's task");
  t.deepEqual(rig.rows().get(`t/${launchId}`), before.get(`t/${launchId}`));
  t.is(agent.said("kill").length + agent.acknowledged(launchId), 0);
  t.is([...rig.rows().keys()].filter((key) => key.startsWith("t/")).length, 1);
});

test("tasks that ask for nonsense are refused one by one with TASK_ERROR; the rest of the offer comes back", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent } = await pair(rig, "f");
  const on = agent.agentId;
  const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value }, reservations: [] });
  const ports = (...range: [number, number][]) => ({
    name: "ports",
    type: 1,
    ranges: { range: range.map(([begin, end]) => ({ begin: BigInt(begin), end: BigInt(end) })) },
    reservations: [],
  });
  const many = Array.from({ length: 5_000 }, (_, i) => scalar(`r${i}`, 1));
  const wrong: [string, object][] = [
    ["negative", { resources: [scalar("cpus", -1), scalar("mem", 16)] }],
    ["nan", { resources: [scalar("cpus", Number.NaN)] }],
    ["infinite", { resources: [scalar("cpus", Infinity)] }],
    ["huge", { resources: [scalar("cpus", 1e308)] }],
    ["denormal", { resources: [scalar("cpus", 5e-324)] }],
    ["none", { resources: [] }],
    ["more", { resources: [scalar("cpus", 1_000)] }],
    ["many", { resources: many }],
    ["overlap", { resources: [ports([1, 10], [5, 15])] }],
    ["reversed", { resources: [ports([10, 1])] }],
    ["foreign", { resources: [scalar("cpus", 1)], agentId: { value: "somewhere" } }],
    ["limits", { limits: { cpus: { value: Number.NaN } } }],
    ["empty", { command: undefined }],
    ["grace", { killPolicy: { gracePeriod: { nanoseconds: -1n } } }],
    ["large", { data: Buffer.alloc(limits.taskInfoBytes) }],
  ];
  scheduler.call(accept([scheduler.offers[0]!.id!.value!], wrong.map(([id, more]) => task(id, on, more)), 0));
  await until(() => scheduler.updates.length === wrong.length, "an update for each");
  t.deepEqual(
    scheduler.updates.map(({ taskId, state }) => `${taskId?.value}: ${stateName(state!)}`),
    wrong.map(([id]) => `${id}: TASK_ERROR`),
  );
  t.deepEqual([...rig.rows().keys()].filter((key) => key.startsWith("t/")), []);
  await until(() => scheduler.offers.length >= 2, "the offer again");
  t.is(await rig.trouble(), undefined);
});

test("ids with slashes, dots, NUL, newlines, 64 KiB: TASK_ERROR; strange ones that are legal: launched", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent } = await pair(rig, "f");
  const illegal = ["a/b", "..", ".", "a\0b", "a\nb", "x".repeat(65_536), "", "a\\b"];
  const legal = ["__proto__", "constructor", "toString", "😀", "-rf", "a b", "%2e%2e", "a".repeat(255)];
  const tasks = [...illegal, ...legal].map((id) => task(id, agent.agentId, { labels: { labels: [{ key: "__proto__", value: "x" }] } }));
  scheduler.call(accept([scheduler.offers[0]!.id!.value!], tasks, 1_000));
  await until(() => agent.said("launch").length === legal.length, "the legal ones");
  await until(() => scheduler.updates.length === illegal.length, "the others refused");
  t.true(scheduler.updates.every(({ state }) => state === TaskState.TASK_ERROR));
  t.deepEqual(agent.said("launch").map((launch) => launch.task?.taskId?.value), legal);
  for (const id of ["a/b", "..", "a\0b", "a\nb", "x".repeat(65_536), "__proto__\n"]) {
    const hostile = new RawScheduler(rig, id);
    hostile.subscribe();
    await until(() => hostile.ended, `the end of ${id.slice(0, 5)}`);
    t.false(hostile.subscribed);
  }
  for (const id of ["__proto__", "constructor", "😀", "hasOwnProperty"]) {
    const strange = new RawScheduler(rig, id);
    strange.subscribe();
    await until(() => strange.subscribed, id);
  }
  t.is(await rig.trouble(), undefined);
});

test("one task id many times in one call is one task; an offer used twice launches nothing more", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent } = await pair(rig, "f");
  const offer = scheduler.offers[0]!.id!.value!;
  const same = task("t", agent.agentId);
  scheduler.call(accept([offer], Array.from({ length: 500 }, () => same), 1_000));
  scheduler.call(accept([offer], [task("u", agent.agentId)], 1_000));
  scheduler.call(accept([offer, offer], [task("v", agent.agentId)], 1_000));
  await until(() => scheduler.updates.filter(({ taskId }) => taskId?.value === "v").length === 1, "the last refusal");
  await agent.caughtUp();
  t.is(agent.said("launch").length, 1);
  const states = (id: string) => new Set(scheduler.updates.filter(({ taskId }) => taskId?.value === id).map(({ state }) => stateName(state!)));
  t.deepEqual(states("u"), new Set(["TASK_LOST"]));
  t.deepEqual(states("v"), new Set(["TASK_LOST"]));
  t.deepEqual(states("t"), new Set(["TASK_STAGING"]));
});

test("10.5 a framework whose stream we closed because it did not read keeps its tasks, with timeout 0 too", async (t) => {
  await using rig = await Rig.start();
  const { scheduler: honest, agent } = await pair(rig, "honest");
  honest.call({ type: Call_Type.SUPPRESS, suppress: { roles: [] } });
  honest.call({ type: Call_Type.DECLINE, decline: { offerIds: honest.offers.map(({ id }) => id!), filters: { refuseSeconds: 1 } } });
  const slow = new RawScheduler(rig, "slow");
  slow.subscribe({ failoverTimeout: 0 });
  await until(() => slow.offers.length > 0, "an offer");
  slow.call(accept([slow.offers[0]!.id!.value!], [task("t", agent.agentId)], 1_000));
  await until(() => agent.said("launch").length === 1, "the launch");
  slow.stream.pause();
  // Answers far above what may wait for one stream.
  const tasks = Array.from({ length: 50_000 }, (_, i) => ({ taskId: { value: `unknown-${i}` }, agentId: { value: agent.agentId } }));
  const call = slow.encode({ type: Call_Type.RECONCILE, reconcile: { tasks } });
  for (let i = 0; i < 6; i += 1) slow.raw(call);
  await until(() => rig.telemetry.lines.some(({ message }) => message.includes("does not read")), "the stream closed");
  const standing = (): string | undefined => FrameworkRecord.decode(rig.rows().get("f/slow")!).standing?.$case;
  await until(() => standing() !== "subscribed", "the end of the subscription");
  t.is(standing(), "disconnectedAt");
  await agent.caughtUp();
  t.is(agent.said("kill").length, 0);
  t.false(honest.ended);
  t.is(await rig.trouble(), undefined);
});
