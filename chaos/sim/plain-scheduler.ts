/**
 * A scheduler that knows nothing of the SDK: it asks one master after the other, goes where it is sent, and asks again on
 * the next stream what was not answered on the last.
 */
import { MesarchError, type Offer, type TaskInfo, type TaskStatus } from "../../src/sdk/index.ts";
import { epochText } from "../../src/base/epoch.ts";
import * as calls from "../../src/sdk/calls.ts";
import { replyError } from "../../src/sdk/errors.ts";
import { schedulerEvent } from "../../src/sdk/events.ts";
import { NumberedCall, SchedulerItem, type Reply } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { FrameworkInfo, FrameworkInfo_Capability_Type as Capability } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type, Event_Type, type Event } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { OpenCall, Standpoint } from "../history/recorder.ts";
import { Chance } from "./chance.ts";
import { doorOf } from "./masters.ts";
import type { Wire } from "./network.ts";
import type { SchedulerClient, SchedulerLife } from "./schedulers.ts";

interface Pending {
  readonly number: number;
  readonly kind: calls.SchedulerCall["kind"];
  readonly bytes: Uint8Array;
  readonly settle: (outcome: Standpoint | MesarchError) => void;
}

const ROLES: readonly string[] = ["*"];
const RECONNECT_MS = 60;
/** A master that does not answer SUBSCRIBE for this long is left. */
const SILENCE_MS = 10_000;
/** A call without an answer for this long is given up, unless it is the last one there is. */
const CALL_TIMEOUT_MS = 30_000;

export class PlainScheduler implements SchedulerClient {
  readonly #life: SchedulerLife;
  readonly #chance: Chance;
  readonly #pending = new Map<number, Pending>();
  #wire: Wire | undefined;
  #subscribed = false;
  /** Each SUBSCRIBE replaces what was said before. */
  #suppressed: readonly string[] = [];
  #hint = "";
  #calls = 0;

  constructor(life: SchedulerLife) {
    this.#life = life;
    this.#chance = new Chance(life.seed, `scheduler/${life.framework}/${life.start}`);
    void this.#live();
  }

  launch(offer: Offer, tasks: readonly TaskInfo[]): Promise<Standpoint> {
    return this.#call(calls.acceptCall([offer.id?.value ?? ""], [calls.launchOperation(tasks)], { refuseSeconds: 1 }));
  }

  decline(offer: Offer, refuseSeconds: number): Promise<Standpoint> {
    return this.#call(calls.declineCall([offer.id?.value ?? ""], { refuseSeconds }));
  }

  kill(task: string, agent: string | undefined): Promise<Standpoint> {
    return this.#call(calls.killCall(task, agent, undefined));
  }

  acknowledge({ agentId, taskId, uuid }: TaskStatus): Promise<Standpoint> {
    return this.#call(calls.acknowledgeCall(agentId?.value ?? "", taskId?.value ?? "", uuid ?? new Uint8Array()));
  }

  reconcile(tasks: readonly string[]): Promise<Standpoint> {
    return this.#call(calls.reconcileCall(tasks.map((taskId) => ({ taskId }))));
  }

  suppress(): Promise<Standpoint> {
    this.#suppressed = ROLES;
    return this.#call(calls.suppressCall([]));
  }

  revive(): Promise<Standpoint> {
    this.#suppressed = [];
    return this.#call(calls.reviveCall([]));
  }

  teardown(): Promise<Standpoint> {
    return this.#call(calls.teardownCall());
  }

