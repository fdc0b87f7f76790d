/**
 * A framework's session with the cluster. It follows the leader by itself: across a failover it subscribes again, repeats
 * what had no answer, and reports what became of the offers.
 */
import { onAbort } from "../async/abort.ts";
import { systemClock, type Clock } from "../async/clock.ts";
import { systemRandom } from "../async/system-random.ts";
import { MesarchError } from "../base/errors.ts";
import type { Offer, Offer_Operation, TaskInfo, TaskStatus } from "../wire/gen/mesos/v1/mesos.ts";
import type { ChannelCredentials } from "@grpc/grpc-js";
import * as calls from "./calls.ts";
import { Channels } from "./channels.ts";
import { SchedulerConnection } from "./connection.ts";
import type { SchedulerEvent } from "./events.ts";
import type { FrameworkOptions } from "./framework.ts";
import { GrpcTransport } from "./grpc-transport.ts";
import type { Leader } from "./leader.ts";
import type { CallOptions } from "./pending-calls.ts";
import type { Outside } from "./transport.ts";

export interface SchedulerOptions {
  /** Comma list or array of `host:port`; the port is 6050 unless named. */
  readonly masters: string | readonly string[];
  readonly framework: FrameworkOptions;
  /** Ends the session like `close` when it fires. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Acknowledge each update when the loop over `events` asks for the next event, so that one whose handling failed comes
   * again. Leaving the loop, by an error or by `break`, acknowledges nothing: before a `break` call `acknowledge`, or the
   * update comes once more. Default false: always call it.
   */
  readonly autoAcknowledge?: boolean;
  /** Longest wait for the first subscription, in milliseconds. Default 30,000. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for the answer to a call unless it says otherwise, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Events that may wait for the loop; beyond it those that come again are dropped, and the session starts over. Default
   * 50,000.
   */
  readonly maxQueuedEvents?: number;
  /** Calls that may wait for their answers. Default 20,000. */
  readonly maxPendingCalls?: number;
  /** Their bytes. Default 64 MiB. */
  readonly maxPendingBytes?: number;
  /** Default: plain TCP. */
  readonly credentials?: ChannelCredentials | undefined;
  /** For tests. */
  readonly clock?: Clock;
}

/**
 * Subscribes a framework. Resolves when a leader has accepted it.
 *
 *     await using session = await connectScheduler({ masters: "127.0.0.1:6050", framework: { name: "hello" } });
 *     for await (const event of session.events) {
 *       if (event.type === "offers") await session.launch(event.offers[0], [commandTask({ command: "date" })]);
 *     }
 *
 * Rejects with `MesarchError` "no_leader" after `connectTimeoutMs`, "refused" when the master does not want this
 * framework (`FrameworkRemovedError` when its id was torn down), or with the signal's reason.
 */
export async function connectScheduler(options: SchedulerOptions): Promise<SchedulerSession> {
  options.signal?.throwIfAborted();
  return openSession(options, { transport: new GrpcTransport(new Channels(options.credentials)), random: systemRandom });
}

/** @internal The same over any transport, which ends with the session. */
export async function openSession(options: SchedulerOptions, outside: Outside): Promise<SchedulerSession> {
  const clock = options.clock ?? systemClock;
  const timeoutMs = options.timeoutMs ?? 30_000;
  const connection = new SchedulerConnection({
    masters: options.masters,
    framework: options.framework,
    autoAcknowledge: options.autoAcknowledge ?? false,
    timeoutMs,
    maxQueuedEvents: options.maxQueuedEvents ?? 50_000,
    maxPendingCalls: options.maxPendingCalls ?? 20_000,
    maxPendingBytes: options.maxPendingBytes ?? 64 * 1024 * 1024,
    clock,
    ...outside,
  });
  const session = new SchedulerSession(connection, options.signal);
  try {
    await connection.subscribed(options.connectTimeoutMs ?? 30_000, options.signal);
    return session;
  } catch (error) {
    await session.close({ timeoutMs: 0 });
    throw error;
  }
}

/** Offers are named by themselves or by their ids. */
export type OfferLike = Offer | string;

/**
 * Made by `connectScheduler`. Every call resolves when the master has it durably, and rejects with `MesarchError`:
 * "invalid" or "refused" for a call the master will not take, "internal" when it failed in the master (outcome unknown),
 * "timed_out" (outcome unknown), "exhausted" when too many wait, "cancelled" after `close`. A failover is not an error:
 * the call waits for the next leader. Calls take effect in the order in which they were made: one that a master cannot take
 * now holds those behind it until its time is up, but neither acknowledgements nor kills of other tasks.
 */
export class SchedulerSession implements AsyncDisposable {
  readonly #connection: SchedulerConnection;
  readonly #release: () => void;

  /** @internal */
  constructor(connection: SchedulerConnection, signal?: AbortSignal) {
    this.#connection = connection;
    this.#release = onAbort(signal, () => connection.end(signal!.reason));
  }

  /** Keep it to resume after a restart of this program. */
  get frameworkId(): string {
    return this.#connection.frameworkId;
  }

