/**
 * Persist before you speak, and before you spawn (8.3): gathers what steps write and want done, makes it durable in
 * groups, and lets it be done in order.
 *
 * When the journal takes nothing, it is stalled: running tasks go on, everything that rests on the journal waits until
 * it could be written anew, and what rests on the stored epoch alone is still said, so that the agent stays in.
 */
import type { Clock } from "../async/clock.ts";
import { AssertionFailure } from "../base/assert.ts";
import { needsNoJournal, isUnfenced, type Output } from "../core/agent/output.ts";
import type { StepResult, Write } from "../core/agent/step.ts";
import { Pipeline } from "../core/pipeline.ts";
import type { Checkpoint, Storage } from "../ports/checkpoint.ts";
import type { JournalRecord } from "../wire/gen/mesarch/v1/checkpoint.ts";

export interface DurabilityOptions {
  readonly checkpoint: Checkpoint;
  /** The shortest journal that means what all steps so far mean. */
  readonly snapshot: () => JournalRecord[];
  readonly release: (outputs: readonly Output[]) => void;
  readonly onStorage: (storage: Storage, error?: unknown) => void;
  readonly clock: Clock;
  /** Between two attempts to write the journal anew, in milliseconds. Default 2000. */
  readonly retryMs?: number;
}

/** A journal group may have any size: what waits is bounded by the mailbox. */
const UNBOUNDED = { rows: Infinity, bytes: Infinity };

export class Durability {
  readonly #options: DurabilityOptions;
  readonly #retryMs: number;
  /** Records never replace one another, so each has a key of its own. */
  readonly #pipeline = new Pipeline<Write, Output>(UNBOUNDED, () => String((this.#serial += 1)));
  #serial = 0;
  #storage: Storage = "good";
  #retryAt = -Infinity;
  /** Words whose records wait for a new journal. */
  #held: Output[] = [];
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.#retryMs = options.retryMs ?? 2000;
  }

  get storage(): Storage {
    return this.#storage;
  }

  /** Takes one step. Rejects through `run`, never here. */
  push({ writes, outputs }: StepResult): void {
    const free = outputs.filter(isUnfenced);
    if (free.length > 0) this.#options.release(free);
    const words = free.length === 0 ? outputs : outputs.filter((output) => !isUnfenced(output));
    this.#pipeline.push(writes.length === 0 ? [] : [{ writes, bytes: 0 }], words);
    this.#wake?.();
  }

  /** Works until closed. Rejects when the epoch cannot be stored, as the agent may obey nobody then, and for bugs. */
  async run(): Promise<void> {
    this.#running ??= this.#work();
    await this.#running;
  }

  /** Makes durable what was pushed so far, unless stalled; then `run` resolves. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async #work(): Promise<void> {
    for (;;) {
      const retry = this.#storage !== "good" && this.#options.clock.now() >= this.#retryAt;
      const batch = this.#pipeline.next();
      if (batch === undefined && !retry) {
        if (this.#closed) return;
        await this.#something();
        continue;
      }
      const { checkpoint } = this.#options;
      const due = checkpoint.wantsRewrite && this.#options.clock.now() >= this.#retryAt;
      // Taken in the same turn as the batch, so it speaks of exactly what was handed out so far.
      const whole = due ? this.#options.snapshot() : undefined;
      await this.#persist(batch?.writes ?? [], whole);
      this.#release(this.#pipeline.settle());
    }
  }

  async #persist(writes: readonly Write[], whole: readonly JournalRecord[] | undefined): Promise<void> {
    const { checkpoint } = this.#options;
    const epoch = writes.findLast((write) => write.kind === "epoch");
    const storing = epoch === undefined ? undefined : checkpoint.storeEpoch(epoch.epoch);
    const journaling = whole === undefined ? this.#append(writes) : this.#rewrite(writes, whole);
    await Promise.all([storing, journaling]);
  }

  async #append(writes: readonly Write[]): Promise<void> {
    const { checkpoint } = this.#options;
    if (this.#storage === "stalled") return;
    const records = writes.flatMap((write) => (write.kind === "record" ? [write.record] : []));
    if (records.length === 0) return;
    try {
      if (!checkpoint.appendable) throw new Error("the journal cannot be appended to");
      await checkpoint.append(records);
    } catch (error) {
      if (error instanceof AssertionFailure) throw error;
      this.#enter("stalled", error);
      // Once more at once, with a snapshot: a full file is no full disk.
      this.#retryAt = -Infinity;
    }
  }

  async #rewrite(writes: readonly Write[], whole: readonly JournalRecord[]): Promise<void> {
    const { checkpoint, clock } = this.#options;
    try {
      await checkpoint.rewrite(whole);
      this.#enter("good");
    } catch (error) {
      if (error instanceof AssertionFailure) throw error;
      this.#retryAt = clock.now() + this.#retryMs;
      if (checkpoint.appendable && this.#storage !== "stalled") {
        this.#enter("low", error);
        await this.#append(writes);
      } else {
        this.#enter("stalled", error);
      }
    }
  }

  #release(words: readonly Output[]): void {
    if (this.#storage === "stalled") {
      this.#held.push(...words.filter((word) => !needsNoJournal(word)));
      this.#options.release(words.filter(needsNoJournal));
    } else {
      const held = this.#held;
      this.#held = [];
      this.#options.release(held.length === 0 ? words : [...held, ...words]);
    }
  }

  #enter(storage: Storage, error?: unknown): void {
    if (storage === "good") this.#retryAt = -Infinity;
    if (this.#storage === storage) return;
    this.#storage = storage;
    this.#options.onStorage(storage, error);
  }

  /** Until something was pushed, or it is time to try the journal again. */
  async #something(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const { clock } = this.#options;
    const cancel = this.#storage !== "good" ? clock.after(this.#retryAt - clock.now(), resolve) : undefined;
    await promise;
    cancel?.();
    this.#wake = undefined;
  }
}
