/** Operators' questions and orders: to the leadership, or, when stale answers are allowed, to the folded tables. */
import type { Epoch } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Output, RefusalCode } from "../core/master/output.ts";
import type { SnapshotRest, Token } from "../core/master/input.ts";
import { limits } from "../model/limits.ts";
import type { DrillFaults } from "../ports/drill-faults.ts";
import type { OperatorEvent, OperatorRequest, OperatorResponse } from "../wire/gen/mesarch/v1/operator.ts";
import { fitted } from "./answer-pages.ts";
import type { LeaderHint, LeadershipAccess, Numbers } from "./leadership.ts";

export interface OperatorEventSink {
  send(event: OperatorEvent): void;
  /** Calls back once, when everything is sent and the peer takes more. */
  whenIdle(callback: () => void): void;
  close(): void;
}

/** What only the master process itself knows, and the machine does not. */
export interface MasterFacts {
  /** Answers from the folded tables; undefined when the request needs the leader. */
  answerStale(request: OperatorRequest): OperatorResponse | undefined;
  /** Adds what this process knows (peers, warnings, store size) to the leader's answer. */
  complete(response: OperatorResponse): OperatorResponse;
  /** Hands leadership over. */
  stepDown(): void;
  /** Undefined: nobody may crash or hang this master. */
  readonly drills: DrillFaults | undefined;
}

interface Subscriber {
  readonly sink: OperatorEventSink;
  /** Hears the news: from the beginning of its snapshot on, if it wants one. */
  live: boolean;
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
  readonly #subscribers = new Map<Token, Subscriber>();
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
  }

  /** Calls under way get no answer any more: their outcome is unknown. Streams end: their next event would follow a gap. */
  cut(): void {
    for (const pending of this.#pending.values()) {
      pending.reject(new MesarchError("unavailable", "the leadership ended before the call was answered; its outcome is unknown"));
    }
    this.#pending.clear();
    for (const { sink } of this.#subscribers.values()) sink.close();
    this.#subscribers.clear();
  }

  leaderIs(hint: LeaderHint | undefined): void {
    this.#hint = hint;
  }

  /** Whether anybody hears notices, or will once its snapshot has begun. */
  get watched(): boolean {
    return this.#subscribers.size > 0;
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
      if (answer !== undefined) return fitted(request, this.#facts.complete(answer));
      throw new MesarchError("no_leader", "this master does not lead");
    }
    const { $case } = request.call;
    if ($case === "crashLeader" || $case === "hangLeader") return this.#drill($case);
    const token = this.#numbers.take();
    const { promise, resolve, reject } = Promise.withResolvers<OperatorResponse>();
    this.#pending.set(token, { resolve, reject });
    if (!leadership.submit({ kind: "operator", token, principal, request })) {
      this.#pending.delete(token);
      throw new MesarchError("unavailable", "the master is overloaded or handing over; try again");
    }
    return fitted(request, this.#facts.complete(await promise));
  }

  /** Not for the machine: it strikes the process, and nothing of the cluster's books. */
  async #drill(fault: "crashLeader" | "hangLeader"): Promise<OperatorResponse> {
    const { drills } = this.#facts;
    if (drills === undefined) {
      throw new MesarchError("refused", "this master may not be crashed or hung for a drill: it was started without --allow-drills", {
        remedy: "Start every master with --allow-drills under a supervisor that restarts it, or drill with: --kind handover",
      });
    }
    if (fault === "crashLeader") drills.crash();
    await drills.hang();
    return { epoch: undefined, revision: 0, stale: false, answer: { $case: "done", value: { message: "was stopped, and goes on" } } };
  }

  /** Returns what ends the subscription. Throws when this master does not lead or has too many subscribers. */
  subscribe(sink: OperatorEventSink, snapshot: boolean): () => void {
    if (this.#leadership === undefined) throw new MesarchError("no_leader", "this master does not lead");
    if (this.#subscribers.size >= limits.operatorStreams) throw new MesarchError("exhausted", "too many event streams are open");
    const token = this.#numbers.take();
    this.#subscribers.set(token, { sink, live: !snapshot });
    if (snapshot) this.#wantPage(token, undefined);
    return () => void this.#subscribers.delete(token);
  }

  say(output: Extract<Output, { kind: "operatorReply" | "operatorRefusal" | "notice" | "snapshot" | "handOver" }>, epoch: Epoch, revision: number): void {
    const at = { epoch: { ...epoch }, revision };
    if (output.kind === "notice") {
      for (const { sink, live } of this.#subscribers.values()) if (live) sink.send({ ...output.event, ...at });
      return;
    }
    if (output.kind === "snapshot") {
      const { token, events, rest } = output;
      const subscriber = this.#subscribers.get(token);
      if (subscriber === undefined) return;
      subscriber.live = true;
      for (const event of events) subscriber.sink.send({ ...event, ...at });
      if (rest !== undefined) subscriber.sink.whenIdle(() => this.#wantPage(token, rest));
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

  /** A snapshot comes through the machine like the news, so it is fenced and true at its revision (3.1, I3). */
  #wantPage(token: Token, rest: SnapshotRest | undefined): void {
    const subscriber = this.#subscribers.get(token);
    if (subscriber === undefined || this.#leadership?.submit({ kind: "snapshotWanted", token, rest }) === true) return;
    // Handing over: the next leader has the whole of it.
    this.#subscribers.delete(token);
    subscriber.sink.close();
  }
}
