/**
 * One leadership at work: inputs -> step -> one fenced batch at a time -> words released in order (D2, section 3).
 *
 * Whatever ends it, it undoes what was not committed, so that the tables are exactly what the registry was last known
 * to hold, and says nothing more.
 */
import { onAbort } from "../async/abort.ts";
import { Timer } from "../async/timer.ts";
import { assert } from "../base/assert.ts";
import { type Epoch, epochText } from "../base/epoch.ts";
import { MasterMachine } from "../core/master/machine.ts";
import type { Input } from "../core/master/input.ts";
import { isUnfenced, type Output } from "../core/master/output.ts";
import { clusterClock } from "../core/master/state.ts";
import type { Step } from "../core/master/tx.ts";
import { Pipeline, type PipelineBatch } from "../core/pipeline.ts";
import { type Change, rowKey } from "../core/registry/change.ts";
import { limits } from "../model/limits.ts";
import { StoreFull } from "../ports/store-errors.ts";
import { encodeChange } from "../wire/registry-codec.ts";
import { HeadRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { tellCommit } from "./commit-telemetry.ts";
import { failureWords } from "./failure-words.ts";
import { FenceProof } from "./fence-proof.ts";
import { inTurns } from "./in-turns.ts";
import { Inbox } from "./inbox.ts";
import type { LeaderLoopOptions, LeadershipEnd } from "./leader-contract.ts";
import { MuteSpells } from "./mute-spells.ts";
import { tracedStep } from "./traced-step.ts";
import { startWatchdog } from "./watchdog.ts";

/** Steps that may wait for the registry before no more inputs are taken. */
const STEPS_PENDING = 5_000;
/** Inputs are handled, or words said, for so long, then heartbeats get their turn: a burst must not look like a hang (2.9). */
const TURN_MS = 20;
/** Deadlines handled in one turn; the rest waits for the next. */
const DEADLINES_PER_TURN = 1_000;

export class LeaderLoop {
  readonly epoch: Epoch;
  /** Resolves when the leadership is over and undone. */
  readonly ended: Promise<LeadershipEnd>;

  readonly #options: LeaderLoopOptions;
  readonly #mailbox: Inbox;
  readonly #pipeline = new Pipeline<Change, Output>({ rows: limits.batchRows, bytes: limits.batchBytes }, rowKey);
  readonly #timer: Timer;
  readonly #abort = new AbortController();
  readonly #resolveEnded: (end: LeadershipEnd) => void;
  #machine: MasterMachine;
  /** Before-images of atoms not yet durable, oldest first. */
  #undo: (readonly Change[])[] = [];
  /** Last revision written by this leadership, or that of its promotion; and where the head stands. */
  #revision: number;
  #headModRevision: number;
  #batchNumber = 0;
  #bytesCommitted = 0;
  #sentAt: number | undefined;
  readonly #proof: FenceProof;
  readonly #mute: MuteSpells;
  #readOnlySince: number | undefined;
  /** A full store is to be tried before anything else is sent. */
  #probeDue = false;
  #saidInDoubt = false;
  /** What the last transaction made durable is not all said; nothing is handled or sent meanwhile. */
  #saying = false;
  #over = false;
  #handingOver = false;
  #onRoom: () => void = () => {};
  #onDrained: () => void = () => {};

  constructor(options: LeaderLoopOptions) {
    this.#options = options;
    this.#mailbox = new Inbox({ capacity: limits.mailboxInputs, schedule: (wake) => options.clock.after(0, wake) });
    const { generation, revision, since } = options.machine.leadership;
    this.epoch = { generation, revision };
    this.#revision = since;
    this.#headModRevision = options.follower.headModRevision;
    const now = options.clock.now();
    const barrier = () => options.registry.barrier(options.fence, this.#abort.signal);
    this.#proof = new FenceProof({ clock: options.clock, barrier, onProof: options.onProof });
    this.#mute = new MuteSpells(options.telemetry.log);
    const { promise, resolve } = Promise.withResolvers<LeadershipEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#machine = this.#newMachine(now);
    this.#timer = new Timer(options.clock, () => this.#mailbox.deliver({ kind: "deadline" }));
  }

  /** Serves until the leadership ends. */
  async run(): Promise<LeadershipEnd> {
    const { clock, canaryMs } = this.#options;
    const failed = (error: unknown): void => this.end({ kind: "failed", error });
    const stopWatchdog = startWatchdog(clock, Math.min(100, canaryMs), (now) => this.#watch(now), failed);
    try {
      while (await this.#mailbox.ready()) {
        // What waits for the registry is bounded: the mailbox then fills, and callers are told (13.4).
        if (this.#pipeline.depth > STEPS_PENDING) await this.#room();
        while (this.#saying && !this.#over) await this.#room();
        if (this.#over) break;
        this.#turn();
      }
    } catch (error) {
      // Also what the mailbox still holds must not be stepped by a machine that failed.
      failed(error);
    } finally {
      stopWatchdog();
      this.#timer.armAt(undefined);
    }
    return this.ended;
  }

  /** False when the input's share of the mailbox is full or the leadership over: the caller answers 503. */
  submit(input: Input): boolean {
    return !this.#over && !this.#handingOver && this.#mailbox.push(input);
  }

  /** For what must not be refused, such as the end of a stream. */
  deliver(input: Input): void {
    if (!this.#over) this.#mailbox.deliver(input);
  }

  get machine(): MasterMachine {
    return this.#machine;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Bytes of all batches of this leadership. */
  get bytesCommitted(): number {
    return this.#bytesCommitted;
  }

  get mailboxDepth(): number {
    return this.#mailbox.size;
  }

  /** How long the transaction in flight is unanswered; 0 when none is. */
  stuckMs(now: number): number {
    return this.#sentAt === undefined ? 0 : now - this.#sentAt;
  }

  get readOnly(): boolean {
    return this.#readOnlySince !== undefined;
  }

  /** Nothing admitted is without its answer. */
  get #drained(): boolean {
    return this.#handingOver && this.#mailbox.size === 0 && this.#pipeline.depth === 0 && this.#sentAt === undefined && !this.#saying;
  }

  /** Stops admitting and resolves when all that was admitted is durable and said (2.15). */
  async drain(signal: AbortSignal): Promise<void> {
    this.#handingOver = true;
    if (this.#over || this.#drained) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onDrained = resolve;
    const stopListening = onAbort(signal, resolve);
    await promise;
    stopListening();
    signal.throwIfAborted();
  }

  /** Ends the leadership: nothing pending is said, the tables go back to the last committed state (3.7). */
  end(end: LeadershipEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#onRoom();
    this.#onDrained();
    this.#abort.abort(new DOMException(`leadership ${epochText(this.epoch)} is over`, "AbortError"));
    this.#undoPending();
    this.#options.follower.resume(this.#revision, this.#headModRevision);
    this.#mailbox.close();
    this.#resolveEnded(end);
  }

  /** Resolves when a transaction was answered, all is said that waited for one, or the leadership is over. */
  #room(): Promise<void> {
    return new Promise((resolve) => (this.#onRoom = resolve));
  }

  #newMachine(now: number): MasterMachine {
    return new MasterMachine({ ...this.#options.machine, tables: this.#options.follower.tables }, now);
  }

  #turn(): void {
    const { clock } = this.#options;
    for (const endsAt = clock.now() + TURN_MS; clock.now() <= endsAt; ) {
      const [input] = this.#mailbox.take(1);
      if (input === undefined) break;
      if (input.kind === "deadline") continue;
      this.#step(input, clock.now());
      if (this.#over) return;
    }
    for (let handled = 0; handled < DEADLINES_PER_TURN; handled += 1) {
      const due = this.#machine.nextDeadline();
      const now = clock.now();
      if (due === undefined || due > now) break;
      this.#step({ kind: "deadline" }, now);
    }
    this.#timer.armAt(this.#machine.nextDeadline());
    this.#pump();
  }

  #step(input: Input, now: number): void {
    let step: Step;
    try {
      step = tracedStep(this.#options.telemetry, this.#machine, input, now);
    } catch (error) {
      // Whoever asked must not ask the next leader the same: it is told that this failed, and that nothing was done (3.9).
      for (const word of failureWords(input)) this.#options.speaker.say(word, this.#revision);
      throw error;
    }
    if (this.#readOnlySince !== undefined && step.atoms.length > 0) {
      // The store takes no writes: the step did not happen; whoever caused it says it again later (3.5).
      for (const undo of step.undo.toReversed()) this.#apply(undo);
      return;
    }
    this.#take(step);
    if (step.rest !== undefined) this.#mailbox.putBack(step.rest);
  }

  #take(step: Step): void {
    // Before anything is said: whatever comes of that, the end of the leadership undoes this step, too.
    for (const undo of step.undo) this.#undo.push(undo);
    this.#pipeline.push(step.atoms, step.words.filter((word) => !isUnfenced(word)));
    for (const word of step.words) if (isUnfenced(word)) this.#options.speaker.say(word, this.#revision);
  }

  /** Sends the next batch or barrier, if none is in flight. */
  #pump(): void {
    if (this.#over || this.#sentAt !== undefined || this.#saying) return;
    if (this.#drained) this.#onDrained();
    const batch = this.#probeDue ? this.#probe() : this.#pipeline.next();
    if (batch === undefined) return;
    void this.#commit(batch).catch((error: unknown) => this.end({ kind: "failed", error }));
  }

  async #commit(batch: PipelineBatch<Change, Output>): Promise<void> {
    const { registry, fence, clock } = this.#options;
    const sentAt = clock.now();
    this.#sentAt = sentAt;
    const wall = clock.wall();
    const head = this.#head(batch, sentAt);
    const result =
      batch.writes.length === 0
        ? await registry.barrier(fence, this.#abort.signal)
        : await registry.commit(
            {
              fence,
              after: { modRevision: this.#headModRevision },
              head: HeadRecord.encode(head).finish(),
              writes: batch.writes.map(encodeChange),
            },
            this.#abort.signal,
            (error) => void this.#notSettled(error),
          );
    if (this.#over) return;
    this.#sentAt = undefined;
    this.#saidInDoubt = false;
    this.#onRoom();
    switch (result.kind) {
      case "committed":
        this.#revision = result.revision;
        this.#headModRevision = result.revision;
        this.#batchNumber += 1;
        this.#bytesCommitted += batch.bytes;
        this.#options.follower.tables.head = head;
        tellCommit(this.#options.telemetry, batch.writes, { from: wall, to: clock.wall(), revision: result.revision, epoch: this.epoch });
        break;
      case "passed":
        break;
      case "deposed":
        this.#options.telemetry.instruments.fencedWrites.add(1);
        return this.end({ kind: "deposed" });
      case "noSpace":
        return this.#becomeReadOnly();
      case "intruder":
        return this.end({ kind: "intruder", detail: result.detail });
      case "invalid":
        return this.end({ kind: "failed", error: new Error(`the store refused a batch: ${result.detail}`) });
    }
    this.#proof.proved(sentAt);
    this.#options.telemetry.instruments.commitDuration.record((clock.now() - sentAt) / 1000, { outcome: result.kind });
    this.#options.telemetry.instruments.batchRows.record(batch.writes.length);
    this.#undo.splice(0, batch.atoms);
    if (this.#mute.on) this.#setMute(false);
    this.#pipeline.settle();
    this.#saying = true;
    // One RECONCILE may be answered by a hundred thousand words.
    await inTurns(clock, TURN_MS, batch.words, (word) => void (this.#over || this.#options.speaker.say(word, this.#revision)));
    if (this.#over) return;
    this.#saying = false;
    this.#onRoom();
    this.#pump();
    this.#timer.armAt(this.#machine.nextDeadline());
  }

  /**
   * "Full" is no answer while an earlier copy of the batch may still land (3.5), and could last. The leadership then
   * holds as long as a barrier says so: nobody could queue again after losing the key (2.13).
   */
  async #notSettled(error: unknown): Promise<void> {
    if (!(error instanceof StoreFull) || this.#over) return;
    if (!this.#saidInDoubt) this.#options.telemetry.log.error("mute: the store's space is exhausted, with a batch in doubt; make room in it");
    this.#saidInDoubt = true;
    // Without an answer it is not proved, which the watchdog sees.
    if (await this.#proof.isGone().catch(() => false)) this.end({ kind: "deposed" });
  }

  #head(batch: PipelineBatch<Change, Output>, now: number): HeadRecord {
    return {
      epoch: this.epoch,
      master: this.#options.machine.leadership.master,
      n: this.#batchNumber + 1,
      ops: batch.writes.length,
      clusterClock: clusterClock(this.#machine.state, now),
    };
  }

  /** What time alone brings, looked at ten times a second: mute, expiry, canary, the retry of a full store (2.6, 3.5, 3.6). */
  #watch(now: number): void {
    if (this.#over) return;
    this.#mute.look(now);
    const { muteAfterMs, expireAfterMs, canaryMs, fullRetryMs } = this.#options;
    if (this.#proof.ageMs(now) >= expireAfterMs) return this.end({ kind: "expired" });
    if (!this.#mute.on && this.stuckMs(now) >= muteAfterMs) this.#setMute(true);
    if (this.#readOnlySince !== undefined && now - this.#readOnlySince >= fullRetryMs) this.#tryWriting();
    if (this.#sentAt === undefined && this.#proof.ageMs(now) >= canaryMs) {
      this.#pipeline.push([], [{ kind: "milestone", name: "canary" }]);
      this.#pump();
    }
  }

  #setMute(on: boolean): void {
    const now = this.#options.clock.now();
    if (on) this.#mute.begin(now);
    else this.#mute.end();
    // Not through the mailbox, which may be what is full.
    this.#step({ kind: "mute", on }, now);
  }

  /** The store is full: what was pending did not happen; serve reads, keep the key (3.5). */
  #becomeReadOnly(): void {
    const { clock, telemetry, speaker } = this.#options;
    const already = this.#readOnlySince !== undefined;
    this.#readOnlySince = clock.now();
    this.#proof.proved(clock.now());
    // Only the probe was refused; everything else goes on.
    if (already) return this.#pump();
    telemetry.log.error("read-only: the store's space is exhausted");
    this.#startOver();
    speaker.restart((input) => this.#mailbox.deliver(input));
    this.#mailbox.deliver({ kind: "readOnly", on: true, reason: "the store's space is exhausted" });
  }

  /** Waits for the transaction in flight, if there is one, and for nothing else: a busy leader is never without. */
  #tryWriting(): void {
    this.#readOnlySince = this.#options.clock.now();
    this.#probeDue = true;
    this.#pump();
  }

  /** Rewrites `meta` as it is: if that commits, there is room again. */
  #probe(): PipelineBatch<Change, Output> {
    this.#probeDue = false;
    const meta = this.#options.follower.tables.meta;
    assert(meta !== undefined, "a leader's registry has a meta row");
    return { writes: [{ kind: "meta", id: "", record: meta }], bytes: 64, atoms: 0, words: [{ kind: "milestone", name: "roomAgain" }] };
  }

  /** Called by the speaker's owner when the `roomAgain` milestone is said. */
  leaveReadOnly(): void {
    if (this.#readOnlySince === undefined) return;
    this.#options.telemetry.log.info("the store takes writes again");
    this.#startOver();
    this.#readOnlySince = undefined;
    this.#options.speaker.restart((input) => this.#mailbox.deliver(input));
  }

  #startOver(): void {
    this.#undoPending();
    this.#machine = this.#newMachine(this.#options.clock.now());
  }

  #undoPending(): void {
    this.#pipeline.clear();
    for (const undo of this.#undo.toReversed()) this.#apply(undo);
    this.#undo = [];
  }

  #apply(changes: readonly Change[]): void {
    for (const change of changes) this.#options.follower.tables.apply(change);
  }
}
