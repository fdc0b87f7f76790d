/** The gRPC door against agents that are broken or lie, and against forged peers and operators. */
import { once } from "node:events";
import test from "ava";
import { Client, credentials } from "@grpc/grpc-js";
import fc from "fast-check";
import { AgentBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { Refusal_Kind as Kind } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { PeerHeartbeat, PeerServiceService } from "../../src/wire/gen/mesarch/v1/peers.ts";
import { CandidateRecord, TaskRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { accept, pair, RawAgent, RawScheduler, Rig, task, until } from "./rig.ts";

const { TASK_RUNNING: RUNNING, TASK_FINISHED: FINISHED } = TaskState;

/** A running task of `owner` on its own agent, and a second agent that will lie. */
async function victim(rig: Rig) {
  const { scheduler, agent } = await pair(rig, "owner");
  scheduler.call(accept([scheduler.offers[0]!.id!.value!], [task("t1", agent.agentId)], 1_000));
  await until(() => agent.said("launch").length === 1, "the launch");
  const launchId = agent.said("launch")[0]!.launchId;
  agent.update(launchId, 1, { taskId: { value: "t1" }, state: RUNNING }, RUNNING);
  await until(() => scheduler.updates.length === 1, "RUNNING");
  const liar = new RawAgent(rig, "liar");
  liar.greet();
  await liar.confirmed();
  return { scheduler, agent, liar, launchId };
}

/** A second greeting ends a stream, if nothing before it did. */
async function heardOut(agent: RawAgent): Promise<void> {
  agent.greet();
  await until(() => agent.ended, "the end of a stream");
}

test("bytes flipped, cut or made up on agent streams: the master goes on", async (t) => {
  await using rig = await Rig.start();
  const { agent } = await pair(rig, "honest");
  const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value } });
  const message = (body: object) => AgentBatch.encode(AgentBatch.fromPartial({ messages: [{ session: 7, body }] } as never)).finish();
  const valid = [
    message({ $case: "greeting", value: { protocol: 1, agentId: "a", incarnation: { starts: 1, nonce: "n" }, address: "x:1" } }),
    message({ $case: "report", value: { agentId: "a", incarnation: { starts: 1, nonce: "n" }, info: { hostname: "h", resources: [scalar("cpus", 1)] }, registrationNonce: "n", listed: true, held: [{ launchId: "0".repeat(32), frameworkId: "f", taskId: "t" }] } }),
    message({ $case: "update", value: { launchId: "0".repeat(32), seq: 1, status: { taskId: { value: "t" }, state: RUNNING, uuid: Buffer.alloc(16) }, latestState: RUNNING } }),
    message({ $case: "forgotten", value: { launchIds: ["0".repeat(32)] } }),
    message({ $case: "epochRefused", value: { storedEpoch: { generation: 9, revision: 9 }, reason: "r" } }),
  ];
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .tuple(fc.nat(valid.length - 1), fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { maxLength: 6 }), fc.nat(10_000))
      .map(([which, flips, cut]) => {
        const out = Uint8Array.from(valid[which]!);
        for (const [at, value] of flips) out[at % out.length] = value;
        return cut % 3 === 0 ? out.subarray(0, cut % out.length) : out;
      }),
  );
  const open: RawAgent[] = [];
  for (const sample of fc.sample(bytes, { numRuns: 200, seed: 43 })) {
    const hostile = new RawAgent(rig, `h${open.length}`);
    hostile.greet();
    hostile.raw(sample);
    if (sample.length % 3 === 0) hostile.close();
    else open.push(hostile);
    if (open.length > 20) await heardOut(open.shift()!);
  }
  for (const hostile of open) await heardOut(hostile);
  t.is(await rig.trouble(), undefined);
  t.false(agent.ended);
});

test("updates for other agents' tasks, unknown launches, wrong sessions: nothing changes, nobody is told", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, liar, launchId } = await victim(rig);
  const before = rig.rows().get(`t/${launchId}`);
  liar.update(launchId, 99, { taskId: { value: "t1" }, state: FINISHED }, FINISHED);
  liar.update("f".repeat(32), 1, { taskId: { value: "t1" }, state: FINISHED }, FINISHED);
  liar.update("__proto__", 1, { taskId: { value: "t1" }, state: FINISHED }, FINISHED);
  liar.say({ $case: "forgotten", value: { launchIds: [launchId, "", "../../etc", "x".repeat(1_000_000)] } });
  liar.say({ $case: "update", value: { launchId, seq: 100, status: { state: FINISHED }, latestState: FINISHED } }, liar.session - 1);
  liar.say({ $case: "epochRefused", value: { storedEpoch: undefined, reason: "" } });
  liar.say({ $case: "pong", value: { sequence: 999_999 } });
  await liar.caughtUp();
  await scheduler.caughtUp();
  t.deepEqual(rig.rows().get(`t/${launchId}`), before);
  t.is(scheduler.updates.length, 1);
  t.is(await rig.trouble(), undefined);
});

