/** Calls as intervals: an invocation, and what became of it. */
import type { CallEvent, CallEventOf, CallName, CallValue, HistoryEvent } from "./event.ts";

export interface Call<K extends CallName = CallName> {
  readonly op: K;
  readonly actor: string;
  readonly value: CallValue<K>;
  readonly outcome: "ok" | "fail" | "unknown";
  readonly invokedAt: number;
  /** Infinity if its outcome is unknown: it may take effect at any time, for ever. */
  readonly endedAt: number;
  /** What was answered. */
  readonly epoch: string | undefined;
  readonly revision: number | undefined;
  readonly invocation: CallEventOf<K>;
  readonly end: CallEventOf<K> | undefined;
}

export interface PairedCalls {
  readonly calls: readonly Call[];
  /** Outcomes of nothing, second outcomes, second invocations: a writer is wrong about itself. */
  readonly strays: readonly CallEvent[];
}

/** In the order of invocation. */
export function pairCalls(events: readonly HistoryEvent[]): PairedCalls {
  const open = new Map<string, number>();
  const invocations: CallEvent[] = [];
  const ends: (CallEvent | undefined)[] = [];
  const strays: CallEvent[] = [];
  for (const event of events) {
    if (event.kind === "observe" || event.kind === "fault") continue;
    const key = `${event.actor}\0${event.call}`;
    const index = open.get(key);
    if (event.kind === "invoke") {
      if (index !== undefined) strays.push(event);
      else {
        open.set(key, invocations.length);
        invocations.push(event);
        ends.push(undefined);
      }
    } else if (index === undefined || ends[index] !== undefined || invocations[index]!.op !== event.op) {
      strays.push(event);
    } else {
      ends[index] = event;
    }
  }
  return { calls: invocations.map((invocation, index) => callOf(invocation, ends[index])), strays };
}

function callOf(invocation: CallEvent, end: CallEvent | undefined): Call {
  const outcome = end === undefined || end.kind === "invoke" ? "unknown" : end.kind;
  return {
    op: invocation.op,
    actor: invocation.actor,
    value: invocation.value,
    outcome,
    invokedAt: invocation.t,
    endedAt: outcome === "unknown" ? Infinity : end!.t,
    epoch: end?.epoch,
    revision: end?.revision,
    invocation,
    end,
  } as Call;
}
