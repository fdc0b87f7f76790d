/** A leading master over tables in memory, with scripted agents and frameworks, for scenarios about agents. */
import assert from "node:assert/strict";
import { seededRandom } from "../../../src/base/random.ts";
import type { Input } from "../../../src/core/master/input.ts";
import { violations } from "../../../src/core/master/invariants.ts";
import { MasterMachine } from "../../../src/core/master/machine.ts";
import type { Output } from "../../../src/core/master/output.ts";
import { type MasterSettings, defaultMasterSettings } from "../../../src/core/master/settings.ts";
import { Tables, taskIdOf } from "../../../src/core/registry/tables.ts";
import { Digest } from "../../../src/model/digest.ts";
import { Resources } from "../../../src/model/resources.ts";
import { isTerminal } from "../../../src/model/task-state.ts";
import { sizeOfChange } from "../../../src/wire/registry-codec.ts";
import { HeldTask, type MasterMessage, Report, TaskUpdate } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import type { TaskRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import { AgentInfo, Offer_Operation, Offer_Operation_Type, FrameworkInfo_Capability_Type as Capability, TaskInfo, TaskState, type TaskStatus } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call, Call_Type, Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";

type Body = NonNullable<MasterMessage["body"]>;
type BodyOf<C extends Body["$case"]> = Extract<Body, { $case: C }>["value"];

export const RESOURCES = "cpus:8;mem:8192;ports:[31000-31099]";

export class Cluster {
  readonly tables: Tables;
  readonly settings: MasterSettings;
  now = 1_000;
  revision = 100;
  generation = 1;
  machine: MasterMachine;
  /** Everything said since the last leadership began. */
  words: Output[] = [];
  sessions = 1;
  /** Recounting after each step is too slow for a herd. */
  checking = true;
  uuids = 0;

  constructor(settings: Partial<MasterSettings> = {}) {
    this.settings = { ...defaultMasterSettings, ...settings };
    this.tables = new Tables();
    this.tables.apply({ kind: "meta", id: "", record: { clusterId: "c1", generation: 1, format: 1 } });
    this.machine = this.#lead();
  }

  /** The leader is lost; the next one leads over the same registry. Streams have to be opened again. */
  failover(restored = false): void {
    const state = this.machine.state;
    const clock = state.clockAtStart + Math.floor((this.now - state.startedAt) / 1000);
    this.revision += 10;
    if (restored) this.generation += 1;
    const epoch = { generation: this.generation, revision: this.revision };
    this.tables.head = { epoch, master: "m", n: 1, ops: 0, clusterClock: clock };
    this.words = [];
    this.machine = this.#lead();
  }

  step(input: Input): void {
    const { words, undo, atoms } = this.machine.step(input, this.now);
    assert.equal(undo.length, atoms.length);
    this.words.push(...words);
    if (this.checking) assert.deepEqual(violations(this.machine.state as never), [], `after ${input.kind}`);
  }

  /** Lets time pass, deadline by deadline. */
  advance(ms: number): void {
    const end = this.now + ms;
    this.drain();
    for (let next = this.machine.nextDeadline(); next !== undefined && next <= end; next = this.machine.nextDeadline()) {
      this.now = Math.max(this.now, next);
      this.step({ kind: "deadline" });
    }
    this.now = end;
  }

  /** What is due now, such as the allocation. */
  drain(): void {
    for (let next = this.machine.nextDeadline(); next !== undefined && next <= this.now; next = this.machine.nextDeadline()) {
      this.step({ kind: "deadline" });
    }
  }

  /** Orders of one kind said to an agent session. */
  told<C extends Body["$case"]>(session: number, $case: C): BodyOf<C>[] {
    return this.words.flatMap((word) =>
      word.kind === "agent" && word.session === session && word.message.body?.$case === $case
        ? [word.message.body.value as BodyOf<C>]
        : [],
    );
  }

  get alarms(): string[] {
    return this.words.flatMap((word) => (word.kind === "alarm" ? [word.message] : []));
  }

  get milestones(): string[] {
    return this.words.flatMap((word) => (word.kind === "milestone" ? [word.name] : []));
  }

  task(taskId: string): TaskRecord | undefined {
    return [...this.tables.tasks.values()].find((record) => taskIdOf(record) === taskId);
  }

  /** The finished task of that id, from history. */
  past(taskId: string): TaskRecord | undefined {
    return [...this.tables.history.values()].find(({ task }) => task !== undefined && taskIdOf(task) === taskId)?.task;
  }

  agentRow(agent: Agent) {
    const row = this.tables.agents.get(agent.id);
    assert(row !== undefined, `no row of agent ${agent.name}`);
    return row;
  }

  /** A registered and confirmed agent. */
  agent(name = "a", resources = RESOURCES): Agent {
    const agent = new Agent(this, name, resources);
    agent.connect();
    agent.report();
    assert(agent.confirmed, `agent ${name} is not confirmed`);
    return agent;
  }

  framework(name = "f", capabilities: readonly (keyof typeof Capability)[] = ["PARTITION_AWARE"]): Framework {
    return new Framework(this, name, capabilities);
  }

  #lead(): MasterMachine {
    const leadership = {
      generation: this.generation,
      revision: this.revision,
      clusterId: "c1",
      master: "m1",
      address: "127.0.0.1:5060",
      since: this.revision,
      electedAtMs: 1_700_000_000_000 + this.now,
    };
    const random = seededRandom(this.revision);
    return new MasterMachine({ leadership, settings: this.settings, tables: this.tables, random, sizeOf: sizeOfChange }, this.now);
  }
}

