/**
 * The calls of a session that have no answer yet, in the order they were made. They outlive the stream they were sent on:
 * what is unanswered when it breaks is sent again to the next leader.
 */
import { onAbort } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import { MesarchError } from "../base/errors.ts";

export interface CallOptions {
  /** Gives the call up; the promise rejects with the signal's reason. It may still take effect. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for the answer, failovers included, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** W3C traceparent of the span this call belongs to. */
  readonly traceparent?: string | undefined;
}

export interface PendingCall {
  readonly number: number;
  /** For messages: "ACCEPT". */
  readonly kind: string;
  /** The encoded NumberedCall. */
  readonly bytes: Uint8Array;
  /** False: when the outcome is unknown it counts as done, since repeating it would do it twice. */
  readonly repeatable: boolean;
  /** It may overtake others, and they it. */
  readonly independent: boolean;
  /** Ids of the tasks that it launches. */
  readonly launches: readonly string[];
  /** It has been written to a stream, so its outcome may be unknown. */
  sent: boolean;
  /** Answers 503 so far. */
  refusals: number;
  /** Cancels the pause after a 503 to an independent call. */
  cancelPause: (() => void) | undefined;
  readonly settle: (error?: unknown) => void;
}

export interface PendingCallsOptions {
  readonly clock: Clock;
  /** Calls that may be unanswered. */
  readonly maxCalls: number;
  /** Bytes that may be unanswered. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** The error for a call that timed out after this many milliseconds. */
  readonly onTimeout: (kind: string, ms: number) => MesarchError;
  /** Called when a call has its outcome, or is given up. */
  readonly onSettled: (call: PendingCall) => void;
}

export class PendingCalls {
  readonly #options: PendingCallsOptions;
  readonly #calls = new Map<number, PendingCall>();
  #bytes = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Those waiting, oldest first. */
  values(): PendingCall[] {
    return [...this.#calls.values()];
  }

  get(number: number): PendingCall | undefined {
    return this.#calls.get(number);
  }

  /** Adds a call and hands it to `send`, unless it is refused; the promise settles with its outcome. */
  add(
    call: Pick<PendingCall, "number" | "kind" | "bytes" | "repeatable" | "independent" | "launches">,
    options: CallOptions,
    send: (call: PendingCall) => void,
  ): Promise<void> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { maxCalls, maxBytes, clock } = this.#options;
    if (this.#calls.size >= maxCalls || this.#bytes + call.bytes.length > maxBytes) {
      return Promise.reject(
        new MesarchError("exhausted", `${call.kind}: ${this.#calls.size} calls (${this.#bytes} bytes) wait for an answer`, {
          remedy: "Await calls before making more, or raise maxPendingCalls and maxPendingBytes.",
        }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const cancelTimeout = clock.after(timeoutMs, () => pending.settle(this.#options.onTimeout(call.kind, timeoutMs)));
    const pending: PendingCall = {
      ...call,
      sent: false,
      refusals: 0,
      cancelPause: undefined,
      settle: (error) => {
        if (!this.#calls.delete(call.number)) return;
        this.#bytes -= call.bytes.length;
        cancelTimeout();
        pending.cancelPause?.();
        stopListening();
        if (error === undefined) resolve();
        else reject(error);
        if (this.#calls.size === 0) this.#idle?.resolve();
        this.#options.onSettled(pending);
      },
    };
    const stopListening = onAbort(signal, () => pending.settle(signal!.reason));
    this.#calls.set(call.number, pending);
    this.#bytes += call.bytes.length;
    send(pending);
    return promise;
  }

  /** Resolves when no call waits, or when `signal` fires. */
  async idle(signal: AbortSignal): Promise<void> {
    if (this.#calls.size === 0) return;
    const idle = (this.#idle ??= Promise.withResolvers<void>());
    const stopListening = onAbort(signal, () => idle.resolve());
    await idle.promise;
    stopListening();
    this.#idle = undefined;
  }

  /** Settles every call with `error`. */
  failAll(error: unknown): void {
    for (const call of this.values()) call.settle(error);
  }
}
