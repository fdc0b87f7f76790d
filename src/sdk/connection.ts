/** What keeps a scheduler subscribed: one stream after the other, over the calls and events that outlive each. */
import { onAbort, withDeadline } from "../async/abort.ts";
import { backoff } from "../async/backoff.ts";
import type { Clock } from "../async/clock.ts";
import { compareEpochs, NO_EPOCH } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { NumberedCall } from "../wire/gen/mesarch/v1/scheduler.ts";
import type { FrameworkInfo, TaskStatus } from "../wire/gen/mesos/v1/mesos.ts";
import { Call_Type, Event_Type, type Event } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";
import { beyondBounds } from "./call-bounds.ts";
import { CallSender } from "./call-sender.ts";
import { acknowledgeCall, subscribeCall, type SchedulerCall } from "./calls.ts";
import { FrameworkRemovedError, subscriptionError } from "./errors.ts";
import { EventQueue } from "./event-queue.ts";
import { isToldOnce, schedulerEvent, type SchedulerEvent } from "./events.ts";
import { frameworkInfo, type FrameworkOptions } from "./framework.ts";
import { launchedBy, LaunchingTasks } from "./launching.ts";
import { LeaderTracker, type Leader } from "./leader.ts";
import { PendingCalls, type CallOptions } from "./pending-calls.ts";
import { Subscription } from "./subscription.ts";
import type { Ending, Outside } from "./transport.ts";

export interface ConnectionOptions extends Outside {
  readonly masters: string | readonly string[];
  readonly framework: FrameworkOptions;
  readonly autoAcknowledge: boolean;
  readonly timeoutMs: number;
  readonly maxQueuedEvents: number;
  readonly maxPendingCalls: number;
  readonly maxPendingBytes: number;
  readonly clock: Clock;
}

/** A leader that does not answer SUBSCRIBE this long is asked again. */
const SUBSCRIBE_TIMEOUT_MS = 10_000;
/** After a stream that lived for less the next one is waited for longer. */
const SHORT_LIFE_MS = 1_000;
/** Between two subscriptions of a reader that falls behind while it waits for answers. */
const OVERFLOW_PAUSE_MS = 1_000;

