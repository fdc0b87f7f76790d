/** A scheduler as the master sees it: calls go in, events are kept. */
import type { FrameworkInfo, Offer, Offer_Operation, TaskInfo, TaskStatus } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Offer_Operation_Type, TaskState, Value_Type } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { type Call, Call_Type, type Event, Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { Scenario } from "./scenario.ts";

export class FrameworkDouble {
  readonly #scenario: Scenario;
  info: FrameworkInfo;
  session = 0;
  open = false;
  readonly events: Event[] = [];
  /** Offers not yet used, declined or rescinded. */
  readonly offers = new Map<string, Offer>();

  constructor(scenario: Scenario, info: FrameworkInfo) {
    this.#scenario = scenario;
    this.info = info;
  }

  get id(): string {
    return this.info.id?.value ?? "";
  }

  /** Opens a stream, again if there was one. */
  subscribe({ suppressedRoles = [], principal = "" }: { readonly suppressedRoles?: string[]; readonly principal?: string } = {}): void {
    const { info } = this;
    this.session = this.#scenario.newSession(this);
    this.open = true;
    this.offers.clear();
    const call: Call = {
      type: Call_Type.SUBSCRIBE,
      ...(info.id === undefined ? {} : { frameworkId: info.id }),
      subscribe: { frameworkInfo: info, suppressedRoles },
    };
    this.#scenario.step({ kind: "subscribe", session: this.session, principal, call });
  }

  /** The stream breaks. */
  disconnect(ours = false): void {
    this.open = false;
    this.#scenario.step({ kind: "schedulerClosed", session: this.session, ours });
    this.#scenario.settle();
  }

  /** Makes a call; returns the status code and message. Then everything happens that is due. */
  call(call: Omit<Call, "frameworkId">, more: { readonly principal?: string; readonly session?: number } = {}): { code: number; message: string } {
    const token = this.#scenario.token();
    const words = this.#scenario.step({
      kind: "call",
      session: more.session ?? this.session,
      principal: more.principal ?? "",
      call: { frameworkId: { value: this.id }, ...call },
      token,
      traceparent: "",
    });
    this.#scenario.settle();
    const reply = words.find((word) => word.kind === "reply" && word.token === token);
    if (reply?.kind !== "reply") throw new Error(`no reply to call ${call.type}`);
    return { code: reply.code, message: reply.message };
  }

  /** Launches tasks on offers (default: the only one). */
  accept(tasks: readonly TaskInfo[], offerIds: readonly string[] = [this.offer().id!.value!], refuseSeconds?: number) {
    return this.operate([launchOf(tasks)], offerIds, refuseSeconds);
  }

  operate(operations: Offer_Operation[], offerIds: readonly string[], refuseSeconds?: number) {
    for (const id of offerIds) this.offers.delete(id);
    const filters = refuseSeconds === undefined ? {} : { filters: { refuseSeconds } };
    const accept = { offerIds: offerIds.map((value) => ({ value })), operations, ...filters };
    return this.call({ type: Call_Type.ACCEPT, accept });
  }

  decline(refuseSeconds?: number, offerIds: readonly string[] = [...this.offers.keys()]) {
    for (const id of offerIds) this.offers.delete(id);
    const filters = refuseSeconds === undefined ? {} : { filters: { refuseSeconds } };
    return this.call({ type: Call_Type.DECLINE, decline: { offerIds: offerIds.map((value) => ({ value })), ...filters } });
  }

  kill(taskId: string, agentId?: string, graceMs?: number) {
    const kill = {
      taskId: { value: taskId },
      ...(agentId === undefined ? {} : { agentId: { value: agentId } }),
      ...(graceMs === undefined ? {} : { killPolicy: { gracePeriod: { nanoseconds: BigInt(graceMs) * 1_000_000n } } }),
    };
    return this.call({ type: Call_Type.KILL, kill });
  }

  reconcile(...tasks: readonly (readonly [taskId: string, agentId?: string])[]) {
    const list = tasks.map(([taskId, agentId]) => ({
      taskId: { value: taskId },
      ...(agentId === undefined ? {} : { agentId: { value: agentId } }),
    }));
    return this.call({ type: Call_Type.RECONCILE, reconcile: { tasks: list } });
  }

  /** Acknowledges the last update, if it wants that. */
  acknowledge(status: TaskStatus = this.update()) {
    const { agentId, taskId, uuid } = status;
    if (uuid === undefined) throw new Error("this update wants no acknowledgement");
    return this.call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId, taskId, uuid } });
  }

  /** The only outstanding offer. */
  offer(): Offer {
    const [offer, ...more] = this.offers.values();
    if (offer === undefined || more.length > 0) throw new Error(`${this.offers.size} offers`);
    return offer;
  }

  of(type: Event_Type): Event[] {
    return this.events.filter((event) => event.type === type);
  }

  get updates(): TaskStatus[] {
    return this.of(Event_Type.UPDATE).map((event) => event.update!.status!);
  }

  /** The last update. */
  update(): TaskStatus {
    const last = this.updates.at(-1);
    if (last === undefined) throw new Error("no update");
    return last;
  }

  /** All updates as `<task> <STATE>`. */
  get states(): string[] {
    const names = new Map(Object.entries(TaskState).map(([name, state]) => [state as number, name.slice(5)]));
    return this.updates.map((status) => `${status.taskId?.value} ${names.get(status.state!)}`);
  }

  hear(event: Event): void {
    this.events.push(event);
    if (event.type === Event_Type.SUBSCRIBED) this.info = { ...this.info, id: event.subscribed!.frameworkId };
    for (const offer of event.offers?.offers ?? []) this.offers.set(offer.id!.value!, offer);
    if (event.rescind !== undefined) this.offers.delete(event.rescind.offerId!.value!);
  }

  closed(): void {
    this.open = false;
    this.offers.clear();
  }

  lostStream(): void {
    this.closed();
  }
}

export function launchOf(tasks: readonly TaskInfo[]): Offer_Operation {
  return { type: Offer_Operation_Type.LAUNCH, launch: { taskInfos: [...tasks] } };
}

/** A command task for an offer's agent. */
export function task(id: string, agentId: string, more: Partial<TaskInfo> & { readonly cpus?: number; readonly mem?: number } = {}): TaskInfo {
  const { cpus = 1, mem = 128, ...rest } = more;
  return {
    name: id,
    taskId: { value: id },
    agentId: { value: agentId },
    resources: [scalar("cpus", cpus), scalar("mem", mem)],
    command: { value: "sleep 1000", uris: [], arguments: [] },
    limits: {},
    ...rest,
  };
}

export function scalar(name: string, value: number, role?: string): TaskInfo["resources"][number] {
  return { name, type: Value_Type.SCALAR, scalar: { value }, reservations: [], ...(role === undefined ? {} : { role }) };
}