  /** Whom the session is subscribed with; undefined during a failover. */
  get leader(): Leader | undefined {
    return this.#connection.leader;
  }

  /**
   * What happens, in order, for one loop. Ends after `close` and `teardown`; throws `FrameworkFailedOverError` when
   * another process took the framework over, `FrameworkRemovedError` when it was removed.
   */
  get events(): AsyncIterable<SchedulerEvent> {
    return this.#connection.events;
  }

  /**
   * Launches tasks on the offers of one agent. What is left over is declined. `agentId` is filled in from the offer.
   *
   *     await session.launch(offer, [commandTask({ name: "web", command: "./serve", cpus: 1, mem: 256 })]);
   *
   * How each task fares is told by `update` events: also when its offer was gone (TASK_DROPPED) or it was invalid. Rejects
   * with "invalid" when one call cannot hold that many, or that large tasks (about 7,000 small ones, or 16 MiB); the offer
   * can still be used.
   */
  launch(
    offers: OfferLike | readonly OfferLike[],
    tasks: readonly TaskInfo[],
    options: CallOptions & calls.FilterOptions = {},
  ): Promise<void> {
    const ids = offerIds(offers);
    const given = (Array.isArray(offers) ? offers : [offers]).find((offer) => typeof offer !== "string") as Offer | undefined;
    const agentId = given?.agentId?.value ?? this.#connection.agentOfOffer(ids[0] ?? "");
    const placed = tasks.map((task) =>
      task.agentId !== undefined || agentId === undefined ? task : { ...task, agentId: { value: agentId } },
    );
    return this.accept(ids, [calls.launchOperation(placed)], options);
  }

  /** Accepts offers of one agent for operations of any kind, done in order. */
  accept(
    offers: OfferLike | readonly OfferLike[],
    operations: readonly Offer_Operation[],
    options: CallOptions & calls.FilterOptions = {},
  ): Promise<void> {
    return this.#connection.call(calls.acceptCall(offerIds(offers), operations, options), options);
  }

  decline(offers: OfferLike | readonly OfferLike[], options: CallOptions & calls.FilterOptions = {}): Promise<void> {
    return this.#connection.call(calls.declineCall(offerIds(offers), options), options);
  }

  /** Ends a task: TERM, and KILL after the grace. The order survives failovers until the task has ended. */
  kill(taskId: string, options: CallOptions & { readonly agentId?: string; readonly graceMs?: number } = {}): Promise<void> {
    return this.#connection.call(calls.killCall(taskId, options.agentId, options.graceMs), options);
  }

  /** Confirms an update, so that it is not sent again. Does nothing for one without a uuid. */
  acknowledge(status: TaskStatus, options: CallOptions = {}): Promise<void> {
    return this.#connection.acknowledge(status, options);
  }

  /** Asks for the states of these tasks, or of all when none are named; they come as `update` events without uuid. */
  reconcile(tasks: readonly calls.TaskReference[] = [], options: CallOptions = {}): Promise<void> {
    return this.#connection.call(calls.reconcileCall(tasks), options);
  }

  /** Asks for offers again: ends filters and suppression of these roles, or of all when none are named. */
  revive(roles: readonly string[] = [], options: CallOptions = {}): Promise<void> {
    this.#connection.setSuppressed(roles, false);
    return this.#connection.call(calls.reviveCall(roles), options);
  }

  /** Asks for no more offers for these roles, or for all when none are named. Holds across failovers. */
  suppress(roles: readonly string[] = [], options: CallOptions = {}): Promise<void> {
    this.#connection.setSuppressed(roles, true);
    return this.#connection.call(calls.suppressCall(roles), options);
  }

  /** Sends bytes to an executor. Best effort: it may be lost, also after this resolved, and is never repeated. */
  message(agentId: string, executorId: string, data: Uint8Array, options: CallOptions = {}): Promise<void> {
    return this.#connection.call(calls.messageCall(agentId, executorId, data), options);
  }

  /** Ends an executor and its tasks. */
  shutdownExecutor(agentId: string, executorId: string, options: CallOptions = {}): Promise<void> {
    return this.#connection.call(calls.shutdownCall(agentId, executorId), options);
  }

  /** Removes the framework for good and ends its tasks. The session is over once this resolves. */
  async teardown(options: CallOptions = {}): Promise<void> {
    await this.#connection.call(calls.teardownCall(), options);
    await this.close({ timeoutMs: 0 });
  }

  /**
   * Ends the session; the tasks go on, for as long as the framework's failover timeout. Calls under way are waited for,
   * at most `timeoutMs` (default 1,000); those without an answer then reject with "cancelled".
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#release();
    await this.#connection.settled(options.timeoutMs ?? 1_000);
    this.#connection.end();
    await this.#connection.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function offerIds(offers: OfferLike | readonly OfferLike[]): string[] {
  const list = (Array.isArray(offers) ? offers : [offers]) as readonly OfferLike[];
  const ids = list.map((offer) => (typeof offer === "string" ? offer : (offer.id?.value ?? "")));
  if (ids.includes("")) throw new MesarchError("invalid", "an offer has no id");
  return ids;
}
