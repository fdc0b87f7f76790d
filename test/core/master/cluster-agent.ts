/** An agent process of a scenario. */
import assert from "node:assert/strict";
import { Digest } from "../../../src/model/digest.ts";
import { Resources } from "../../../src/model/resources.ts";
import { HeldTask, type MasterMessage, Report, TaskUpdate } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { AgentInfo, TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import type { Cluster } from "./cluster.ts";

export type Body = NonNullable<MasterMessage["body"]>;
export type BodyOf<C extends Body["$case"]> = Extract<Body, { $case: C }>["value"];

export const RESOURCES = "cpus:8;mem:8192;ports:[31000-31099]";

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

export function parsed(text: string): Resources {
  const resources = Resources.parse(text);
  assert(resources.ok);
  return resources.value;
}