test("7.2 an update speaks of the task its launch is, whatever task id the agent wrote into it", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent, liar } = await victim(rig);
  scheduler.call({ type: 6 /* REVIVE */ } as never);
  await until(() => scheduler.offers.some(({ agentId }) => agentId?.value === liar.agentId), "an offer of the liar");
  const offer = scheduler.offers.findLast(({ agentId }) => agentId?.value === liar.agentId)!;
  scheduler.call(accept([offer.id!.value!], [task("t2", liar.agentId)], 1_000));
  await until(() => liar.said("launch").length === 1, "the launch");
  const { launchId } = liar.said("launch")[0]!;
  // Its own launch, but the name of a task on another agent.
  liar.update(launchId, 1, { taskId: { value: "t1" }, agentId: { value: agent.agentId }, state: FINISHED }, FINISHED);
  await until(() => scheduler.updates.length >= 2, "an update");
  const told = scheduler.updates.at(-1)!;
  t.is(told.taskId?.value, "t2");
  t.is(told.agentId?.value, liar.agentId);
});

test("terminal, then running: the first end stands", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent, launchId } = await victim(rig);
  agent.update(launchId, 2, { taskId: { value: "t1" }, state: FINISHED }, FINISHED);
  await until(() => scheduler.updates.length === 2, "FINISHED");
  for (const state of [RUNNING, TaskState.TASK_FAILED, TaskState.TASK_STAGING, TaskState.TASK_UNREACHABLE, TaskState.TASK_GONE_BY_OPERATOR, 9_999, -1]) {
    agent.update(launchId, 3, { taskId: { value: "t1" }, state }, 77);
  }
  await agent.caughtUp();
  await scheduler.caughtUp();
  t.is(TaskRecord.decode(rig.rows().get(`t/${launchId}`)!).state, FINISHED);
  t.is(scheduler.updates.length, 2);
  t.is(await rig.trouble(), undefined);
});

test("states that are none are not taken", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent, launchId } = await victim(rig);
  for (const state of [9_999, -1, 2 ** 31 - 1]) agent.update(launchId, 2, { taskId: { value: "t1" }, state }, 4_000_000_000);
  agent.update(launchId, 2, { taskId: { value: "t1" }, state: RUNNING }, 4_000_000_000);
  await agent.caughtUp();
  await scheduler.caughtUp();
  const record = TaskRecord.decode(rig.rows().get(`t/${launchId}`)!);
  t.is(record.state, RUNNING);
  t.true(record.latestState <= 20, `latest state ${record.latestState}`);
  t.true(scheduler.updates.every(({ state }) => state === RUNNING));
  t.is(await rig.trouble(), undefined);
});

test("3.9 a status too large for a row does not end one leadership after the other", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent, launchId } = await victim(rig);
  agent.update(launchId, 2, { taskId: { value: "t1" }, state: TaskState.TASK_FAILED, message: "x".repeat(3 * 1024 * 1024) }, TaskState.TASK_FAILED);
  await until(() => scheduler.updates.some(({ state }) => state === TaskState.TASK_FAILED), "the end, told all the same");
  t.is(await rig.trouble(), undefined);
});

test("3.9 neither does a task that is to be adopted and too large", async (t) => {
  await using rig = await Rig.start();
  const liar = new RawAgent(rig, "liar");
  liar.agentId = "somebody";
  const framework = { id: { value: "f" }, user: "u", name: "n", roles: [], capabilities: [] } as never;
  const held = { launchId: "0".repeat(32), frameworkId: "f", taskId: "t", state: RUNNING, seq: 1, unstarted: false, traceparent: "", role: "*" };
  liar.automatic = false;
  liar.greet("somebody");
  await until(() => liar.said("lead").length > 0, "lead");
  liar.held = [{ ...held, info: undefined, framework: undefined }];
  liar.sayReport();
  await until(() => liar.said("listWanted").length > 0, "the question for more");
  liar.held = [{ ...held, info: task("t", "somebody", { data: Buffer.alloc(3 * 1024 * 1024) }), framework }];
  liar.sayReport();
  await liar.judged();
  t.is(await rig.trouble(), undefined);
});

