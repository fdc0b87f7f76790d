/**
 * Agent streams, whatever carries them. An agent keeps one to every master; only the leader's says `lead`. Each
 * leadership gives each stream a new session number, so that words of an older one are dropped (12.1, 12.2).
 */
import type { Epoch } from "../base/epoch.ts";
import type { Input, SessionId } from "../core/master/input.ts";
import type { Output } from "../core/master/output.ts";
import type { AgentMessage, Greeting, MasterBatch, MasterMessage } from "../wire/gen/mesarch/v1/agents.ts";
import { HeldParts } from "./held-parts.ts";
import type { LeaderHint, LeadershipAccess, Numbers } from "./leadership.ts";

/** What every batch to an agent carries. */
export type BatchFence = Pick<MasterBatch, "clusterId" | "epoch" | "session">;

export interface AgentSink {
  /** Messages of one turn with the same fence may share a batch. */
  send(message: MasterMessage, fence: BatchFence): void;
  close(reason: string): void;
}

export interface AgentStreamHandle {
  /** `bytes`: what they took on the wire together. */
  messages(messages: readonly AgentMessage[], bytes: number): void;
  closed(): void;
}

interface Stream {
  readonly sink: AgentSink;
  greeting: Greeting | undefined;
  /** Number under the present leadership; 0 while there is none. */
  session: SessionId;
  fence: BatchFence;
  /** Of this session. */
  readonly parts: HeldParts;
  /** Bytes of the present batch: the parts of a list in it count once, together. */
  uncounted: number;
  ended: boolean;
}

export class AgentSessions {
  readonly #numbers: Numbers;
  readonly #streams = new Set<Stream>();
  readonly #bySession = new Map<SessionId, Stream>();
  #leadership: LeadershipAccess | undefined;
  #hint: LeaderHint | undefined;

  constructor(numbers: Numbers) {
    this.#numbers = numbers;
  }

  open(sink: AgentSink): AgentStreamHandle {
    const stream: Stream = {
      sink,
      greeting: undefined,
      session: 0,
      fence: nobody,
      parts: new HeldParts(),
      uncounted: 0,
      ended: false,
    };
    this.#streams.add(stream);
    return {
      messages: (messages, bytes) => {
        stream.uncounted = bytes;
        for (const message of messages) if (!stream.ended) this.#receive(stream, message);
      },
      closed: () => this.#forget(stream),
    };
  }

  begin(leadership: LeadershipAccess): void {
    this.#leadership = leadership;
    for (const stream of this.#streams) if (stream.greeting !== undefined) this.#admit(stream, stream.greeting);
  }

  end(): void {
    this.#leadership = undefined;
    this.#bySession.clear();
    for (const stream of this.#streams) stream.session = 0;
    this.#tellStandby();
  }

  /** The leadership goes on with a fresh machine: every stream gets a new session of it (3.5). */
  restart(): void {
    this.#bySession.clear();
    for (const stream of this.#streams) if (stream.greeting !== undefined) this.#admit(stream, stream.greeting);
  }

  leaderIs(hint: LeaderHint | undefined): void {
    const same = hint?.address === this.#hint?.address && sameEpoch(hint?.epoch, this.#hint?.epoch);
    this.#hint = hint;
    if (!same && this.#leadership === undefined) this.#tellStandby();
  }

  say(output: Extract<Output, { kind: "agent" | "closeAgent" }>): void {
    const stream = this.#bySession.get(output.session);
    if (stream === undefined) return;
    if (output.kind === "agent") stream.sink.send(output.message, stream.fence);
    else this.#close(stream, output.reason);
  }

  /** Greeted streams: what this master can reach (2.16). */
  get connected(): number {
    let count = 0;
    for (const stream of this.#streams) if (stream.greeting !== undefined) count += 1;
    return count;
  }

  #receive(stream: Stream, message: AgentMessage): void {
    const body = message.body;
    if (body === undefined) return;
    if (body.$case === "greeting") return this.#greeted(stream, body.value);
    // Words of another session, or to a master that no longer leads, are nobody's.
    if (this.#leadership === undefined || message.session !== stream.session) return;
    if (body.$case === "heldPart") {
      const bytes = stream.uncounted;
      stream.uncounted = 0;
      if (!stream.parts.add(body.value, bytes)) this.#close(stream, "the list of tasks is too large");
      return;
    }
    const input = toInput(stream, body);
    if (input === undefined) return;
    // Nothing an agent says is lost by refusing it: it says it again in the next session, or on its own clock. What is
    // lost by design (4.4), or is asked for again, is no reason to end the session.
    if (this.#leadership.submit(input) || body.$case === "pong" || body.$case === "frameworkMessage") return;
    this.#close(stream, "the master is overloaded");
  }

  /** Once: each greeting opens a session past the bound of the mailbox. */
  #greeted(stream: Stream, greeting: Greeting): void {
    if (stream.greeting !== undefined) return this.#close(stream, "greeted twice");
    stream.greeting = greeting;
    if (this.#leadership !== undefined) this.#admit(stream, greeting);
    else this.#sayStandby(stream);
  }

  #admit(stream: Stream, greeting: Greeting): void {
    const leadership = this.#leadership!;
    if (stream.session !== 0) {
      this.#bySession.delete(stream.session);
      leadership.deliver({ kind: "agentClosed", session: stream.session });
    }
    stream.session = this.#numbers.take();
    stream.parts.clear();
    const { generation, revision } = leadership.epoch;
    stream.fence = { clusterId: leadership.clusterId, epoch: { generation, revision }, session: stream.session };
    this.#bySession.set(stream.session, stream);
    leadership.deliver({ kind: "agentOpened", session: stream.session, greeting });
  }

  #tellStandby(): void {
    for (const stream of this.#streams) if (stream.greeting !== undefined) this.#sayStandby(stream);
  }

  #sayStandby(stream: Stream): void {
    const epoch = this.#hint?.epoch;
    const value = { leaderAddress: this.#hint?.address ?? "", leaderEpoch: epoch === undefined ? undefined : { ...epoch } };
    stream.sink.send({ body: { $case: "standby", value } }, nobody);
  }

  #close(stream: Stream, reason: string): void {
    this.#forget(stream);
    stream.sink.close(reason);
  }

  #forget(stream: Stream): void {
    if (stream.ended) return;
    stream.ended = true;
    this.#streams.delete(stream);
    if (stream.session === 0) return;
    this.#bySession.delete(stream.session);
    this.#leadership?.deliver({ kind: "agentClosed", session: stream.session });
  }
}

const nobody: BatchFence = Object.freeze({ clusterId: "", epoch: undefined, session: 0 });

function sameEpoch(a: Epoch | undefined, b: Epoch | undefined): boolean {
  return a?.generation === b?.generation && a?.revision === b?.revision;
}

function toInput({ session, parts }: Stream, body: NonNullable<AgentMessage["body"]>): Input | undefined {
  switch (body.$case) {
    case "report":
      return { kind: "agentReport", session, report: parts.complete(body.value) };
    case "update":
      return { kind: "agentUpdate", session, update: body.value };
    case "forgotten":
      return { kind: "agentForgot", session, launchIds: body.value.launchIds };
    case "pong":
      return { kind: "agentPong", session, sequence: body.value.sequence };
    case "epochRefused": {
      const stored = body.value.storedEpoch;
      return {
        kind: "agentEpochRefused",
        session,
        storedGeneration: stored?.generation ?? 0,
        storedRevision: stored?.revision ?? 0,
      };
    }
    case "frameworkMessage":
      return { kind: "agentMessage", session, ...body.value };
    default:
      return undefined;
  }
}
