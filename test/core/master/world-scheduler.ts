/** A scheduler that launches what it is offered, acknowledges what it hears, and remembers all of it. */
import assert from "node:assert/strict";
import type { Output } from "../../../src/core/master/output.ts";
import { Resources } from "../../../src/model/resources.ts";
import { isTerminal } from "../../../src/model/task-state.ts";
import type { MasterMessage } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { FrameworkInfo_Capability_Type as Capability, type Offer, Offer_Operation, Offer_Operation_Type, TaskInfo, TaskState, type TaskStatus } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call, Call_Type, Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { stateText } from "./cluster-framework.ts";
import type { World } from "./world.ts";

const TASK = Resources.parse("cpus:1;mem:512");
assert(TASK.ok);
const RESOURCES = TASK.value.toMesos();
/** States that only mean "not reachable at present". */
const DOUBT: readonly number[] = [TaskState.TASK_UNREACHABLE, TaskState.TASK_UNKNOWN];
const NEVER_RAN: readonly number[] = [TaskState.TASK_ERROR, TaskState.TASK_DROPPED, TaskState.TASK_UNKNOWN];

export class Scheduler {
  readonly world: World;
  readonly name: string;
  id = "";
  /** Every task asked for, with the states heard of it. */
  readonly heard = new Map<string, number[]>();
  #session = 0;
  #offers: Offer[] = [];
  #calls: Call[] = [];
  #launches = 0;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }

  get connected(): boolean {
    return this.#session !== 0;
  }

  subscribe(): void {
    if (this.connected) return;
    this.#session = ++this.world.sessions;
    const id = this.id === "" ? {} : { id: { value: this.id } };
    const call = Call.fromPartial({
      type: Call_Type.SUBSCRIBE,
      ...(this.id === "" ? {} : { frameworkId: { value: this.id } }),
      subscribe: {
        frameworkInfo: { user: "u", name: this.name, failoverTimeout: 1e6, capabilities: [{ type: Capability.PARTITION_AWARE }], ...id },
      },
    });
    this.world.step({ kind: "subscribe", session: this.#session, principal: "", call });
  }

  disconnect(): void {
    const session = this.#session;
    if (session === 0) return;
    this.cut();
    this.world.step({ kind: "schedulerClosed", session, ours: false });
  }

  cut(): void {
    this.#session = 0;
    this.#offers = [];
    this.#calls = [];
  }

  /** One call arrives at the master. */
  deliver(): boolean {
    const call = this.#calls.shift();
    if (call === undefined) return false;
    const token = ++this.world.sessions;
    this.world.step({ kind: "call", session: this.#session, principal: "", call, token, traceparent: "" });
    return true;
  }

  /** Accepts an offer with one or two new tasks. */
  launch(): void {
    const offer = this.#offers.shift();
    if (offer === undefined) return;
    const tasks = Array.from({ length: this.world.chance(0.3) ? 2 : 1 }, () => {
      const value = `${this.name}.${this.#launches++}`;
      this.heard.set(value, []);
      return TaskInfo.fromPartial({ name: value, taskId: { value }, agentId: offer.agentId!, resources: RESOURCES, command: { value: "true" } });
    });
    const launch = Offer_Operation.fromPartial({ type: Offer_Operation_Type.LAUNCH, launch: { taskInfos: tasks } });
    const call: Partial<Call> = {
      type: Call_Type.ACCEPT,
      accept: { offerIds: [offer.id!], operations: [launch], filters: { refuseSeconds: 0 } },
    };
    this.#call(call);
    // The outcome of the first may be unknown to it: it asks again (10.3).
    if (this.world.chance(0.2)) this.#call(call);
  }

  kill(): void {
    const taskId = this.world.pick(this.open);
    if (taskId !== undefined) this.#call({ type: Call_Type.KILL, kill: { taskId: { value: taskId } } });
  }

  killAll(): void {
    for (const taskId of this.open) this.#call({ type: Call_Type.KILL, kill: { taskId: { value: taskId } } });
  }

  /** Tasks whose end was not heard. */
  get open(): string[] {
    return [...this.heard].filter(([, states]) => !states.some((state) => isTerminal(state as TaskState))).map(([taskId]) => taskId);
  }

  hear(word: Output): void {
    if (!("session" in word) || word.session !== this.#session) return;
    if (word.kind === "closeScheduler") return this.cut();
    if (word.kind !== "event") return;
    const { event } = word;
    if (event.type === Event_Type.ERROR) throw new Error(`${this.name}: ${event.error?.message}`);
    if (event.subscribed !== undefined) this.id = event.subscribed.frameworkId!.value!;
    if (event.offers !== undefined) this.#offers.push(...event.offers.offers);
    if (event.rescind !== undefined) this.#offers = this.#offers.filter(({ id }) => id!.value !== event.rescind!.offerId!.value);
    if (event.update?.status !== undefined) this.#status(event.update.status);
  }

  /** A launch order was given: not for a task that was announced unreachable or ended (6.2). */
  ordered(body: NonNullable<MasterMessage["body"]>): void {
    if (body.$case !== "launch") return;
    const states = this.heard.get(body.value.task?.taskId?.value ?? "");
    const late = states?.some((state) => DOUBT.includes(state) || isTerminal(state as TaskState));
    assert(!late, `${body.value.task?.taskId?.value} was ordered after ${states?.map(stateText).join(", ")}`);
  }

  #status(status: TaskStatus): void {
    const taskId = status.taskId!.value!;
    const state = status.state!;
    const states = this.heard.get(taskId);
    assert(states !== undefined, `${taskId} is not ours`);
    const ended = states.find((each) => isTerminal(each as TaskState));
    const line = () => `${taskId}: ${[...states, state].map(stateText).join(", ")}`;
    // What never ran has no row (4.5): asked again, it may be told in other words.
    const neverRan = ended !== undefined && NEVER_RAN.includes(ended) && NEVER_RAN.includes(state);
    assert(ended === undefined || ended === state || neverRan, `an end was taken back: ${line()}`);
    // Nothing here loses a disk or a host, so nothing may ever vanish (containment).
    assert(state !== TaskState.TASK_GONE && state !== TaskState.TASK_LOST, `a task vanished: ${line()}, ${status.message}`);
    if (states.at(-1) !== state) states.push(state);
    if (status.uuid === undefined || this.world.chance(0.1)) return;
    this.#call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId: status.agentId!, taskId: status.taskId!, uuid: status.uuid } });
  }

  #call(call: Partial<Call>): void {
    this.#calls.push({ frameworkId: { value: this.id }, ...call });
  }
}
