/** A framework of a scenario. */
import assert from "node:assert/strict";
import { Offer_Operation, Offer_Operation_Type, FrameworkInfo_Capability_Type as Capability, TaskInfo, TaskState, type TaskStatus } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call, Call_Type, Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { type Agent, parsed } from "./cluster-agent.ts";
import type { Cluster } from "./cluster.ts";

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

  /** Asks for the state of everything it has. */
  reconcile(): void {
    this.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
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

/** A state by name, without TASK_. */
export function stateText(state: number): string {
  return Object.entries(TaskState).find(([, value]) => value === state)![0].replace("TASK_", "");
}
