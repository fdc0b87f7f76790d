import { setTimeout as delay } from "node:timers/promises";

const LOOK_MS = 25;

/**
 * For what nobody announces (files, processes, answers): asks again until the answer is neither undefined nor false, and
 * resolves with it. Rejects, with the reason given, when that takes too long. A failed question counts as no answer yet.
 */
export async function eventually<T>(reason: string, ask: () => T | Promise<T>, timeoutMs = 30_000): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${reason}`, { cause: failure });
    await delay(LOOK_MS);
  }
}