  async #live(): Promise<void> {
    const { process, network, masters, listener } = this.#life;
    for (let attempt = 0; process.alive && !listener.over; attempt += 1) {
      const address = this.#hint !== "" ? this.#hint : masters[attempt % masters.length]!;
      this.#hint = "";
      const wire = await network.connect(process, doorOf(address, "schedulers"));
      if (wire !== undefined) await this.#serve(wire);
      await new Promise<void>((resolve) => process.clock.after(this.#chance.between(0.5, 1.5) * RECONNECT_MS, resolve));
    }
  }

  /** One stream, to its end. */
  #serve(wire: Wire): Promise<void> {
    const { process, listener } = this.#life;
    return new Promise((resolve) => {
      this.#wire = wire;
      const asked = listener.asks();
      wire.onMessage = (bytes) => this.#heard(SchedulerItem.decode(bytes), asked);
      wire.onClose = (reason) => {
        asked.unknown(reason);
        this.#wire = undefined;
        const wasSubscribed = this.#subscribed;
        this.#subscribed = false;
        if (wasSubscribed) listener.disconnected();
        resolve();
      };
      process.clock.after(SILENCE_MS, () => {
        if (this.#wire !== wire || this.#subscribed) return;
        wire.close("left");
        wire.onClose("left");
      });
      wire.send(this.#encode(0, calls.subscribeCall(this.#info(), [...this.#suppressed])));
    });
  }

  #info(): FrameworkInfo {
    const { framework, failoverTimeoutS, partitionAware } = this.#life;
    const capabilities = [Capability.MULTI_ROLE, ...(partitionAware ? [Capability.PARTITION_AWARE] : [])].map((type) => ({ type }));
    return FrameworkInfo.fromPartial({ id: { value: framework }, user: "root", name: framework, roles: [...ROLES], failoverTimeout: failoverTimeoutS, capabilities });
  }

  #heard({ item }: SchedulerItem, asked: OpenCall): void {
    if (item?.$case === "notLeading") {
      this.#hint = item.value.leaderAddress;
      asked.fail("the master does not lead");
    } else if (item?.$case === "reply") this.#answered(item.value);
    else if (item?.$case === "event") this.#event(item.value, asked);
  }

  #answered({ number, code, message, epoch, revision }: Reply): void {
    const pending = this.#pending.get(number);
    if (pending === undefined) return;
    if (code === 503) return void this.#life.process.clock.after(this.#chance.between(50, 300), () => this.#send(pending));
    const at = { ...(epoch !== undefined && { epoch: epochText(epoch) }), revision };
    pending.settle(code < 300 ? at : replyError(pending.kind, code, message));
  }

  #event(event: Event, asked: OpenCall): void {
    const { listener } = this.#life;
    if (event.type === Event_Type.ERROR) {
      const message = event.error?.message ?? "";
      asked.fail(message);
      return listener.refused(message);
    }
    if (event.type !== Event_Type.SUBSCRIBED) {
      const told = schedulerEvent(event);
      if (told !== undefined) listener.told(told);
      return;
    }
    this.#subscribed = true;
    asked.ok();
    for (const pending of [...this.#pending.values()]) {
      // What was not answered is asked again as it was, or with the next offer.
      if (pending.kind === "ACCEPT" && this.#chance.happens(0.5)) pending.settle(new MesarchError("cancelled", "given up with the last stream"));
      else this.#send(pending);
    }
    listener.subscribed();
  }

  #call(call: calls.SchedulerCall): Promise<Standpoint> {
    const number = (this.#calls += 1);
    const { promise, resolve, reject } = Promise.withResolvers<Standpoint>();
    const late = (): void => pending.settle(new MesarchError("timed_out", `no answer within ${CALL_TIMEOUT_MS} ms`));
    const cancelTimeout = call.kind === "TEARDOWN" ? () => {} : this.#life.process.clock.after(CALL_TIMEOUT_MS, late);
    const pending: Pending = {
      number,
      kind: call.kind,
      bytes: this.#encode(number, call),
      settle: (outcome) => {
        this.#pending.delete(number);
        cancelTimeout();
        if (outcome instanceof MesarchError) reject(outcome);
        else resolve(outcome);
      },
    };
    this.#pending.set(number, pending);
    this.#send(pending);
    return promise;
  }

  #send({ number, bytes }: Pending): void {
    if (this.#subscribed && this.#pending.has(number)) this.#wire?.send(bytes);
  }

  #encode(number: number, { kind, body }: calls.SchedulerCall): Uint8Array {
    const call = { ...body, frameworkId: { value: this.#life.framework }, type: Call_Type[kind] };
    return NumberedCall.encode({ number, call, traceparent: "" }).finish();
  }
}