test("8.6 an agent that greets by another's id and reports without one does not become the other", async (t) => {
  await using rig = await Rig.start();
  const { agent } = await victim(rig);
  const row = rig.rows().get(`a/${agent.agentId}`);
  const thief = new RawAgent(rig, "thief");
  thief.report = { agentId: "" };
  thief.greet(agent.agentId);
  await thief.judged();
  t.deepEqual(rig.rows().get(`a/${agent.agentId}`), row);
  t.is(await rig.trouble(), undefined);
});

test("8.6 nor does one whose nonce is known, under an id that is not", async (t) => {
  await using rig = await Rig.start();
  await victim(rig);
  const mixed = new RawAgent(rig, "liar");
  mixed.report = { agentId: "" };
  mixed.greet("nobody-has-this-id");
  await mixed.judged();
  t.is(await rig.trouble(), undefined);
});

test("reports that cannot be: refused as invalid, no row written", async (t) => {
  await using rig = await Rig.start();
  const before = [...rig.rows().keys()].filter((key) => key.startsWith("a/"));
  const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value } });
  const reports: object[] = [
    { info: undefined },
    { incarnation: undefined },
    { registrationNonce: "" },
    { agentId: "../../etc/passwd" },
    { agentId: "a\0b" },
    { agentId: "x".repeat(65_536) },
    { info: { hostname: "h", resources: [scalar("cpus", Number.NaN)] } },
    { info: { hostname: "h", resources: [scalar("cpus", -5)] } },
    { info: { hostname: "h", resources: [scalar("cpus", Infinity)] } },
    { info: { hostname: "h", resources: Array.from({ length: 20_000 }, (_, i) => scalar(`r${i}`, 1)) } },
    { info: { hostname: "x".repeat(1024 * 1024), resources: [scalar("cpus", 1)] } },
    { clusterId: "another" },
  ];
  for (const [index, report] of reports.entries()) {
    const agent = new RawAgent(rig, `bad${index}`);
    agent.report = report;
    agent.greet();
    await until(() => agent.said("refusal").length > 0, `refusal ${index}`);
    const { kind } = agent.said("refusal")[0]!;
    t.true(kind === Kind.KIND_INVALID || kind === Kind.KIND_OTHER_CLUSTER, `report ${index}`);
  }
  t.deepEqual([...rig.rows().keys()].filter((key) => key.startsWith("a/")), before);
  t.is(await rig.trouble(), undefined);
});

test("more resources in a second report of the same process change nothing", async (t) => {
  await using rig = await Rig.start();
  const { agent } = await pair(rig, "f");
  const row = rig.rows().get(`a/${agent.agentId}`);
  agent.report = { info: { hostname: "h", resources: [{ name: "cpus", type: 0, scalar: { value: 1e9 }, reservations: [] }] } as never };
  agent.sayReport();
  await agent.caughtUp();
  t.deepEqual(rig.rows().get(`a/${agent.agentId}`), row);
  t.is(await rig.trouble(), undefined);
});

test("a report of thousands of tasks nobody knows does not stop the others", async (t) => {
  await using rig = await Rig.start();
  const { scheduler } = await pair(rig, "honest");
  const liar = new RawAgent(rig, "liar");
  liar.greet();
  await liar.confirmed();
  liar.close();
  const again = new RawAgent(rig, "liar", { starts: 2, nonce: "other" });
  again.agentId = liar.agentId;
  again.held = Array.from({ length: 20_000 }, (_, i) => ({
    launchId: i.toString(16).padStart(32, "0"),
    frameworkId: "nobody",
    taskId: `t${i}`,
    state: RUNNING,
    seq: 1,
    unstarted: false,
    info: undefined,
    framework: undefined,
    traceparent: "",
    role: "*",
  }));
  again.greet(liar.agentId);
  await again.judged();
  t.is(await rig.trouble(), undefined);
  t.false(scheduler.ended, scheduler.details);
});

