/** The shell around the machine, over ports in memory. */
import test from "ava";
import { Agent } from "../../src/agent/agent.ts";
import { systemClock } from "../../src/async/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { defaultAgentTimings } from "../../src/core/agent/settings.ts";
import { Resources } from "../../src/model/resources.ts";
import type { Telemetry } from "../../src/telemetry/telemetry.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { telemetryOff } from "../../src/telemetry/off.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { type AgentMessage, Refusal_Kind as Kind } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { Arrivals } from "../support/arrivals.ts";
import { scheduleOf } from "../support/clock-schedule.ts";
import { MemoryDisk } from "../support/memory-checkpoint.ts";
import { type MasterWire, SimulatedMaster } from "../support/simulated-masters.ts";
import { Chance } from "../../chaos/sim/chance.ts";
import { SimMasterDialer } from "../../chaos/sim/master-dialer.ts";
import { Network } from "../../chaos/sim/network.ts";
import { SimProcess } from "../../chaos/sim/virtual-time.ts";
import { SimulatedHost } from "../../chaos/twins/simulated-containers.ts";
import { launchId, launchOrder } from "../core/agent/agent-world.ts";
import type { Order } from "./agent-master.ts";

/** A master at the other end of a link. */
class Peer {
  readonly link: MasterWire;
  #session = 0;
  #revision = 0;

  constructor(link: MasterWire) {
    this.link = link;
  }