export class SchedulerConnection {
  readonly frameworkId: string;
  readonly events: EventQueue<SchedulerEvent>;
  /** Resolves when the session is over and everything is released. */
  readonly done: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #framework: FrameworkInfo;
  readonly #tracker: LeaderTracker;
  readonly #pending: PendingCalls;
  readonly #calls: CallSender;
  readonly #launching = new LaunchingTasks();
  readonly #over = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  readonly #suppressed = new Set<string>();
  /** Agents of the offers that were handed out and not used yet, by offer id. */
  readonly #offers = new Map<string, string>();
  #lastNumber = 0;
  #subscribedAt = 0;
  /** Only while it is subscribed. */
  #subscription: Subscription | undefined;
  #leader: Leader | undefined;
  #lastLeader: Leader | undefined;
  /** Resolves when a reader that fell behind has read what was left. */
  #caughtUp: PromiseWithResolvers<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#framework = frameworkInfo(options.framework);
    this.frameworkId = this.#framework.id?.value ?? "";
    this.#tracker = new LeaderTracker(options, options);
    this.#pending = new PendingCalls({
      clock: options.clock,
      maxCalls: options.maxPendingCalls,
      maxBytes: options.maxPendingBytes,
      timeoutMs: options.timeoutMs,
      onTimeout: (kind, ms) => this.#timedOut(kind, ms),
      onSettled: (call) => {
        this.#launching.remove(call.launches);
        this.#calls.settled(call);
      },
    });
    this.#calls = new CallSender(this.#pending, options);
    this.events = new EventQueue<SchedulerEvent>({
      capacity: options.maxQueuedEvents,
      onTake: (event) => this.#handOut(event),
      onDone: (event) => {
        // A lost acknowledgement costs one repeated update, so nobody is told.
        if (options.autoAcknowledge && event.type === "update") this.acknowledge(event.status, {}).catch(() => {});
      },
      onEmpty: () => this.#caughtUp?.resolve(),
    });
    this.#first.promise.catch(() => {});
    this.done = this.#run()
      .catch((error: unknown) => this.end(error))
      .finally(() => this.#tracker[Symbol.dispose]());
  }

  /** Whom it is subscribed with. */
  get leader(): Leader | undefined {
    return this.#leader;
  }

  /** Resolves with the first subscription. */
  async subscribed(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    using deadline = withDeadline(signal, timeoutMs, this.#options.clock);
    onAbort(deadline.signal, () => this.#first.reject(signal?.aborted ? signal.reason : this.#tracker.noLeader(timeoutMs)));
    await this.#first.promise;
  }

  call(call: SchedulerCall, options: CallOptions): Promise<void> {
    if (this.#over.signal.aborted) return Promise.reject(this.#over.signal.reason);
    const number = ++this.#lastNumber;
    const bytes = this.#encode(number, call, options.traceparent);
    const { kind, body, repeatable } = call;
    const tooLarge = beyondBounds(kind, bytes);
    if (tooLarge !== undefined) return Promise.reject(tooLarge);
    const killed = body.kill?.taskId?.value;
    const independent = call.independent ?? (killed !== undefined && !this.#launching.has(killed));
    const launches = launchedBy(body);
    return this.#pending.add({ number, kind, bytes, repeatable, independent, launches }, options, (pending) => {
      for (const { value } of (body.accept ?? body.decline)?.offerIds ?? []) this.#offers.delete(value ?? "");
      this.#launching.add(launches);
      this.#calls.add(pending);
    });
  }

  acknowledge(status: TaskStatus, options: CallOptions): Promise<void> {
    if (status.uuid === undefined || status.uuid.length === 0) return Promise.resolve();
    return this.call(acknowledgeCall(status.agentId?.value ?? "", status.taskId?.value ?? "", status.uuid), options);
  }

  agentOfOffer(offerId: string): string | undefined {
    return this.#offers.get(offerId);
  }

  /** SUBSCRIBE replaces the set in the master, so it is kept here. No roles means all. */
  setSuppressed(roles: readonly string[], on: boolean): void {
    for (const role of roles.length === 0 ? this.#framework.roles : roles) {
      if (on) this.#suppressed.add(role);
      else this.#suppressed.delete(role);
    }
  }

  /** Resolves when no call waits, or after `ms`. */
  async settled(ms: number): Promise<void> {
    if (ms <= 0) return;
    using deadline = withDeadline(this.#over.signal, ms, this.#options.clock);
    await this.#pending.idle(deadline.signal);
  }

  /** Ends the session, and the events with `error` if given. The first end counts. */
  end(error?: unknown): void {
    if (this.#over.signal.aborted) return;
    const reason = error ?? new MesarchError("cancelled", "the session is closed");
    this.#over.abort(reason);
    this.#first.reject(reason);
    this.#pending.failAll(reason);
    this.#caughtUp?.resolve();
    this.events.end(error);
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const { random } = this.#options;
    let pauses = newPauses(random);
    try {
      for (;;) {
        const leader = await this.#tracker.next(NO_EPOCH, signal);
        if (await this.#serve(leader)) pauses = newPauses(random);
        await this.#untilCaughtUp();
        await this.#tracker.pause(pauses.next().value, leader.epoch, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** After an overflow. The reader may itself wait for the answer to a call, so with calls open it gets a pause only. */
  async #untilCaughtUp(): Promise<void> {
    const caughtUp = this.#caughtUp;
    if (caughtUp === undefined) return;
    let read = false;
    void caughtUp.promise.then(() => (read = true));
    do {
      using pause = withDeadline(this.#over.signal, OVERFLOW_PAUSE_MS, this.#options.clock);
      await Promise.race([caughtUp.promise, new Promise<void>((resolve) => onAbort(pause.signal, resolve))]);
    } while (!read && this.#pending.size === 0 && !this.#over.signal.aborted);
    this.#caughtUp = undefined;
  }

  /** Subscribes with one leader and stays until that ends. True if it was subscribed for a while. */
  async #serve(leader: Leader): Promise<boolean> {
    const { clock, transport } = this.#options;
    const call = subscribeCall(this.#framework, [...this.#suppressed]);
    const bytes = this.#encode(++this.#lastNumber, call);
    const tooLarge = beyondBounds(call.kind, bytes);
    if (tooLarge !== undefined) throw tooLarge;
    const subscription = new Subscription(transport, leader.address, bytes, {
      onEvent: (event) => this.#onEvent(event, leader, subscription),
      onReply: (reply) => this.#calls.answered(reply),
      onNotLeading: (address) => {
        this.#tracker.learn(address);
        subscription.cancel(`${leader.address} does not lead`);
      },
    });
    const cancelTimeout = clock.after(SUBSCRIBE_TIMEOUT_MS, () => {
      if (this.#subscription !== subscription) subscription.cancel(`no answer to SUBSCRIBE for ${SUBSCRIBE_TIMEOUT_MS} ms`);
    });
    const stopWatching = this.#tracker.onLeader((next) => {
      const newer = compareEpochs(next.epoch, leader.epoch) > 0;
      const unanswered = this.#subscription !== subscription;
      // Whoever leads anew answers the SUBSCRIBE that is on its way to it, or has answered it before it was heard to lead: it
      // ended what it served before. Left and sent again SUBSCRIBE could arrive last, and the session be taken over by
      // itself (10.1); or be left right after it was taken, which ends a framework whose failover timeout is 0 (10.5).
      if (next.name === leader.name && subscription.isConnected) {
        leader = { ...next, address: leader.address };
        if (!unanswered) this.#servedBy(leader);
      }
      // The same leader may become known by an address that can be reached from here.
      else if (newer || (unanswered && next.address !== leader.address)) subscription.cancel(`${next.name} leads now`);
    });
    const stopListening = onAbort(this.#over.signal, () => subscription.cancel("the session is closed"));
    const ending = await subscription.ended;
    stopListening();
    stopWatching();
    cancelTimeout();
    if (this.#subscription !== subscription) return false;
    this.#lost(leader, ending);
    return clock.now() - this.#subscribedAt >= SHORT_LIFE_MS;
  }

  #onEvent(event: Event, leader: Leader, subscription: Subscription): void {
    if (event.type === Event_Type.SUBSCRIBED) return this.#subscribedWith(leader, subscription);
    if (event.type === Event_Type.ERROR) return this.#refused(event.error?.message ?? "");
    const shown = schedulerEvent(event);
    if (shown === undefined || (this.#caughtUp === undefined && this.events.push(shown))) return;
    if (this.#caughtUp === undefined) {
      this.#overflow();
      // Later, so that what came in the same message is looked at, too.
      queueMicrotask(() => subscription.cancel(`${this.#options.maxQueuedEvents} events waited to be read`));
    }
    if (isToldOnce(shown) && this.#mayKeep()) this.events.deliver(shown);
  }

  #subscribedWith(leader: Leader, subscription: Subscription): void {
    const resumed = this.#lastLeader !== undefined;
    this.#subscription = subscription;
    this.#servedBy(leader);
    this.events.deliver({ type: "subscribed", frameworkId: this.frameworkId, leader, resumed });
    this.#subscribedAt = this.#options.clock.now();
    this.#calls.open(subscription, leader.epoch);
    this.#first.resolve();
  }

  #servedBy(leader: Leader): void {
    const from = this.#lastLeader;
    this.#leader = this.#lastLeader = leader;
    if (from !== undefined && compareEpochs(from.epoch, leader.epoch) !== 0) {
      this.events.deliver({ type: "leaderChanged", from, to: leader });
    }
  }

  #refused(message: string): void {
    const error = subscriptionError(message);
    const teardowns = this.#pending.values().filter((call) => call.kind === "TEARDOWN");
    if (!(error instanceof FrameworkRemovedError) || teardowns.length === 0) return this.end(error);
    // Its answer was lost with a leader, and this is what it did.
    for (const call of teardowns) call.settle();
    this.end();
  }

  #lost(leader: Leader, { reason, broke }: Ending): void {
    this.#subscription = undefined;
    this.#leader = undefined;
    this.#calls.close(broke ? reason : undefined);
    this.events.drop((event) => event.type === "offers");
    if (this.events.size + this.#offers.size >= this.#options.maxQueuedEvents) this.#overflow();
    const offerIds = [...this.#offers.keys()];
    this.#offers.clear();
    if (offerIds.length > 0) this.events.deliver({ type: "rescinded", offerIds, cause: "leader" });
    this.events.deliver({ type: "disconnected", leader, reason });
  }

  /**
   * What is said again is dropped: agents repeat updates that are not acknowledged, and offers come anew. That offers went
   * with an earlier stream is not said again; there is no more of that than the reader has taken offers.
   */
  #overflow(): void {
    const keep = this.#mayKeep();
    this.events.drop((event) => !(event.type === "rescinded" && event.cause === "leader") && !(keep && isToldOnce(event)));
    this.#caughtUp ??= Promise.withResolvers();
  }

  /** What is told once is kept beyond the bound, but not without one. */
  #mayKeep(): boolean {
    return this.events.size < 2 * this.#options.maxQueuedEvents;
  }

  #handOut(event: SchedulerEvent): void {
    if (event.type === "offers") {
      for (const offer of event.offers) this.#offers.set(offer.id?.value ?? "", offer.agentId?.value ?? "");
    } else if (event.type === "rescinded") for (const id of event.offerIds) this.#offers.delete(id);
  }

  #encode(number: number, { kind, body }: SchedulerCall, traceparent = ""): Uint8Array {
    const call = { ...body, frameworkId: { value: this.frameworkId }, type: Call_Type[kind] };
    return NumberedCall.encode({ number, call, traceparent }).finish();
  }

  #timedOut(kind: string, ms: number): MesarchError {
    if (this.#leader === undefined) return this.#tracker.noLeader(ms);
    return new MesarchError("timed_out", `${kind}: ${this.#leader.address} did not answer within ${ms} ms`, {
      remedy: "Whether it took effect is not known: reconcile, then decide.",
    });
  }
}

function newPauses(random: Random): Generator<number, never, void> {
  return backoff({ baseMs: 10, maxMs: 100, minMs: 5, random: () => random.uniform() });
}
