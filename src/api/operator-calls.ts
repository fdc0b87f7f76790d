/** Operators' questions and orders: to the leadership, or, when stale answers are allowed, to the folded tables. */
import type { Epoch } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Output, RefusalCode } from "../core/master/output.ts";
import type { Token } from "../core/master/input.ts";
import { limits } from "../model/limits.ts";
import type { OperatorEvent, OperatorRequest, OperatorResponse } from "../wire/gen/mesarch/v1/operator.ts";
import type { LeaderHint, LeadershipAccess, Numbers } from "./leadership.ts";

export interface OperatorEventSink {
  send(event: OperatorEvent): void;
  /** Also sends these, made one by one as fast as the peer reads, between those of `send`. */
  feed(events: Iterable<OperatorEvent>): void;
  close(): void;
}

/** What only the master process itself knows, and the machine does not. */
export interface MasterFacts {
  /** Answers from the folded tables; undefined when the request needs the leader. */
  answerStale(request: OperatorRequest): OperatorResponse | undefined;
  /** Adds what this process knows (peers, warnings, store size) to the leader's answer. */
  complete(response: OperatorResponse): OperatorResponse;
  /** Snapshot for a new subscriber of events: each as it is when it is taken from it. */
  snapshot(): Iterable<OperatorEvent>;
  /** Hands leadership over. */
  stepDown(): void;
}

interface Pending {
  resolve(response: OperatorResponse): void;
  reject(error: MesarchError): void;
}

const codes: { readonly [K in RefusalCode]: "not_found" | "invalid" | "refused" | "unavailable" } = {
  notFound: "not_found",
  invalid: "invalid",
  refused: "refused",
  unavailable: "unavailable",
};

export class OperatorCalls {
  readonly #numbers: Numbers;
  readonly #facts: MasterFacts;
  readonly #pending = new Map<Token, Pending>();
  readonly #sinks = new Set<OperatorEventSink>();
  #leadership: LeadershipAccess | undefined;
  #hint: LeaderHint | undefined;

  constructor(numbers: Numbers, facts: MasterFacts) {
    this.#numbers = numbers;
    this.#facts = facts;
  }

  begin(leadership: LeadershipAccess): void {
    this.#leadership = leadership;
  }

  end(): void {
    this.#leadership = undefined;
    this.cut();
    for (const sink of this.#sinks) sink.close();
    this.#sinks.clear();
  }

  /** Calls under way get no answer any more: their outcome is unknown. */
  cut(): void {
    for (const pending of this.#pending.values()) {
      pending.reject(new MesarchError("unavailable", "the leadership ended before the call was answered; its outcome is unknown"));
    }
    this.#pending.clear();
  }

  leaderIs(hint: LeaderHint | undefined): void {
    this.#hint = hint;
  }

  /** Whether anybody hears notices. */
  get watched(): boolean {
    return this.#sinks.size > 0;
  }

  /** Address of the leader, as a hint for callers of a standby. */
  get leaderAddress(): string {
    return this.#hint?.address ?? "";
  }

  async call(request: OperatorRequest, principal: string): Promise<OperatorResponse> {
    if (request.call === undefined) throw new MesarchError("invalid", "the request names no call");
    const leadership = this.#leadership;
    if (leadership === undefined) {
      const answer = request.allowStale ? this.#facts.answerStale(request) : undefined;
      if (answer !== undefined) return this.#facts.complete(answer);
      throw new MesarchError("no_leader", "this master does not lead");
    }
    const token = this.#numbers.take();
    const { promise, resolve, reject } = Promise.withResolvers<OperatorResponse>();
    this.#pending.set(token, { resolve, reject });
    if (!leadership.submit({ kind: "operator", token, principal, request })) {
      this.#pending.delete(token);
      throw new MesarchError("unavailable", "the master is overloaded or handing over; try again");
    }
    return this.#facts.complete(await promise);
  }

  /** Returns what ends the subscription. Throws when this master does not lead or has too many subscribers. */
  subscribe(sink: OperatorEventSink, snapshot: boolean): () => void {
    if (this.#leadership === undefined) throw new MesarchError("no_leader", "this master does not lead");
    if (this.#sinks.size >= limits.operatorStreams) throw new MesarchError("exhausted", "too many event streams are open");
    this.#sinks.add(sink);
    if (snapshot) sink.feed(this.#facts.snapshot());
    return () => void this.#sinks.delete(sink);
  }

  say(output: Extract<Output, { kind: "operatorReply" | "operatorRefusal" | "notice" | "handOver" }>, epoch: Epoch, revision: number): void {
    const at = { epoch: { ...epoch }, revision };
    if (output.kind === "notice") {
      for (const sink of this.#sinks) sink.send({ ...output.event, ...at });
      return;
    }
    const pending = this.#pending.get(output.token);
    this.#pending.delete(output.token);
    switch (output.kind) {
      case "operatorReply":
        return pending?.resolve({ ...output.response, ...at });
      case "operatorRefusal":
        return pending?.reject(new MesarchError(codes[output.code], output.message));
      case "handOver":
        pending?.resolve({ ...at, stale: false, answer: { $case: "done", value: { message: "handing over" } } });
        return this.#facts.stepDown();
    }
  }
}
