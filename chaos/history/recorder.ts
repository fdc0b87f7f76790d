/** Takes down a history: gives each event its place and time, and passes it to a sink. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { CallName, CallValue, HistoryEvent, Unrecorded } from "./event.ts";

export interface Sink {
  write(event: HistoryEvent): void;
  close(): void;
}

/** Where an answer was true. */
export interface Standpoint {
  readonly epoch?: string;
  readonly revision?: number;
}

/** A call under way. Only its first outcome is taken down: whoever gave up on it does not hear the late answer. */
export interface OpenCall {
  ok(at?: Standpoint): void;
  fail(error: string, at?: Standpoint): void;
  unknown(error: string): void;
}

export class Recorder {
  readonly #now: () => number;
  readonly #sink: Sink;
  #seq = 0;
  #calls = 0;

  /** @param now monotonic milliseconds, on the run's one clock. */
  constructor(now: () => number, sink: Sink) {
    this.#now = now;
    this.#sink = sink;
  }

  /** An event that says its own `t` keeps it: evidence is often read after it was written. */
  record(event: Unrecorded): HistoryEvent {
    this.#seq += 1;
    const recorded = { ...event, seq: this.#seq, t: event.t ?? this.#now() } as HistoryEvent;
    this.#sink.write(recorded);
    return recorded;
  }

  /** To be called before the call is sent. */
  invoke<K extends CallName>(actor: string, op: K, value: CallValue<K>): OpenCall {
    this.#calls += 1;
    const call = this.#calls;
    let open = true;
    const say = (kind: "invoke" | "ok" | "fail" | "unknown", rest: Standpoint & { readonly error?: string } = {}): void => {
      if (!open) return;
      if (kind !== "invoke") open = false;
      this.record({ kind, op, actor, call, value, ...rest } as Unrecorded);
    };
    say("invoke");
    return {
      ok: (at) => say("ok", at),
      fail: (error, at) => say("fail", { ...at, error }),
      unknown: (error) => say("unknown", { error }),
    };
  }

  close(): void {
    this.#sink.close();
  }
}

/** Keeps the events. Throws once there are more than `limit`: of half a history nothing can be said. */
export class MemorySink implements Sink {
  readonly events: HistoryEvent[] = [];
  readonly #limit: number;

  constructor(limit = 5_000_000) {
    this.#limit = limit;
  }

  write(event: HistoryEvent): void {
    if (this.events.length >= this.#limit) throw new RangeError(`the history has more than ${this.#limit} events`);
    this.events.push(event);
  }

  close(): void {}
}

const FLUSH_CHARACTERS = 64 * 1024;

/** One JSON line each, appended in large pieces; `flush` before whoever writes is killed on purpose. */
export class FileSink implements Sink {
  readonly #file: number;
  #waiting: string[] = [];
  #characters = 0;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(event: HistoryEvent): void {
    const line = `${JSON.stringify(event)}\n`;
    this.#waiting.push(line);
    this.#characters += line.length;
    if (this.#characters >= FLUSH_CHARACTERS) this.flush();
  }

  flush(): void {
    let rest = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#characters = 0;
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#file, rest));
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }
}

/** One sink for several, say memory and a file. */
export function both(...sinks: readonly Sink[]): Sink {
  return {
    write: (event) => sinks.forEach((sink) => sink.write(event)),
    close: () => sinks.forEach((sink) => sink.close()),
  };
}
