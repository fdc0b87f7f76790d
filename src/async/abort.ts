/**
 * Waiting that can be given up. A signal made here lets go of its parents and its timer when it is disposed, so a
 * long-lived parent does not gather a listener per request.
 */

import { systemClock, type Clock } from "./clock.ts";

/**
 * Calls `act` when the signal fires, and at once if it has fired already: an aborted signal tells late listeners
 * nothing. Returns what ends the listening. Undefined never fires.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted) {
    act();
    return () => {};
  }
  signal?.addEventListener("abort", act, { once: true });
  return () => signal?.removeEventListener("abort", act);
}

/** Throws the signal's reason when it has already fired. Otherwise resolves after `ms`, or rejects with the reason. */
export function delay(ms: number, signal?: AbortSignal, clock: Clock = systemClock): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) {
    reject(signal.reason);
    return promise;
  }
  const cancel = clock.after(ms, () => {
    stopListening();
    resolve();
  });
  const stopListening = onAbort(signal, () => {
    cancel();
    reject(signal!.reason);
  });
  return promise;
}

/** A signal with a lifetime: `using scope = withDeadline(...)`. After disposal it never fires. */
export interface ScopedSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** Fires when the first of `signals` does, with its reason. Undefined members are skipped. */
export function anySignal(signals: readonly (AbortSignal | undefined)[]): ScopedSignal {
  const controller = new AbortController();
  const present = signals.filter((signal) => signal !== undefined);
  const dispose = (): void => {
    for (const signal of present) signal.removeEventListener("abort", fire);
  };
  const fire = (event: Event): void => {
    dispose();
    controller.abort((event.target as AbortSignal).reason);
  };
  const fired = present.find((signal) => signal.aborted);
  if (fired !== undefined) controller.abort(fired.reason);
  else for (const signal of present) signal.addEventListener("abort", fire, { once: true });
  return { signal: controller.signal, [Symbol.dispose]: dispose };
}

/** Fires with `signal`'s reason, or with a `TimeoutError` after `ms`, whichever comes first. */
export function withDeadline(
  signal: AbortSignal | undefined,
  ms: number,
  clock: Clock = systemClock,
): ScopedSignal {
  const timeout = new AbortController();
  const cancel = clock.after(ms, () => {
    timeout.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
  });
  const either = anySignal([signal, timeout.signal]);
  onAbort(either.signal, cancel);
  return {
    signal: either.signal,
    [Symbol.dispose]: () => {
      cancel();
      either[Symbol.dispose]();
    },
  };
}
