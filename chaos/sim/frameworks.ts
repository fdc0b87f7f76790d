/**
 * Frameworks: schedulers that want a number of services to run and jobs to be done, and go about it like users of the
 * SDK: what was not answered is asked again on the next stream. The scheduler process may die; what it remembers stays.
 */
import { isTerminal, stateName } from "../../src/model/task-state.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";
import { NumberedCall, SchedulerItem } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import {
  FrameworkInfo_Capability_Type as Capability,
  Offer_Operation_Type,
  TaskStatus_Reason,
  TaskState,
  TaskStatus_Source,
  type Offer,
  type TaskStatus,
} from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Call, Call_Type, Event_Type, type Event } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { CallName, CallValue, Unrecorded } from "../history/event.ts";
import { Chance } from "./chance.ts";
import { doorOf } from "./masters.ts";
import type { Network, Wire } from "./network.ts";
import { amountsOf } from "./rows.ts";
import { SimProcess, type VirtualTime } from "./virtual-time.ts";
import { type KnownTask, Workload, type WorkloadPlan } from "./workload.ts";

export interface FrameworkPlan extends WorkloadPlan {
  readonly failoverTimeoutS: number;
  readonly partitionAware: boolean;
  /** How often an update is not acknowledged at first. */
  readonly forgetsAck: number;
}

export interface FrameworksWorld {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly masters: readonly string[];
  readonly write: (event: Unrecorded) => void;
}

interface Pending {
  readonly number: number;
  readonly op: CallName | undefined;
  readonly value: object;
  readonly call: Call;
  settle: () => void;
}

const RECONNECT_MS = 60;
/** Between two questions about tasks that were launched and of which nothing is heard. */
const SILENCE_MS = 30_000;
/** A call without an answer for this long is given up. */
const CALL_TIMEOUT_MS = 30_000;
/** Launched with one offer. */
const TASKS_AT_ONCE = 4;
/** By then the next update may be what waits for an acknowledgement. */
const ACKNOWLEDGES_TWICE = 0.1;
/** What it was never told; nothing must come of it (I19). */
const ACKNOWLEDGES_WRONGLY = 0.02;

export class SimFramework {
  readonly plan: FrameworkPlan;
  readonly #world: FrameworksWorld;
  readonly #chance: Chance;
  readonly #workload: Workload;
  readonly #pending = new Map<number, Pending>();
  #process: SimProcess | undefined;
  #wire: Wire | undefined;
  #subscribed = false;
  #hint = "";
  /** Settles the SUBSCRIBE under way. */
  #asked: (kind: "ok" | "fail" | "unknown") => void = () => {};
  #starts = 0;
  #calls = 0;
  /** Wants nothing more, and ends what it has. */
  #closing = false;
  #killsNext = false;
  over = false;
  /** Away, and not to be started. */
  #retired = false;

  constructor(world: FrameworksWorld, plan: FrameworkPlan) {
    this.#world = world;
    this.plan = plan;
    this.#chance = new Chance(world.seed, `framework/${plan.name}`);
    this.#workload = new Workload(plan, this.#chance);
  }

  get name(): string {
    return this.plan.name;
  }

  get process(): SimProcess | undefined {
    return this.#process?.alive ? this.#process : undefined;
  }

  get subscribed(): boolean {
    return this.process !== undefined && this.#subscribed;
  }

  /** What it wants and does not have, in words; empty when it is content. On agents that are `lost` nothing can be done. */
  wishes(lost: ReadonlySet<string>): string[] {
    return this.over || this.#retired ? [] : this.#workload.wishes(lost);
  }

