/**
 * Scheduler streams, whatever carries them: holds a SUBSCRIBE while a leader appears, hands calls to the leadership and
 * its words back to the streams.
 */
import type { Clock } from "../async/clock.ts";
import { epochText } from "../base/epoch.ts";
import type { SessionId, Token } from "../core/master/input.ts";
import type { Output } from "../core/master/output.ts";
import { limits } from "../model/limits.ts";
import type { Span, Telemetry } from "../telemetry/telemetry.ts";
import type { NumberedCall, SchedulerItem } from "../wire/gen/mesarch/v1/scheduler.ts";
import { Call, Call_Type, Event_Type, type Event } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { LeaderHint, LeadershipAccess, Numbers } from "./leadership.ts";

/** The sending half of a scheduler's stream. */
export interface SchedulerSink {
  send(item: SchedulerItem): void;
  /** Ends the stream after what was sent. */
  close(): void;
}

/** A call, or the answer to one that the transport could not take. */
export type ReceivedCall = NumberedCall | { readonly number: number; readonly code: number; readonly message: string };

/** The receiving half: what a transport calls. */
export interface SchedulerStream {
  calls(calls: readonly ReceivedCall[]): void;
  /** The stream broke. `ours`: by our doing, so that it is not held against the framework (10.5). */
  closed(ours: boolean): void;
}

interface Session {
  readonly id: SessionId;
  readonly sink: SchedulerSink;
  readonly principal: string;
  subscribed: boolean;
  /** Offers that are there before SUBSCRIBED was sent; undefined from then on. */
  early: Event[] | undefined;
  /** A SUBSCRIBE waiting for a leader, and what ends the wait. */
  held: NumberedCall | undefined;
  heldBytes: number;
  cancelHold: (() => void) | undefined;
  ended: boolean;
}

interface PendingCall {
  readonly session: Session;
  readonly number: number;
  readonly span: Span | undefined;
}

export class SchedulerSessions {
  readonly #numbers: Numbers;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #pending = new Map<Token, PendingCall>();
  readonly #held = new Set<Session>();
  #heldBytes = 0;
  #leadership: LeadershipAccess | undefined;
  #hint: LeaderHint | undefined;

  constructor(numbers: Numbers, clock: Clock, telemetry: Telemetry) {
    this.#numbers = numbers;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  open(sink: SchedulerSink, principal: string): SchedulerStream {
    const session: Session = {
      id: this.#numbers.take(),
      sink,
      principal,
      subscribed: false,
      early: [],
      held: undefined,
      heldBytes: 0,
      cancelHold: undefined,
      ended: false,
    };
    this.#sessions.set(session.id, session);
    return {
      calls: (calls) => {
        for (const call of calls) {
          if (session.ended) return;
          if ("code" in call) this.#reply(session, call.number, call.code, call.message, 0);
          else this.#receive(session, call);
        }
      },
      closed: (ours) => this.#forget(session, ours),
    };
  }