/** What an agent process would say; it obeys nothing unless the scenario makes it. */
export class Agent {
  readonly cluster: Cluster;
  readonly name: string;
  readonly nonce: string;
  resources: string;
  id = "";
  starts = 1;
  process = "p1";
  session = 0;
  storedGeneration = 0;
  /** By launch id. */
  readonly held = new Map<string, HeldTask>();

  constructor(cluster: Cluster, name: string, resources = RESOURCES) {
    this.cluster = cluster;
    this.name = name;
    this.resources = resources;
    this.nonce = `nonce-${name}`;
  }

  get incarnation() {
    return { starts: this.starts, nonce: this.process };
  }

  get confirmed(): boolean {
    return this.told("confirm").length > 0;
  }

  told<C extends Body["$case"]>($case: C): BodyOf<C>[] {
    return this.cluster.told(this.session, $case);
  }

  /** Opens a stream and greets. */
  connect(): void {
    this.session = this.cluster.sessions++;
    const storedEpoch = { generation: this.storedGeneration, revision: 0 };
    const address = `${this.name}:5052`;
    const greeting = { protocol: 1, agentId: this.id, incarnation: this.incarnation, clusterId: "c1", storedEpoch, address };
    this.cluster.step({ kind: "agentOpened", session: this.session, greeting });
  }

  /** Answers Lead or ListWanted: with the digest, unless `listed`. */
  report(listed = false, withInfos = false): void {
    const digest = Digest.of(this.held.keys());
    const infos = (task: HeldTask) => (withInfos ? task : { ...task, info: undefined, framework: undefined });
    const report = Report.fromPartial({
      agentId: this.id,
      clusterId: "c1",
      incarnation: this.incarnation,
      info: AgentInfo.fromPartial({ hostname: this.name, resources: parsed(this.resources).toMesos() }),
      address: `${this.name}:5052`,
      registrationNonce: this.nonce,
      storedEpoch: { generation: this.storedGeneration, revision: 0 },
      tasks: { count: digest.count, sum: digest.sumText },
      listed,
      held: listed ? [...this.held.values()].map(infos) : [],
    });
    this.cluster.step({ kind: "agentReport", session: this.session, report });
    const confirm = this.told("confirm").at(-1);
    if (confirm === undefined) return;
    this.id = confirm.agentId;
    this.storedGeneration = this.cluster.generation;
  }

  /** Comes back in the same process and is confirmed. */
  reconnect(): void {
    this.connect();
    this.report();
  }

  /** A new process over the same work directory; it lists. */
  restart(): void {
    this.disconnect();
    this.starts += 1;
    this.process = `p${this.starts}`;
    this.connect();
    this.report(true);
  }

  disconnect(): void {
    this.cluster.step({ kind: "agentClosed", session: this.session });
  }

  /** Takes the last launch order of this task, as an agent would. */
  hold(taskId: string, state: TaskState = TaskState.TASK_STAGING, unstarted = false): HeldTask {
    const order = this.told("launch").find(({ task }) => task?.taskId?.value === taskId);
    const row = this.cluster.task(taskId);
    const launchId = order?.launchId ?? row?.launchId;
    assert(launchId !== undefined, `task ${taskId} was never ordered`);
    const info = order?.task ?? row?.info;
    const framework = order?.framework ?? this.cluster.tables.frameworks.get(row!.frameworkId)?.info;
    const frameworkId = framework?.id?.value ?? "";
    const held = HeldTask.fromPartial({ launchId, frameworkId, taskId, state, unstarted, role: "*" });
    this.held.set(launchId, { ...held, info, framework });
    return this.held.get(launchId)!;
  }

  /** An update of a held task; the next in its stream. */
  update(taskId: string, state: TaskState, options: { seq?: number; latest?: TaskState; uuid?: Uint8Array } = {}): TaskUpdate {
    const task = [...this.held.values()].find((held) => held.taskId === taskId)!;
    const seq = options.seq ?? task.seq + 1;
    const latestState = options.latest ?? state;
    this.held.set(task.launchId, { ...task, seq, state: latestState, unstarted: false });
    const uuid = options.uuid ?? new Uint8Array(16).fill(++this.cluster.uuids);
    const status = { taskId: { value: taskId }, state, uuid, source: 2 as const, data: new Uint8Array([1, 2]) };
    const update = { ...TaskUpdate.fromPartial({ launchId: task.launchId, seq, latestState }), status };
    this.say(update);
    return update;
  }

  say(update: TaskUpdate): void {
    this.cluster.step({ kind: "agentUpdate", session: this.session, update });
  }