test("13.4 an agent that greets without end is cut off, not queued without end", async (t) => {
  await using rig = await Rig.start();
  const hostile = new RawAgent(rig, "greeter");
  hostile.automatic = false;
  const greeting = AgentBatch.encode(AgentBatch.fromPartial({ messages: Array.from({ length: 20_000 }, () => ({ session: 0, body: { $case: "greeting", value: { protocol: 1 } } })) } as never)).finish();
  for (let i = 0; i < 10; i += 1) hostile.raw(greeting);
  await until(() => hostile.ended, "the end of its stream");
  t.is(await rig.trouble(), undefined);
});

test("a forged peer with an address that is none does not end the process, with a forged candidate to it neither", async (t) => {
  await using rig = await Rig.start();
  const client: Client = new Client(rig.address, credentials.createInsecure());
  rig.clients.push(client);
  const connect = rig.peers.connect.bind(rig.peers);
  let known: ReadonlySet<string> = new Set();
  rig.peers.connect = (addresses) => connect((known = addresses));
  for (const [index, address] of ["", "nonsense", "host:99999999", ":", "[::1", "127.0.0.1:-1"].entries()) {
    for (const queued of [false, true]) {
      const master = `${queued ? "queued" : "forged"}-${index}`;
      const incarnation = `i-${master}`;
      const value = CandidateRecord.encode(CandidateRecord.fromPartial({ master, incarnation, address })).finish();
      if (queued) {
        rig.server.apply([{ key: `cand/${master}.${incarnation}.1`, value }]);
        await until(() => known.has(address), "the candidate is known");
      }
      const stream = client.makeBidiStreamRequest(PeerServiceService.session.path, (bytes: Buffer) => bytes, (bytes: Buffer) => bytes);
      stream.on("data", () => {});
      stream.write(Buffer.from(PeerHeartbeat.encode(PeerHeartbeat.fromPartial({ master, incarnation, address })).finish()));
      stream.end();
      await once(stream, "end");
    }
    // Its link closed: the master tries to reach it, and cannot.
    await until(() => rig.telemetry.lines.some(({ message }) => message.startsWith(`the link to queued-${index} closed`)), "an attempt");
    rig.server.apply([{ key: `cand/queued-${index}.i-queued-${index}.1` }]);
  }
  t.is(await rig.trouble(), undefined);
});

test("operators' calls with ids of a mebibyte, unknown fields and no content are answered", async (t) => {
  await using rig = await Rig.start();
  for (const id of ["x".repeat(1024 * 1024), "😀".repeat(20_000), "a\nb\0c", ""]) {
    const answer = await rig.ask({ $case: "getTask", value: { id } });
    t.true("code" in answer, id.slice(0, 4));
    const killed = await rig.ask({ $case: "killTask", value: { id, graceMs: undefined } });
    t.true("code" in killed);
  }
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(5_000, 0xff), Buffer.alloc(100_000, 0x7b)]) t.true("code" in (await rig.operate(bytes)));
  t.is(await rig.trouble(), undefined);
});

test("an agent that reads nothing is closed; others are served meanwhile", async (t) => {
  await using rig = await Rig.start();
  const { scheduler, agent } = await pair(rig, "f");
  agent.stream.pause();
  const call = { type: 10 /* MESSAGE */, message: { agentId: { value: agent.agentId }, executorId: { value: "e" }, data: Buffer.alloc(1024 * 1024) } };
  for (let i = 0; i < 40; i += 1) await scheduler.answered(scheduler.call(call as never));
  await until(() => rig.telemetry.lines.some(({ message }) => message.includes("agent does not read")), "the stream closed");
  const other = new RawScheduler(rig, "other");
  other.subscribe();
  await until(() => other.subscribed, "SUBSCRIBED");
  t.is(await rig.trouble(), undefined);
});

test("13.2 an agent without a row that lists its tasks unasked has them adopted", async (t) => {
  await using rig = await Rig.start();
  const agent = new RawAgent(rig, "old");
  agent.agentId = "from-another-life";
  const framework = { id: { value: "f" }, user: "u", name: "n", roles: [], capabilities: [] } as never;
  const held = { launchId: "0".repeat(32), frameworkId: "f", taskId: "t", state: RUNNING, seq: 1, unstarted: false, traceparent: "", role: "*" };
  agent.held = [{ ...held, info: task("t", agent.agentId), framework }];
  agent.greet(agent.agentId);
  await until(() => agent.said("confirm").length > 0, "a confirmation");
  t.is(TaskRecord.decode(rig.rows().get(`t/${held.launchId}`)!).agentId, agent.agentId);
});
