import type { CallOptions } from "@grpc/grpc-js";
import type { Etcd3 } from "etcd3";
import { setTimeout as delay } from "node:timers/promises";
import { onAbort } from "../async/abort.ts";
import { StoreError, StoreUnavailable } from "../ports/store-errors.ts";
import { ANSWER_MAX_MS, Endpoint, unary, type Leadership } from "./endpoint.ts";
import { storeError } from "./faults.ts";
import type { EtcdConfig } from "./options.ts";

export type Call<T> = (etcd: Etcd3, options: CallOptions) => Promise<T>;

export interface RepeatOptions {
  readonly signal: AbortSignal;
  /** Hears of each copy that got no definite answer. */
  readonly onAttempt?: (error: StoreError) => void;
  /** Gives up, with the last error, after this many milliseconds; never if not said. */
  readonly patienceMs?: number;
  /** Errors to repeat after; StoreUnavailable if not said. */
  readonly retry?: (error: StoreError) => boolean;
}

/** Pauses after each round in which every endpoint failed at once, in milliseconds. */
const BACKOFF_FIRST_MS = 25;
const BACKOFF_MAX_MS = 200;

/** The members of one etcd cluster, one of them preferred until it fails. */
export class EtcdClient {
  readonly config: EtcdConfig;
  readonly #endpoints: readonly Endpoint[];
  #preferred: Endpoint;
  /** The member that leads etcd and the term, as far as known. */
  #leader: Endpoint | undefined;
  #term = 0;
  #newLeader = new AbortController();
  #closed = false;

  constructor(config: EtcdConfig) {
    this.config = config;
    const onLeader = this.#onLeader.bind(this);
    this.#endpoints = config.endpoints.map((address) => new Endpoint(address, config, onLeader));
    this.#preferred = this.#endpoints[0]!;
  }

  /** Where the next call goes: the leading member while it is healthy, since others would only forward to it. */
  endpoint(): Endpoint {
    if (this.#leader?.healthy) this.#preferred = this.#leader;
    else if (!this.#preferred.healthy) this.#preferred = this.#after(this.#preferred);
    return this.#preferred;
  }

  /** Turns away from a member that failed a call or a stream; its next good pulse may bring it back. */
  avoid(endpoint: Endpoint, error: StoreUnavailable): void {
    if (this.#closed) return;
    this.config.onTrouble(error);
    endpoint.healthy = false;
    for (const each of this.#endpoints) each.hasten();
    if (this.#preferred === endpoint) this.#preferred = this.#after(endpoint);
  }

  /**
   * One copy of a request. Throws a StoreError; after StoreUnavailable the next call goes elsewhere. `onLate` hears the
   * answer of a copy that was not waited for any more.
   */
  async #copy<T>(operation: string, timeoutMs: number, call: Call<T>, onLate: (answer: T) => void): Promise<T> {
    const endpoint = this.endpoint();
    const answer = call(endpoint.etcd, unary(ANSWER_MAX_MS));
    try {
      return await abortable(within(answer, timeoutMs), this.#newLeader.signal);
    } catch (cause) {
      answer.then(onLate, () => {});
      const error = storeError(operation, endpoint.address, cause);
      if (cause instanceof NewLeader) throw error; // not the fault of this member
      if (error instanceof StoreUnavailable) this.avoid(endpoint, error);
      throw error;
    }
  }

  /**
   * Repeats a request, unchanged, until one of its copies has a definite answer, late or not: a store that takes longer
   * than the next copy waits is slow, not away. Only for requests of which all copies together do what one does. Throws a StoreError other than StoreUnavailable (unless out of patience), or the signal's reason.
   */
  async repeat<T>(operation: string, call: Call<T>, { signal, onAttempt, patienceMs, retry = isUnavailable }: RepeatOptions): Promise<T> {
    const timeouts = this.config.copyTimeoutsMs;
    const giveUpAt = patienceMs === undefined ? Infinity : performance.now() + patienceMs;
    let unanswered = 0;
    const late = Promise.withResolvers<T>();
    for (let copy = 0; ; copy += 1) {
      const startedAt = performance.now();
      const timeoutMs = timeouts[Math.min(unanswered, timeouts.length - 1)]!;
      try {
        return await abortable(Promise.race([this.#copy(operation, timeoutMs, call, late.resolve), late.promise]), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (this.#closed || !(error instanceof StoreError) || !retry(error)) throw error;
        onAttempt?.(error);
        if (error instanceof StoreUnavailable && error.inDoubt) unanswered += 1;
        if (performance.now() >= giveUpAt) throw error;
      }
      await this.pause(copy, startedAt, signal);
    }
  }

  /** Waits a little once every member was tried, unless the failed try took longer than that anyway. */
  async pause(failures: number, startedAt: number, signal: AbortSignal): Promise<void> {
    const round = Math.floor((failures + 1) / this.#endpoints.length);
    if (round === 0) return;
    const backoff = Math.min(BACKOFF_FIRST_MS * 2 ** (round - 1), BACKOFF_MAX_MS) - (performance.now() - startedAt);
    if (backoff > 0) await delay(backoff, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Ends all streams and lets calls in flight fail. */
  close(): void {
    this.#closed = true;
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  /** A copy that was on its way to the old leader is lost, and nobody says so: send the next one now. */
  #onLeader(endpoint: Endpoint, { term, own }: Leadership): void {
    if (term > this.#term) {
      const first = this.#term === 0;
      this.#term = term;
      this.#leader = undefined;
      if (!first) {
        this.#newLeader.abort(new NewLeader());
        this.#newLeader = new AbortController();
      }
    }
    if (own && term === this.#term) this.#leader = endpoint;
  }

  #after(endpoint: Endpoint): Endpoint {
    const at = this.#endpoints.indexOf(endpoint);
    const others = [...this.#endpoints.slice(at + 1), ...this.#endpoints.slice(0, at)];
    return others.find((each) => each.healthy) ?? others[0] ?? endpoint;
  }
}

class NewLeader extends Error {
  constructor() {
    super("etcd has a new leader, which may not have heard of this request");
  }
}

function isUnavailable(error: StoreError): boolean {
  return error instanceof StoreUnavailable;
}

/** The promise's outcome, if it comes in time. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise's outcome, or the signal's reason if that comes first; the work itself then ends by its own deadline. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(stopListening);
  });
}