  /** This master leads now. */
  begin(leadership: LeadershipAccess): void {
    this.#leadership = leadership;
    for (const session of [...this.#held]) {
      const call = session.held;
      this.#release(session);
      if (call !== undefined) this.#receive(session, call);
    }
  }

  /** This master leads no longer: streams end, open calls are cut without a status (3.7). */
  end(): void {
    this.#leadership = undefined;
    this.#pending.clear();
    for (const session of [...this.#sessions.values()]) if (session.subscribed) this.#refuse(session);
  }

  /** Another master is known to lead; undefined while none is. */
  leaderIs(hint: LeaderHint | undefined): void {
    this.#hint = hint;
    if (hint !== undefined && this.#leadership === undefined) for (const session of [...this.#held]) this.#refuse(session);
  }

  /** Ends the streams of this leadership, which goes on without them (3.5). */
  cut(): void {
    this.#pending.clear();
    for (const session of [...this.#sessions.values()]) if (session.subscribed) this.#close(session);
  }

  say(output: Extract<Output, { kind: "event" | "closeScheduler" | "reply" }>, revision: number): void {
    if (output.kind === "reply") {
      const pending = this.#pending.get(output.token);
      if (pending === undefined) return;
      this.#pending.delete(output.token);
      pending.span?.end({ "http.response.status_code": output.code });
      this.#reply(pending.session, pending.number, output.code, output.message, revision);
      return;
    }
    const session = this.#sessions.get(output.session);
    if (session === undefined || session.ended) return;
    if (output.kind === "event") this.#event(session, output.event);
    else this.#close(session);
  }

  /** Subscribed streams. */
  get size(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.subscribed) count += 1;
    return count;
  }

  /** Offers wait for no transaction, SUBSCRIBED does; but a stream begins with it. */
  #event(session: Session, event: Event): void {
    const { early } = session;
    if (event.type === Event_Type.OFFERS && early !== undefined) {
      early.push(event);
      return;
    }
    session.sink.send({ item: { $case: "event", value: event } });
    if (event.type !== Event_Type.SUBSCRIBED || early === undefined) return;
    session.early = undefined;
    for (const offers of early) session.sink.send({ item: { $case: "event", value: offers } });
  }

  #receive(session: Session, numbered: NumberedCall): void {
    const call = numbered.call;
    if (call === undefined) return this.#reply(session, numbered.number, 400, "the message carries no call", 0);
    if (call.type === Call_Type.SUBSCRIBE) return this.#subscribe(session, numbered);
    const leadership = this.#leadership;
    if (leadership === undefined) return this.#refuse(session);
    if (!session.subscribed) return this.#reply(session, numbered.number, 403, "Framework is not subscribed", 0);
    if (acceptItems(call) > limits.acceptItems) {
      return this.#reply(session, numbered.number, 400, `more than ${limits.acceptItems} tasks and operations in one ACCEPT`, 0);
    }
    const token = this.#numbers.take();
    const span = this.#span(numbered, leadership);
    const traceparent = span?.traceparent ?? numbered.traceparent;
    this.#pending.set(token, { session, number: numbered.number, span });
    const taken = leadership.submit({ kind: "call", session: session.id, principal: session.principal, call, token, traceparent });
    if (taken) return;
    this.#pending.delete(token);
    span?.end({ "http.response.status_code": 503 });
    this.#reply(session, numbered.number, 503, "the master is overloaded or handing over; try again", 0);
  }

  #subscribe(session: Session, numbered: NumberedCall): void {
    const { call } = numbered;
    if (session.subscribed || session.held !== undefined) {
      return this.#reply(session, numbered.number, 400, "this stream has subscribed already", 0);
    }
    const leadership = this.#leadership;
    if (leadership === undefined) return this.#hold(session, numbered);
    session.subscribed = true;
    if (!leadership.submit({ kind: "subscribe", session: session.id, principal: session.principal, call: call! })) {
      this.#refuse(session);
    }
  }

  #hold(session: Session, call: NumberedCall): void {
    if (this.#hint !== undefined || this.#held.size >= limits.heldCalls) return this.#refuse(session);
    const bytes = Call.encode(call.call!).finish().length;
    if (this.#heldBytes + bytes > limits.heldCallsBytes) return this.#refuse(session);
    session.held = call;
    session.heldBytes = bytes;
    this.#heldBytes += bytes;
    this.#held.add(session);
    session.cancelHold = this.#clock.after(limits.heldCallMs, () => this.#refuse(session));
  }

  #release(session: Session): void {
    session.cancelHold?.();
    session.cancelHold = undefined;
    session.held = undefined;
    this.#heldBytes -= session.heldBytes;
    session.heldBytes = 0;
    this.#held.delete(session);
  }

  /** Says where the leader is, if known, and ends the stream. */
  #refuse(session: Session): void {
    session.sink.send({ item: { $case: "notLeading", value: { leaderAddress: this.#hint?.address ?? "" } } });
    this.#close(session);
  }

  #close(session: Session): void {
    this.#forget(session, true);
    session.sink.close();
  }

  #forget(session: Session, ours: boolean): void {
    if (session.ended) return;
    session.ended = true;
    this.#release(session);
    this.#sessions.delete(session.id);
    if (session.subscribed) this.#leadership?.deliver({ kind: "schedulerClosed", session: session.id, ours });
  }

  #reply(session: Session, number: number, code: number, message: string, revision: number): void {
    if (session.ended) return;
    const epoch = this.#leadership?.epoch;
    session.sink.send({ item: { $case: "reply", value: { number, code, message, epoch, revision } } });
  }

  #span(numbered: NumberedCall, leadership: LeadershipAccess): Span | undefined {
    if (!this.#telemetry.enabled || numbered.call?.type !== Call_Type.ACCEPT) return undefined;
    return this.#telemetry.startSpan("mesarch.call ACCEPT", {
      parent: numbered.traceparent || undefined,
      attributes: { "mesos.framework.id": numbered.call.frameworkId?.value, "mesarch.epoch": epochText(leadership.epoch) },
    });
  }
}

function acceptItems({ accept }: Call): number {
  const operations = accept?.operations ?? [];
  return operations.reduce(
    (sum, { launch, launchGroup }) => sum + (launch?.taskInfos.length ?? 0) + (launchGroup?.taskGroup?.tasks.length ?? 0),
    operations.length,
  );
}