  start(): void {
    if (this.process !== undefined || this.over || this.#retired) return;
    this.#starts += 1;
    this.#process = new SimProcess(this.#world.time, `framework/${this.name}`, this.name);
    this.#subscribed = false;
    this.#wire = undefined;
    // What a scheduler had asked and not yet heard of is not remembered by its successor, which reconciles instead.
    for (const pending of [...this.#pending.values()]) this.#settle(pending, "unknown");
    void this.#live(this.#process);
  }

  kill(): void {
    if (this.process !== undefined) this.#asked("unknown");
    this.#process?.kill();
    this.#subscribed = false;
  }

  retire(): void {
    this.kill();
    this.#retired = true;
  }

  hire(): void {
    this.#retired = false;
  }

  /** Starts, though it may have been told that it is removed: that may not be true any more. */
  reopen(): void {
    if (this.over && !this.#closing) {
      this.over = false;
      this.kill();
    }
    this.start();
  }

  /** Ends everything it has. */
  teardown(): void {
    this.#closing = true;
    if (!this.over) this.#call("teardown", { framework: this.name }, { type: Call_Type.TEARDOWN });
  }

  /** Kills one of its tasks, if any runs. */
  killOne(): void {
    const { running } = this.#workload;
    if (running.length > 0) this.#kill(this.#chance.pick(running));
  }

  /** Kills the next task that it launches, as soon as it knows that it did. */
  killNext(): void {
    this.#killsNext = true;
  }

  #kill(task: KnownTask): void {
    if (this.#closing || isTerminal(task.state)) return;
    task.killing = true;
    const kill = { taskId: { value: task.id }, ...(this.#chance.happens(0.5) && { agentId: { value: task.agent } }) };
    this.#call("kill", { framework: this.name, task: task.id, graceMs: 3_000 }, { type: Call_Type.KILL, kill });
  }

  meddle(op: CallName, value: object, call: object): void {
    if (this.subscribed && !this.#closing) this.#call(op, value, call);
  }

  /** Asks about everything, or about each task it thinks is open. */
  reconcile(explicit: boolean): void {
    const open = this.#workload.open.map(({ id }) => id);
    if (!explicit || open.length > 0) this.#reconcile(explicit ? open : []);
  }

  /** After a restore masters say nothing of what an agent may still tell (5.4), so silence is asked about again. */
  #askAboutSilence(process: SimProcess, wire: Wire): void {
    process.clock.after(SILENCE_MS, () => {
      if (this.#wire !== wire) return;
      const silent = this.#workload.open.filter(({ state }) => state === TaskState.TASK_STAGING).map(({ id }) => id);
      if (this.#subscribed && silent.length > 0) this.#reconcile(silent);
      this.#askAboutSilence(process, wire);
    });
  }

  #reconcile(tasks: readonly string[]): void {
    const reconcile = { tasks: tasks.map((id) => ({ taskId: { value: id } })) };
    this.#call("reconcile", { framework: this.name, tasks }, { type: Call_Type.RECONCILE, reconcile });
  }

  async #live(process: SimProcess): Promise<void> {
    for (let attempt = 0; process.alive && !this.over; attempt += 1) {
      const address = this.#hint !== "" ? this.#hint : this.#world.masters[attempt % this.#world.masters.length]!;
      this.#hint = "";
      const wire = await this.#world.network.connect(process, doorOf(address, "schedulers"));
      if (wire !== undefined) await this.#serve(process, wire);
      await new Promise<void>((resolve) => process.clock.after(this.#chance.between(0.5, 1.5) * RECONNECT_MS, resolve));
    }
  }

  /** One stream, to its end. */
  #serve(process: SimProcess, wire: Wire): Promise<void> {
    return new Promise((resolve) => {
      this.#wire = wire;
      wire.onMessage = (bytes) => this.#heard(SchedulerItem.decode(bytes), wire);
      wire.onClose = () => {
        this.#asked("unknown");
        if (this.#wire === wire) {
          if (this.#subscribed) this.#observe("disconnected", { framework: this.name });
          this.#subscribed = false;
          this.#wire = undefined;
        }
        resolve();
      };
      this.#askAboutSilence(process, wire);
      // A master that is silent is left.
      process.clock.after(10_000, () => this.#wire === wire && !this.#subscribed && this.#leave(wire));
      const info = this.#info();
      const call = Call.fromPartial({ frameworkId: { value: this.name }, type: Call_Type.SUBSCRIBE, subscribe: { frameworkInfo: info } } as object);
      wire.send(NumberedCall.encode({ number: 0, call, traceparent: "" }).finish());
      this.#ask();
    });
  }

  /** Tells that SUBSCRIBE was sent, and once what became of it. */
  #ask(): void {
    const { name, failoverTimeoutS, partitionAware } = this.plan;
    const call = (this.#calls += 1);
    const value = { framework: name, failoverTimeoutMs: failoverTimeoutS * 1_000, partitionAware };
    const tell = (kind: string): void => this.#world.write({ actor: `framework/${name}`, kind, op: "subscribe", call, value } as unknown as Unrecorded);
    tell("invoke");
    this.#asked = (kind) => {
      this.#asked = () => {};
      tell(kind);
    };
  }

  #leave(wire: Wire): void {
    wire.close("left");
    wire.onClose("left");
  }

  #info(): object {
    const capabilities = [Capability.MULTI_ROLE, ...(this.plan.partitionAware ? [Capability.PARTITION_AWARE] : [])].map((type) => ({ type }));
    return { id: { value: this.name }, user: "root", name: this.name, roles: ["*"], failoverTimeout: this.plan.failoverTimeoutS, capabilities };
  }

  #heard({ item }: SchedulerItem, wire: Wire): void {
    if (wire !== this.#wire) return;
    if (item?.$case === "notLeading") {
      this.#hint = item.value.leaderAddress;
      this.#asked("fail");
    }
    if (item?.$case === "reply") {
      const { number, code, epoch, revision } = item.value;
      const pending = this.#pending.get(number);
      if (pending === undefined) return;
      if (code === 503) return void this.#process?.clock.after(this.#chance.between(50, 300), () => this.#send(pending));
      const at = { ...(epoch !== undefined && { epoch: `${epoch.generation}-${epoch.revision}` }), revision };
      this.#settle(pending, code < 300 ? "ok" : "fail", at, code < 300 ? undefined : `${code} ${item.value.message}`);
    } else if (item?.$case === "event") this.#event(item.value);
  }

  #event(event: Event): void {
    switch (event.type) {
      case Event_Type.SUBSCRIBED:
        this.#subscribed = true;
        this.#asked("ok");
        this.#observe("subscribed", { framework: this.name });
        for (const pending of [...this.#pending.values()]) {
          // What was not answered is asked again as it was, or with the next offer.
          if (pending.op === "launch" && this.#chance.happens(0.5)) this.#settle(pending, "unknown");
          else this.#send(pending);
        }
        if (this.#starts > 1 || this.#chance.happens(0.3)) this.reconcile(this.#chance.happens(0.5));
        return;
      case Event_Type.OFFERS:
        for (const offer of event.offers?.offers ?? []) this.#offered(offer);
        return;
      case Event_Type.RESCIND:
        return this.#observe("rescind", { framework: this.name, offer: event.rescind?.offerId?.value ?? "" });
      case Event_Type.UPDATE:
        return this.#updated(event.update!.status!);
      case Event_Type.ERROR:
        this.#asked("fail");
        this.#observe("frameworkError", { framework: this.name, message: event.error?.message ?? "" });
        if (/removed/.test(event.error?.message ?? "")) {
          this.over = true;
          for (const pending of [...this.#pending.values()]) this.#settle(pending, pending.op === "teardown" ? "ok" : "unknown");
        }
    }
  }

  #offered(offer: Offer): void {
    const id = offer.id?.value ?? "";
    const agent = offer.agentId?.value ?? "";
    const resources = amountsOf(offer.resources);
    this.#observe("offer", { framework: this.name, offer: id, agent, role: "*", resources });
    const { surplus } = this.#workload;
    if (surplus !== undefined) this.#kill(surplus);
    const room = Math.floor(Math.min((resources["cpus"] ?? 0) / 500, (resources["mem"] ?? 0) / 64_000));
    const tasks = this.#closing ? [] : this.#workload.next(agent, Math.min(room, TASKS_AT_ONCE));
    if (tasks.length === 0) {
      const decline = { offerIds: [{ value: id }], filters: { refuseSeconds: this.#chance.between(1, 4) } };
      return this.#call("decline", { framework: this.name, offers: [id] }, { type: Call_Type.DECLINE, decline });
    }
    const taskInfos = tasks.map(({ info }) => info);
    const accept = {
      offerIds: [{ value: id }],
      operations: [{ type: Offer_Operation_Type.LAUNCH, launch: { taskInfos } }],
      filters: { refuseSeconds: 1 },
    };
    const value = {
      framework: this.name,
      offers: [id],
      agent,
      tasks: taskInfos.map((info) => ({ task: info.taskId?.value ?? "", resources: amountsOf(info.resources) })),
    };
    this.#call("launch", value, { type: Call_Type.ACCEPT, accept });
  }

  #updated(status: TaskStatus): void {
    const id = status.taskId?.value ?? "";
    const uuid = hex(status.uuid);
    const agent = status.agentId?.value ?? "";
    const source = status.source === TaskStatus_Source.SOURCE_MASTER ? "master" : "agent";
    const reason = reasonNames.get(status.reason ?? -1) ?? "";
    this.#observe("update", { framework: this.name, task: id, agent, state: stateName(status.state!) as TaskStateName, uuid, source, reason });
    this.#workload.told(id, status.state!);
    if (uuid === "" || this.#chance.happens(this.plan.forgetsAck)) return;
    const say = (bytes: Uint8Array): void => {
      const acknowledge = { agentId: { value: agent }, taskId: { value: id }, uuid: bytes };
      this.#call("acknowledge", { framework: this.name, agent, task: id, uuid: hex(bytes) }, { type: Call_Type.ACKNOWLEDGE, acknowledge });
    };
    if (this.#chance.happens(ACKNOWLEDGES_WRONGLY)) say(Uint8Array.from(status.uuid!).reverse());
    say(status.uuid!);
    if (this.#chance.happens(ACKNOWLEDGES_TWICE)) this.#process?.clock.after(this.#chance.between(0, 5_000), () => !this.#closing && say(status.uuid!));
  }

  #call(op: CallName, value: object, call: object): void {
    const number = (this.#calls += 1);
    const pending: Pending = {
      number,
      op,
      value,
      call: Call.fromPartial({ ...call, frameworkId: { value: this.name } } as object),
      settle: this.#process?.clock.after(CALL_TIMEOUT_MS, () => this.#pending.has(number) && op !== "teardown" && this.#settle(pending, "unknown")) ?? (() => {}),
    };
    this.#pending.set(number, pending);
    this.#world.write({ actor: `framework/${this.name}`, kind: "invoke", op, call: number, value } as unknown as Unrecorded);
    this.#send(pending);
  }

  #send(pending: Pending): void {
    if (!this.#subscribed || !this.#pending.has(pending.number)) return;
    this.#wire?.send(NumberedCall.encode({ number: pending.number, call: pending.call, traceparent: "" }).finish());
  }

  #settle(pending: Pending, kind: "ok" | "fail" | "unknown", at: object = {}, error?: string): void {
    this.#pending.delete(pending.number);
    pending.settle();
    const { op, value, number: call } = pending;
    this.#world.write({ actor: `framework/${this.name}`, kind, op, call, value, ...at, ...(error !== undefined && { error }) } as unknown as Unrecorded);
    if (op === "teardown" && kind === "ok") this.over = true;
    const killed = op === "kill" && kind === "unknown" ? this.#workload.get((value as CallValue<"kill">).task) : undefined;
    if (killed !== undefined) killed.killing = false;
    if (op === "launch") this.#launched((value as CallValue<"launch">).tasks, kind);
  }

  #launched(launches: CallValue<"launch">["tasks"], kind: "ok" | "fail" | "unknown"): void {
    const tasks = launches.flatMap(({ task }) => this.#workload.get(task) ?? []);
    for (const task of tasks) task.launch = kind === "unknown" ? "unknown" : "answered";
    const [first] = tasks;
    if (kind !== "ok" || first === undefined || !this.#killsNext) return;
    this.#killsNext = false;
    this.#process?.clock.after(this.#chance.between(0, 15), () => this.#kill(first));
  }

  #observe(op: string, value: object): void {
    this.#world.write({ actor: `framework/${this.name}`, kind: "observe", op, value } as unknown as Unrecorded);
  }
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

const reasonNames = new Map<number, string>(Object.entries(TaskStatus_Reason).map(([name, value]) => [value as number, name]));