  say(...bodies: Order[]): void {
    const epoch = { generation: 1, revision: this.#revision };
    this.link.say({ clusterId: "c", epoch, session: this.#session, messages: bodies.map((body) => ({ body })) });
  }

  async heardOf($case: string): Promise<AgentMessage> {
    return this.link.heard.next(({ body }) => body?.$case === $case);
  }

  async adopt(revision: number, pingTimeoutMs = 60_000): Promise<void> {
    this.#revision = revision;
    this.#session += 1;
    this.say({ $case: "lead", value: { pingTimeoutMs } });
    await this.heardOf("report");
    this.say({ $case: "confirm", value: { agentId: "agent-1" } });
  }
}

async function world(telemetry: Telemetry = telemetryOff(createLogger({ service: "a", role: "agent", name: "a", level: "silent" }))) {
  const schedule = scheduleOf(systemClock);
  const network = new Network(schedule, new Chance(1, "network"), { latencyMs: 0, keepaliveMs: 200 });
  const dialer = new SimMasterDialer(network, new SimProcess(schedule, "agent", "agent"));
  const { links } = new SimulatedMaster(network, schedule, "master:1");
  const host = new SimulatedHost();
  const disk = new MemoryDisk();
  const resources = Resources.parse("cpus:4");
  if (!resources.ok) throw new Error(resources.error);
  const checkpoint = await disk.open();
  const settings = {
    ...defaultAgentTimings,
    info: { hostname: "h", resources: resources.value.toMesos(), attributes: [] },
    resources: resources.value,
    address: "127.0.0.1:1",
    ip: "127.0.0.1",
    bootId: "boot",
    incarnation: { starts: checkpoint.starts, nonce: "n" },
  };
  const forgotten = new Arrivals<string>();
  const sandboxes = { path: (id: string) => `/sandboxes/${id}`, forgotten: async (id: string) => forgotten.push(id) };
  const ports = { checkpoint, containers: host.open(), sandboxes, dialer, clock: systemClock, random: seededRandom(1), telemetry };
  const agent = await Agent.start(settings, ["master:1"], ports);
  return { agent, host, disk, peer: async () => new Peer(await links.next()), forgotten, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() };
}

test("life of a task: started with its context, running, ended, acknowledged, its sandbox given free", async (t) => {
  await using w = await world();
  const master = await w.peer();
  await master.adopt(5);
  const order = launchOrder(1, { command: "serve", resources: "cpus:2;mem:64" });
  if (order.$case === "launch") {
    order.value.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    order.value.task!.resources = order.value.task!.resources.slice(0, 1);
    order.value.task!.command!.environment = { variables: [{ name: "COLOUR", value: "red" }] };
  }
  master.say(order);
  const running = await master.heardOf("update");
  const { spec } = w.host.run(launchId(1));
  t.like(spec, { command: { shell: true, value: "serve" }, sandbox: `/sandboxes/${launchId(1)}`, limits: { cpus: 2 } });
  t.like(spec!.environment, { COLOUR: "red", MESOS_TASK_ID: "task-1", MESOS_SANDBOX: spec!.sandbox });
  t.regex(spec!.environment["TRACEPARENT"]!, /^00-0af7651916cd43dd8448eb211c80319c-/);
  acknowledge(master, running);
  w.host.finish(launchId(1), 0);
  acknowledge(master, await master.heardOf("update"));
  await master.heardOf("forgotten");
  t.is(await w.forgotten.next(), launchId(1));
  t.is(w.agent.state.tasks.size, 0);
});

test("the spans of a launch are one trace: launch, start, status", async (t) => {
  const recorder = new TelemetryRecorder();
  await using w = await world(recorder);
  const master = await w.peer();
  await master.adopt(5);
  const order = launchOrder(1);
  if (order.$case === "launch") order.value.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  master.say(order);
  await master.heardOf("update");
  const names = recorder.spans.filter(({ traceparent }) => traceparent.includes("0af7651916cd43dd8448eb211c80319c")).map(({ name }) => name);
  t.deepEqual(names.sort(), ["mesarch.agent.launch", "mesarch.status", "mesarch.task.start"]);
});

test("lines about a launch, its kill and its end name its trace and the epoch", async (t) => {
  const recorder = new TelemetryRecorder();
  await using w = await world(recorder);
  const master = await w.peer();
  await master.adopt(5);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const order = launchOrder(1);
  if (order.$case === "launch") order.value.traceparent = traceparent;
  master.say(order);
  acknowledge(master, await master.heardOf("update"));
  master.say({ $case: "kill", value: { launchId: launchId(1), graceMs: 0 } });
  acknowledge(master, await master.heardOf("update"));
  await master.heardOf("forgotten");
  for (const message of ["launching a task", "killing a task", "task ended"]) {
    const line = recorder.lines.find((each) => each.message === message);
    t.like(line?.fields, { task: "task-1", launch: launchId(1), traceparent, epoch: "1-5" }, message);
  }
});

test("a lost link is dialled again, and the leader's word taken there", async (t) => {
  await using w = await world();
  const first = await w.peer();
  await first.adopt(5);
  first.link.end("lost");
  const second = await w.peer();
  const greeting = await second.heardOf("greeting");
  t.is(greeting.body?.$case === "greeting" && greeting.body.value.storedEpoch?.revision, 5);
  await second.adopt(5);
  second.say(launchOrder(1));
  await second.heardOf("update");
});

test("a silent leader's link is closed and dialled again", async (t) => {
  await using w = await world();
  const first = await w.peer();
  await first.adopt(5, 30);
  t.regex(await first.link.closed, /nothing heard/);
  await (await w.peer()).heardOf("greeting");
});

test("gone: it ends its tasks and then itself, without failing", async (t) => {
  await using w = await world();
  const master = await w.peer();
  await master.adopt(5);
  master.say(launchOrder(1));
  await master.heardOf("update");
  master.say({ $case: "refusal", value: { kind: Kind.KIND_GONE, reason: "by an operator", retryMs: 0 } });
  await w.agent.done;
  t.is(w.agent.left?.reason, "gone");
  t.is(w.host.run(launchId(1)).state.kind, "exited");
});

test("8.6: a duplicate fails at once and touches no task", async (t) => {
  await using w = await world();
  const master = await w.peer();
  await master.adopt(5);
  master.say(launchOrder(1));
  await master.heardOf("update");
  master.say({ $case: "refusal", value: { kind: Kind.KIND_DUPLICATE, reason: "the original lives", retryMs: 0 } });
  await t.throwsAsync(w.agent.done, { code: "conflict" });
  t.is(w.host.run(launchId(1)).state.kind, "running");
});

function acknowledge(master: Peer, { body }: AgentMessage): void {
  if (body?.$case !== "update") throw new Error("not an update");
  const { launchId, status } = body.value;
  master.say({ $case: "acknowledge", value: { launchId, uuid: Buffer.from(status!.uuid!) } });
}
