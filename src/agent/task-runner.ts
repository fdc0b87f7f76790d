/**
 * Carries out what the machine wants done to runs, one thing at a time for each launch and in order, and tells it what
 * came of it. What cannot be done now is tried again: only a start may fail, since only then nothing has happened.
 */
import { backoff } from "../async/backoff.ts";
import { delay } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import { Fifo } from "../async/fifo.ts";
import { toMesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Input } from "../core/agent/input.ts";
import type { Containers, RunSpec, RunState } from "../ports/containers.ts";

export interface TaskRunnerOptions {
  readonly containers: Containers;
  readonly deliver: (input: Input) => void;
  readonly onProblem: (launchId: string, what: string, error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Starts under way at a time: more would only make each of them slower. */
const MAX_STARTS = 32;
/** Runs looked at at a time: each takes a file descriptor. */
const MAX_INSPECTIONS = 64;

export class TaskRunner {
  readonly #options: TaskRunnerOptions;
  readonly #waitingStarts = new Fifo<() => void>();
  #starts = 0;
  /** The last thing asked for each launch that has not come to an end. */
  readonly #busy = new Map<string, Promise<void>>();

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
  }

  /** The state of every run that is, or that the journal speaks of. Rejects as the adapter does. */
  async inspectAll(journaled: Iterable<string>): Promise<Map<string, RunState>> {
    const { containers } = this.#options;
    const launchIds = new Set([...journaled, ...(await containers.list())]);
    const states = new Map<string, RunState>();
    const left = launchIds.values();
    const inspectOneByOne = async (): Promise<void> => {
      for (const launchId of left) states.set(launchId, await containers.inspect(launchId));
    };
    await Promise.all(Array.from({ length: MAX_INSPECTIONS }, inspectOneByOne));
    return states;
  }

  /** Tells of every change from now on, after the present state of each run. */
  watch(): void {
    this.#options.containers.watch((launchId, state) => this.#options.deliver({ kind: "runChanged", launchId, state }));
  }

  start(launchId: string, spec: RunSpec): void {
    const { containers, deliver } = this.#options;
    this.#enqueue(launchId, async () => {
      if (this.#starts >= MAX_STARTS) await new Promise<void>((resolve) => this.#waitingStarts.push(resolve));
      else this.#starts += 1;
      try {
        await containers.start(spec);
        deliver({ kind: "spawned", launchId });
      } catch (error) {
        deliver({ kind: "startFailed", launchId, reason: `Could not be started: ${toMesarchError(error).message}` });
      } finally {
        // Handed on rather than given back, so that nobody overtakes who waits.
        const next = this.#waitingStarts.shift();
        if (next === undefined) this.#starts -= 1;
        else next();
      }
    });
  }

  cancel(launchId: string): void {
    const { containers, deliver } = this.#options;
    this.#enqueue(launchId, async () => {
      const won = await this.#insist(launchId, "cancel", () => containers.cancel(launchId));
      deliver({ kind: "cancelled", launchId, won });
    });
  }

  kill(launchId: string, graceMs: number): void {
    const { containers } = this.#options;
    this.#enqueue(launchId, () => this.#insist(launchId, "kill", () => containers.kill(launchId, graceMs)));
  }

  /** Removes the run; `then` is called when it is gone. */
  remove(launchId: string, then: () => void): void {
    const { containers } = this.#options;
    this.#enqueue(launchId, async () => {
      await this.#insist(launchId, "remove", () => containers.remove(launchId));
      then();
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  #enqueue(launchId: string, work: () => Promise<void>): void {
    const before = this.#busy.get(launchId);
    const now = (before === undefined ? work() : before.then(work))
      // Only stopping ends up here.
      .catch((error: unknown) => void (this.#options.signal.aborted || this.#options.onProblem(launchId, "run", error)))
      .then(() => {
        if (this.#busy.get(launchId) === now) this.#busy.delete(launchId);
      });
    this.#busy.set(launchId, now);
  }

  async #insist<T>(launchId: string, what: string, attempt: () => Promise<T>): Promise<T> {
    const { clock, random, signal, onProblem } = this.#options;
    for (const pause of backoff({ baseMs: 200, maxMs: 10_000, minMs: 50, random: () => random.uniform() })) {
      try {
        return await attempt();
      } catch (error) {
        onProblem(launchId, what, error);
      }
      await delay(pause, signal, clock);
    }
    throw new Error("unreachable");
  }
}
