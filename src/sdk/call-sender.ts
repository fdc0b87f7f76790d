/**
 * Puts the calls of a session on its streams, so that they take effect in the order in which they were made.
 *
 * Normally each is sent at once. After trouble few are under way at a time, more with each answer until all are: when a
 * master refused one for now (503), that one goes first and alone; when streams break as soon as calls are sent, the call
 * that breaks them is found, and fails.
 */
import { Fifo } from "../async/fifo.ts";
import type { Clock } from "../async/clock.ts";
import { compareEpochs, NO_EPOCH, type Epoch } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Reply } from "../wire/gen/mesarch/v1/scheduler.ts";
import { replyError } from "./errors.ts";
import type { PendingCall, PendingCalls } from "./pending-calls.ts";

/** The sending half of a stream. */
export interface CallStream {
  send(call: Uint8Array): void;
}

/** A stream that lives for less breaks quickly, in milliseconds. */
const QUICK_MS = 1_000;
/** A call on which this many streams to one leader break in quick succession fails. */
const MOST_BREAKS = 3;

export class CallSender {
  readonly #pending: PendingCalls;
  readonly #clock: Clock;
  readonly #random: Random;
  #stream: CallStream | undefined;
  /** Sent on this stream, in order, and not answered yet. */
  readonly #underWay = new Set<PendingCall>();
  /** Sent besides, as they are independent. */
  readonly #aside = new Set<PendingCall>();
  /** How many may be under way in order. */
  #window = Infinity;
  /** In order, beyond the window. Some may have been given up meanwhile. */
  #waiting = new Fifo<PendingCall>();
  /** Number of the first call that was refused for now. What was sent behind it is sent again, whatever its answer. */
  #refused = Infinity;
  #cancelPause: (() => void) | undefined;
  #epoch: Epoch = NO_EPOCH;
  #openedAt = 0;
  /** Streams of this epoch that broke with calls under way, in quick succession. */
  #breaks = 0;

  constructor(pending: PendingCalls, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#pending = pending;
    this.#clock = clock;
    this.#random = random;
  }

  /** Sends what waits for an answer on a new stream. */
  open(stream: CallStream, epoch: Epoch): void {
    if (compareEpochs(epoch, this.#epoch) !== 0) this.#trust();
    this.#epoch = epoch;
    this.#stream = stream;
    this.#openedAt = this.#clock.now();
    for (const call of this.#pending.values()) this.add(call);
  }

  /** Without a stream nothing happens: what waits is sent when there is one. */
  add(call: PendingCall): void {
    if (this.#stream === undefined) return;
    if (call.independent && !this.#isSuspicious()) this.#send(call, this.#aside);
    else if (this.#isFree()) this.#send(call, this.#underWay);
    else this.#waiting.push(call);
  }

  answered({ number, code, message }: Reply): void {
    const call = this.#pending.get(number);
    if (call === undefined) return; // given up meanwhile
    const outcome = code < 300 ? undefined : replyError(call.kind, code, message);
    if (code === 503) call.refusals += 1;
    if (this.#aside.delete(call)) {
      if (code !== 503) return call.settle(outcome);
      call.cancelPause = this.#clock.after(this.#pauseMs(call), () => this.#send(call, this.#aside));
      return;
    }
    this.#underWay.delete(call);
    if (code === 503) this.#refused = Math.min(this.#refused, number);
    else if (number < this.#refused) {
      this.#window += 1;
      call.settle(outcome);
    }
    this.#goOn();
  }

  /** To be called when a call has its outcome or was given up. */
  settled(call: PendingCall): void {
    this.#aside.delete(call);
    if (this.#underWay.delete(call)) this.#goOn();
  }

  /** The stream is gone; `broke` says why, if that was not our doing. */
  close(broke?: string): void {
    const suspects = [...this.#underWay, ...this.#aside];
    this.#stream = undefined;
    this.#underWay.clear();
    this.#aside.clear();
    this.#waiting.clear();
    this.#refused = Infinity;
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    for (const call of this.#pending.values()) {
      call.cancelPause?.();
      call.cancelPause = undefined;
      if (call.sent && !call.repeatable) call.settle();
    }
    if (broke === undefined) this.#trust();
    else if (suspects.length > 0) this.#suspect(suspects, broke);
  }

  #trust(): void {
    this.#breaks = 0;
    this.#window = Infinity;
  }

  /** Once may be chance. After the second time few calls go at a time, until one is alone when it happens. */
  #suspect(calls: readonly PendingCall[], reason: string): void {
    this.#breaks = this.#isYoung() ? this.#breaks + 1 : 1;
    this.#window = this.#breaks > 1 ? 1 : Infinity;
    if (this.#breaks < MOST_BREAKS || calls.length > 1) return;
    this.#breaks = 0;
    for (const call of calls) call.settle(breaksStreams(call.kind, reason));
  }

  /** Streams break, and any call may be the reason. */
  #isSuspicious(): boolean {
    return this.#breaks > 1 && this.#isYoung();
  }

  #isYoung(): boolean {
    return this.#clock.now() - this.#openedAt < QUICK_MS;
  }

  #isFree(): boolean {
    const isHeld = this.#refused < Infinity || this.#cancelPause !== undefined || this.#waiting.length > 0;
    return !isHeld && this.#underWay.size < this.#window;
  }

  #goOn(): void {
    if (this.#stream === undefined || this.#cancelPause !== undefined) return;
    if (this.#refused < Infinity) {
      // What was sent behind the refused one is answered first: an answer does not say to which sending it belongs.
      if (this.#underWay.size === 0) this.#startOver();
      return;
    }
    while (this.#waiting.length > 0 && this.#underWay.size < this.#window) {
      const call = this.#waiting.shift()!;
      if (this.#pending.get(call.number) === call) this.#send(call, this.#underWay);
    }
    if (this.#waiting.length === 0 && this.#underWay.size < this.#window) this.#window = Infinity;
  }

  /** After a pause, from the refused call on. */
  #startOver(): void {
    const refused = this.#pending.get(this.#refused);
    this.#refused = Infinity;
    this.#window = 1;
    this.#waiting.clear();
    for (const call of this.#pending.values()) {
      const isAside = this.#aside.has(call) || call.cancelPause !== undefined;
      if (!isAside) this.#waiting.push(call);
    }
    this.#cancelPause = this.#clock.after(refused === undefined ? 0 : this.#pauseMs(refused), () => {
      this.#cancelPause = undefined;
      this.#goOn();
    });
  }

  #send(call: PendingCall, among: Set<PendingCall>): void {
    if (this.#stream === undefined) return;
    call.sent = true;
    call.cancelPause = undefined;
    among.add(call);
    this.#stream.send(call.bytes);
  }

  /** Jittered, as many clients are refused at the same moment. */
  #pauseMs({ refusals }: PendingCall): number {
    return Math.min(1_000, 10 * 2 ** Math.min(refusals - 1, 7)) * (0.5 + this.#random.uniform() / 2);
  }
}

function breaksStreams(kind: string, reason: string): MesarchError {
  return new MesarchError("internal", `${kind}: the stream broke ${MOST_BREAKS} times as soon as it was sent (${reason})`, {
    remedy: "Whether it took effect is not known: reconcile, then decide.",
  });
}
