/**
 * A lifetime: what is started in a scope ends with it, in reverse order, whether it ends by request or by the first
 * failure. A process is a scope, and so is a leadership within it.
 *
 *     await using scope = new Scope("master");
 *     const server = await scope.start((signal) => Server.listen(options, signal));
 *     scope.run("lease", (signal) => renewForever(signal));
 *     await scope.done;
 */

import { assert } from "../base/assert.ts";
import { MesarchError } from "../base/errors.ts";

/** Something started once and disposed once. `done`, if there, rejects when it fails by itself. */
export interface Component extends AsyncDisposable {
  readonly done?: Promise<void>;
}

export interface ChildOptions {
  /** The child's failure ends only the child; the owner watches its `done`. Default false: it fails the parent too. */
  readonly isolated?: boolean;
}

type Cleanup = () => unknown;

export class Scope implements AsyncDisposable {
  readonly name: string;
  /** Fires when the scope begins to end; its reason is the first failure, or an `AbortError` after `stop`. */
  readonly signal: AbortSignal;
  /** Settles when everything in the scope has ended: rejects with the first failure, resolves after a clean `stop`. */
  readonly done: Promise<void>;
  readonly #controller = new AbortController();
  readonly #settle = Promise.withResolvers<void>();
  readonly #cleanups = new Set<Cleanup>();
  readonly #failures: unknown[] = [];
  #ended = false;

  /** `name` appears in messages. */
  constructor(name: string) {
    this.name = name;
    this.signal = this.#controller.signal;
    this.done = this.#settle.promise;
    // A failure is also seen by the parent and in `failures`; one that nobody awaits must not end the process twice.
    this.done.catch(() => {});
  }

  /** Every failure, cleanup included, in order; the first is what `done` rejects with. */
  get failures(): readonly unknown[] {
    return this.#failures;
  }

  /**
   * Runs `cleanup` when the scope ends; returns what takes it back. Cleanups run one after the other, last added first;
   * one that throws does not stop the rest. One added while the scope ends still runs before `done` settles.
   */
  defer(cleanup: Cleanup): () => void {
    this.#assertOpen();
    const entry: Cleanup = () => cleanup();
    this.#cleanups.add(entry);
    return () => void this.#cleanups.delete(entry);
  }

  /** Starts a component that ends with the scope, and fails the scope if it fails. Its start is abandoned on the signal. */
  async start<C extends Component>(factory: (signal: AbortSignal) => C | Promise<C>): Promise<C> {
    this.signal.throwIfAborted();
    const starting = Promise.resolve(factory(this.signal));
    // Registered before it has started, so that a scope ending meanwhile waits for it and disposes of it.
    const forget = this.defer(async () => (await starting.catch(() => undefined))?.[Symbol.asyncDispose]());
    try {
      const component = await starting;
      component.done?.catch((error: unknown) => this.fail(error));
      this.signal.throwIfAborted();
      return component;
    } catch (error) {
      if (!this.signal.aborted) forget();
      throw error;
    }
  }

  /** Runs a task until the scope ends. If it throws, the scope fails; if it returns, it is forgotten. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    this.#assertOpen();
    const running = (async () => task(this.signal))().then(
      () => forget(),
      (error: unknown) => this.fail(error),
    );
    const forget = this.defer(() => running);
  }

  /** A scope inside this one. It ends at the latest with its parent, and is forgotten when it ends earlier. */
  child(name: string, options: ChildOptions = {}): Scope {
    const child = new Scope(`${this.name}/${name}`);
    const forget = this.defer(() => child.stop());
    child.done.then(forget, (error: unknown) => {
      forget();
      if (options.isolated !== true) this.fail(error);
    });
    return child;
  }

  /**
   * Ends the scope because of `error`. Once it is ending, further failures are only recorded, and cancellations are
   * ignored: what is interrupted throws the signal's reason, in one form or another.
   */
  fail(error: unknown): void {
    if (this.signal.aborted && (error === this.signal.reason || isCancellation(error))) return;
    this.#failures.push(error);
    void this.#end(error);
  }

  /**
   * Ends the scope and waits until all of it has ended. Never rejects: `done` tells of failures. Idempotent. A task or
   * cleanup of the scope must not await it, since it is itself waited for.
   */
  async stop(): Promise<void> {
    void this.#end(new DOMException(`${this.name} stops`, "AbortError"));
    await this.done.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(reason: unknown): Promise<void> {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    while (this.#cleanups.size > 0) {
      for (const cleanup of [...this.#cleanups].reverse()) {
        if (!this.#cleanups.delete(cleanup)) continue;
        try {
          await cleanup();
        } catch (error) {
          this.fail(error);
        }
      }
    }
    this.#ended = true;
    if (this.#failures.length > 0) this.#settle.reject(this.#failures[0]);
    else this.#settle.resolve();
  }

  #assertOpen(): void {
    assert(!this.#ended, () => `${this.name} has ended`);
  }
}

function isCancellation(error: unknown): boolean {
  if (error instanceof MesarchError) return error.code === "cancelled";
  return error instanceof Error && error.name === "AbortError";
}