  /** Journals that it forgot the task, and says so. */
  forget(taskId: string): void {
    const launchIds = [...this.held.values()].filter((held) => held.taskId === taskId).map((held) => held.launchId);
    for (const launchId of launchIds) this.held.delete(launchId);
    this.cluster.step({ kind: "agentForgot", session: this.session, launchIds });
  }

  pong(sequence: number): void {
    this.cluster.step({ kind: "agentPong", session: this.session, sequence });
  }

  /** Answers the last ping. */
  answer(): void {
    this.pong(this.told("ping").at(-1)!.sequence);
  }

  /** Launch to RUNNING. */
  run(taskId: string): void {
    this.hold(taskId);
    this.update(taskId, TaskState.TASK_RUNNING);
  }
}

/** A subscribed framework. */
export class Framework {
  readonly cluster: Cluster;
  readonly name: string;
  readonly capabilities: readonly (keyof typeof Capability)[];
  id = "";
  session = 0;
  failoverTimeout = 3_600;

  constructor(cluster: Cluster, name: string, capabilities: readonly (keyof typeof Capability)[]) {
    this.cluster = cluster;
    this.name = name;
    this.capabilities = capabilities;
    this.subscribe();
  }

  subscribe(): void {
    this.session = this.cluster.sessions++;
    const named = this.id === "" ? {} : { id: { value: this.id } };
    const call = Call.fromPartial({
      type: Call_Type.SUBSCRIBE,
      ...(this.id === "" ? {} : { frameworkId: { value: this.id } }),
      subscribe: {
        frameworkInfo: {
          user: "u",
          name: this.name,
          ...named,
          failoverTimeout: this.failoverTimeout,
          capabilities: this.capabilities.map((name) => ({ type: Capability[name] })),
        },
      },
    });
    this.cluster.step({ kind: "subscribe", session: this.session, principal: "", call });
    const subscribed = this.#events().find(({ type }) => type === Event_Type.SUBSCRIBED);
    this.id = subscribed?.subscribed?.frameworkId?.value ?? this.id;
    this.cluster.drain();
  }

  disconnect(ours = false): void {
    this.cluster.step({ kind: "schedulerClosed", session: this.session, ours });
  }

  call(call: Partial<Call>): void {
    const token = this.cluster.sessions++;
    const whole: Call = { frameworkId: { value: this.id }, ...call };
    this.cluster.step({ kind: "call", session: this.session, principal: "", call: whole, token, traceparent: "" });
  }

  get offers() {
    this.cluster.drain();
    return this.#events().flatMap((event) => event.offers?.offers ?? []);
  }

  get failures(): string[] {
    return this.#events().flatMap((event) => event.failure?.agentId?.value ?? []);
  }

  /** Accepts the newest offer of an agent with these tasks. */
  launch(agent: Agent, ...taskIds: string[]): void {
    const offer = this.offers.filter(({ agentId }) => agentId?.value === agent.id).at(-1);
    assert(offer !== undefined, `framework ${this.name} has no offer of agent ${agent.name}`);
    const resources = parsed("cpus:1;mem:128").toMesos();
    const tasks = taskIds.map((value) =>
      TaskInfo.fromPartial({ name: value, taskId: { value }, agentId: { value: agent.id }, resources, command: { value: "true" } }),
    );
    const launch = Offer_Operation.fromPartial({ type: Offer_Operation_Type.LAUNCH, launch: { taskInfos: tasks } });
    this.call({
      type: Call_Type.ACCEPT,
      accept: { offerIds: [offer.id!], operations: [launch], filters: { refuseSeconds: 0 } },
    });
    this.cluster.drain();
  }

  kill(taskId: string): void {
    this.call({ type: Call_Type.KILL, kill: { taskId: { value: taskId } } });
  }

  acknowledge(agent: Agent, taskId: string, uuid: Uint8Array): void {
    const ids = { agentId: { value: agent.id }, taskId: { value: taskId } };
    this.call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { ...ids, uuid } });
  }

  teardown(): void {
    this.call({ type: Call_Type.TEARDOWN });
  }

  /** Statuses heard of a task. */
  statuses(taskId: string): TaskStatus[] {
    return this.#events().flatMap((event) => {
      const status = event.update?.status;
      return status?.taskId?.value === taskId ? [status] : [];
    });
  }

  /** States heard of a task, by name without TASK_. */
  heard(taskId: string): string[] {
    return this.statuses(taskId).map(({ state }) => stateText(state!));
  }

  #events() {
    return this.cluster.words.flatMap((word) => (word.kind === "event" && word.session === this.session ? [word.event] : []));
  }
}

export function stateText(state: number): string {
  return Object.entries(TaskState).find(([, value]) => value === state)![0].replace("TASK_", "");
}

export function isOver(record: TaskRecord | undefined): boolean {
  return record !== undefined && isTerminal(record.state as TaskState);
}

function parsed(text: string): Resources {
  const resources = Resources.parse(text);
  assert(resources.ok);
  return resources.value;
}
