/** What an operator asks and orders. Follows the leader by itself; a question waits for one until its time is up. */
import { Metadata, status, type ChannelCredentials, type ServiceError } from "@grpc/grpc-js";
import { anySignal, onAbort, withDeadline } from "../async/abort.ts";
import { backoff } from "../async/backoff.ts";
import { systemClock, type Clock } from "../async/clock.ts";
import { NO_EPOCH, type Epoch } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import { AgentOperatorServiceClient } from "../wire/gen/mesarch/v1/agent_operator.ts";
import {
  OperatorServiceClient,
  type AgentView,
  type FrameworkView,
  type MasterView,
  type OperatorRequest,
  type OperatorResponse,
  type RegistryRow,
  type Status,
  type TaskView,
} from "../wire/gen/mesarch/v1/operator.ts";
import type { LeaderRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { Channels, traceMetadata } from "./channels.ts";
import { grpcError } from "./errors.ts";
import { GrpcTransport } from "./grpc-transport.ts";
import { LeaderTracker, type Leader } from "./leader.ts";
import { readLog, type LogOptions, type LogPart } from "./logs.ts";
import { watchEvents, type EventOptions, type OperatorNews } from "./operator-events.ts";
import type { CallOptions } from "./pending-calls.ts";

export interface OperatorOptions {
  /** Comma list or array of `host:port`; the port is 6050 unless named. */
  readonly masters: string | readonly string[];
  /** Longest wait for an answer unless a call says otherwise, failovers included, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** Default: plain TCP. */
  readonly credentials?: ChannelCredentials | undefined;
  /** For tests. */
  readonly clock?: Clock;
}

export interface ReadOptions extends CallOptions {
  /** Any master may answer from what it has folded so far, so that there is an answer without a leader. Default false. */
  readonly allowStale?: boolean;
}

export interface TaskFilter {
  readonly frameworkId?: string;
  readonly agentId?: string;
  /** Also finished tasks, from history. Default false. */
  readonly finished?: boolean;
  /** At most this many, newest first. Default 1,000. */
  readonly limit?: number;
}

/** Two leaders, one after the other. */
export interface Succession {
  readonly from: Leader;
  readonly to: Leader;
}

export type Request = NonNullable<OperatorRequest["call"]>;
type Answer = NonNullable<OperatorResponse["answer"]>;
type AnswerCase = Answer["$case"];
type AnswerValue<C extends AnswerCase> = Extract<Answer, { $case: C }>["value"];

/** An unanswered question is asked elsewhere after this long: a frozen leader does not close its sockets. */
const ATTEMPT_MS = 5_000;
/** What gRPC says of an order that cannot have gone out. */
const NEVER_CONNECTED = /No connection established|Name resolution failed/;

/**
 *     using operator = new OperatorClient({ masters: "10.0.0.1,10.0.0.2,10.0.0.3" });
 *     console.log((await operator.status()).leader);
 *
 * Calls reject with `MesarchError`: "no_leader", "not_found", "invalid", "refused", "conflict", "timed_out" (an order may
 * still take effect), or with the reason of the caller's signal.
 */
export class OperatorClient implements Disposable {
  readonly #masters: Channels;
  readonly #tracker: LeaderTracker;
  /** Apart from those to masters, as they are closed when nobody reads logs there. */
  readonly #agents: Channels;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  #turn = 0;

  constructor(options: OperatorOptions) {
    this.#masters = new Channels(options.credentials);
    this.#tracker = new LeaderTracker(options, { transport: new GrpcTransport(this.#masters) });
    this.#agents = new Channels(options.credentials);
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#clock = options.clock ?? systemClock;
  }

  /** The leader as far as known now. */
  get leader(): Leader | undefined {
    return this.#tracker.leader;
  }

  /** Resolves with the leader, once there is one newer than `after`. */
  async nextLeader(after: Epoch = NO_EPOCH, options: CallOptions = {}): Promise<Leader> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    using deadline = withDeadline(options.signal, timeoutMs, this.#clock);
    // Awaited here: the deadline ends with this function.
    return await this.#tracker.next(after, deadline.signal).catch((error: unknown) => {
      throw options.signal?.aborted ? error : this.#tracker.noLeader(timeoutMs);
    });
  }

  async status(options: ReadOptions = {}): Promise<Status> {
    return this.#ask({ $case: "getStatus", value: {} }, "status", options);
  }

  async masters(options: ReadOptions = {}): Promise<MasterView[]> {
    return (await this.#ask({ $case: "listMasters", value: {} }, "masters", options)).masters;
  }

  async agents(options: ReadOptions = {}): Promise<AgentView[]> {
    return pages(async (after) => {
      const { agents, next } = await this.#ask({ $case: "listAgents", value: { after } }, "agents", options);
      return { rows: agents, next };
    });
  }

  async frameworks(options: ReadOptions = {}): Promise<FrameworkView[]> {
    return pages(async (after) => {
      const { frameworks, next } = await this.#ask({ $case: "listFrameworks", value: { after } }, "frameworks", options);
      return { rows: frameworks, next };
    });
  }

  /** `truncated` says that more matched than are listed: beyond the limit, or beyond what one answer holds. */
  async tasks(filter: TaskFilter = {}, options: ReadOptions = {}): Promise<{ tasks: TaskView[]; truncated: boolean }> {
    const { frameworkId = "", agentId = "", finished = false, limit = 0 } = filter;
    return this.#ask({ $case: "listTasks", value: { frameworkId, agentId, finished, limit } }, "tasks", options);
  }

  /** By task id or launch id, or a unique prefix of either. Rejects with "not_found". */
  async task(id: string, options: ReadOptions = {}): Promise<TaskView> {
    const [task] = (await this.#ask({ $case: "getTask", value: { id } }, "tasks", options)).tasks;
    if (task === undefined) throw new MesarchError("not_found", `there is no task "${id}"`);
    return task;
  }

  /** Orders the end of a task; resolves when the order is durable, with what the master says. */
  async killTask(id: string, options: CallOptions & { readonly graceMs?: number } = {}): Promise<string> {
    return this.#order({ $case: "killTask", value: { id, graceMs: options.graceMs } }, options);
  }

  /** Newest first; at most `limit`, default 20. */
  async leaderHistory(options: ReadOptions & { readonly limit?: number } = {}): Promise<LeaderRecord[]> {
    const request: Request = { $case: "getLeaderHistory", value: { limit: options.limit ?? 0 } };
    return (await this.#ask(request, "leaderHistory", options)).leaders;
  }

  /** Hands leadership to a standby; resolves with the new leader. Never asked twice: that would hand over twice. */
  async stepDown(options: CallOptions = {}): Promise<Succession> {
    return this.#succession({ $case: "stepDown", value: {} }, options);
  }

  /**
   * For drills: the leader's process ends by SIGKILL; resolves with the next leader. Rejects with "refused" where masters
   * run without `--allow-drills`. Never asked twice.
   */
  async crashLeader(options: CallOptions = {}): Promise<Succession> {
    return this.#succession({ $case: "crashLeader", value: {} }, options);
  }

  /** For drills: the same with SIGSTOP; after five seconds the process goes on, as a standby. */
  async hangLeader(options: CallOptions = {}): Promise<Succession> {
    return this.#succession({ $case: "hangLeader", value: {} }, options);
  }

  /**
   * For drills: an agent's process ends by SIGKILL; its tasks go on. Resolves when it is gone. Rejects with "refused" where
   * it runs without `--allow-drills`. `address`: of its door, as in its record.
   */
  async crashAgent(address: string, options: CallOptions = {}): Promise<void> {
    using agent = this.#agents.borrow(AgentOperatorServiceClient, address);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const deadline = Date.now() + (options.timeoutMs ?? this.#timeoutMs);
    const call = agent.client.crash({}, new Metadata(), { deadline }, (error: ServiceError | null) => {
      // It cannot answer: a connection that breaks after the order went out is how it ends.
      if (error === null || (error.code === status.UNAVAILABLE && !NEVER_CONNECTED.test(error.details))) return resolve();
      reject(grpcError(error, `crash at agent ${address}`));
    });
    const stopListening = onAbort(options.signal, () => call.cancel());
    await promise.finally(stopListening);
  }

  /** The registry's rows, page by page. `kinds`: letters of row kinds, default all. */
  async *registry(options: ReadOptions & { readonly kinds?: readonly string[] } = {}): AsyncGenerator<RegistryRow> {
    let after = "";
    do {
      const value = { kinds: [...(options.kinds ?? [])], after, limit: 0 };
      const page = await this.#ask({ $case: "dumpRegistry", value }, "registry", options);
      yield* page.rows;
      after = page.next;
    } while (after !== "");
  }

  /** Declares an agent gone for good: its tasks count as ended, and it may never come back. */
  async markAgentGone(agentId: string, options: CallOptions = {}): Promise<string> {
    return this.#order({ $case: "markAgentGone", value: { agentId } }, options);
  }

  /** Removes a framework and ends its tasks. */
  async teardownFramework(frameworkId: string, options: CallOptions = {}): Promise<string> {
    return this.#order({ $case: "teardownFramework", value: { frameworkId } }, options);
  }

  /** Share of a role against others; 1 unless set. */
  async setWeight(role: string, weight: number, options: CallOptions = {}): Promise<string> {
    return this.#order({ $case: "setWeight", value: { role, weight } }, options);
  }

  /** An agent that is not active gets no more tasks; those it has go on. */
  async setAgentActive(agentId: string, active: boolean, options: CallOptions = {}): Promise<string> {
    return this.#order({ $case: "setAgentActive", value: { agentId, active } }, options);
  }

  /** Changes as they commit, without end, across leaders; after each break the present state is told again. */
  events(options: EventOptions = {}): AsyncGenerator<OperatorNews, undefined> {
    return watchEvents(this.#tracker, this.#masters, options);
  }

  /** A task's output, from its agent. Goes on where it was when the agent comes back. Ends when all is read. */
  logs(id: string, options: LogOptions = {}): AsyncGenerator<LogPart, undefined> {
    return readLog({
      find: () => this.task(id, { signal: options.signal }),
      agents: this.#agents,
      clock: this.#clock,
      timeoutMs: options.timeoutMs ?? this.#timeoutMs,
      options,
    });
  }

  /** Any request, with the envelope of its answer: the epoch and revision it is true for. */
  async call(request: Request, options: ReadOptions = {}): Promise<OperatorResponse> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    using deadline = withDeadline(options.signal, timeoutMs, this.#clock);
    const { signal } = deadline;
    const pauses = backoff({ baseMs: 20, maxMs: 200, minMs: 10, random: Math.random });
    let last: unknown;
    try {
      for (;;) {
        const address = options.allowStale ? this.#anyMaster() : (await this.#tracker.next(NO_EPOCH, signal)).address;
        const epoch = this.#tracker.leader?.epoch ?? NO_EPOCH;
        try {
          return await this.#call(address, request, { ...options, timeoutMs: ATTEMPT_MS, signal });
        } catch (error) {
          last = error;
          if (signal.aborted || !isWorthRepeating(error)) throw error;
        }
        await this.#tracker.pause(pauses.next().value, epoch, signal);
      }
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (!signal.aborted) throw error;
      const { leader } = this.#tracker;
      if (leader === undefined || last === undefined) throw this.#tracker.noLeader(timeoutMs);
      throw new MesarchError("timed_out", `${request.$case}: ${leader.address} did not answer within ${timeoutMs} ms`, {
        cause: last === signal.reason ? undefined : last,
      });
    }
  }

  [Symbol.dispose](): void {
    this.#tracker[Symbol.dispose]();
    this.#agents[Symbol.dispose]();
  }

  async #ask<C extends AnswerCase>(request: Request, expected: C, options: ReadOptions): Promise<AnswerValue<C>> {
    const { answer } = await this.call(request, options);
    if (answer?.$case === expected) return answer.value as AnswerValue<C>;
    throw new MesarchError("internal", `${request.$case} was answered with ${answer?.$case ?? "nothing"}`, {
      remedy: "Use a client of the cluster's version.",
    });
  }

  /** An order that ends a leadership. The leader may be gone before its answer is out: the successor is the answer. */
  async #succession(order: Request, options: CallOptions): Promise<Succession> {
    const from = await this.nextLeader(NO_EPOCH, options);
    const over = new AbortController();
    using either = anySignal([options.signal, over.signal]);
    const told = this.#call(from.address, order, { ...options, signal: either.signal }).then(
      () => {},
      (error: unknown) => {
        if (!(error instanceof MesarchError) || !["unavailable", "cancelled", "timed_out"].includes(error.code)) throw error;
      },
    );
    const next = this.nextLeader(from.epoch, { ...options, signal: either.signal });
    try {
      // Whichever comes first: a refusal, or a successor of one that does not answer any more.
      await Promise.race([next, told]);
      return { from, to: await next };
    } finally {
      over.abort();
      await Promise.allSettled([next, told]);
    }
  }

  async #order(request: Request, options: CallOptions): Promise<string> {
    return (await this.#ask(request, "done", options)).message;
  }

  /** The leader if there is one, else each master in turn. */
  #anyMaster(): string {
    const { leader, addresses } = this.#tracker;
    return leader !== undefined && this.#turn === 0 ? leader.address : addresses[this.#turn++ % addresses.length]!;
  }

  #call(address: string, request: Request, options: ReadOptions): Promise<OperatorResponse> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    const client = this.#masters.client(OperatorServiceClient, address);
    const message: OperatorRequest = { allowStale: options.allowStale ?? false, call: request };
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const call = client.call(
        message,
        traceMetadata(options.traceparent),
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, response: OperatorResponse) => {
          stopListening();
          if (error === null) return resolve(response);
          const [leader] = error.metadata?.get("mesarch-leader") ?? [];
          if (leader !== undefined) this.#tracker.learn(String(leader));
          reject(signal?.aborted ? signal.reason : grpcError(error, `${request.$case} at ${address}`));
        },
      );
      const stopListening = onAbort(signal, () => call.cancel());
    });
  }
}

/** All rows, page by page. */
async function pages<T>(ask: (after: string | undefined) => Promise<{ rows: T[]; next: string | undefined }>): Promise<T[]> {
  const all: T[][] = [];
  let after: string | undefined;
  do {
    const { rows, next } = await ask(after);
    all.push(rows);
    after = next;
  } while (after !== undefined);
  return all.flat();
}

/** Orders are idempotent, all but step-down, which does not come here. */
function isWorthRepeating(error: unknown): boolean {
  const { cause } = error as { cause?: ServiceError };
  return cause?.code === status.UNAVAILABLE || cause?.code === status.DEADLINE_EXCEEDED || cause?.code === status.CANCELLED;
}
