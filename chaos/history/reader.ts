/** Reads histories back, and makes one of those that several processes wrote. */
import { closeSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import type { HistoryEvent } from "./event.ts";
import { isCallName, isObservationName, isOutcome } from "./vocabulary.ts";

const PIECE_BYTES = 1024 * 1024;
const EPOCH = /^\d+-\d+$/;

/** A line that is no event, anywhere but at the torn end. */
export class HistoryError extends Error {
  constructor(path: string, line: number, problem: string) {
    super(`${path}:${line}: ${problem}`);
    this.name = "HistoryError";
  }
}

/**
 * All events of a file. What follows the last line end was being written when its writer died: it counts if it is a
 * whole event, and is left out otherwise.
 */
export function readHistory(path: string): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  let line = 0;
  const take = (text: string, torn: boolean): void => {
    line += 1;
    const parsed = parse(text);
    const problem = typeof parsed === "string" ? parsed : problemOf(parsed, events.at(-1)?.seq ?? 0);
    if (problem === undefined) events.push(parsed as HistoryEvent);
    else if (!torn) throw new HistoryError(path, line, problem);
  };
  const rest = eachLine(path, (text) => take(text, false));
  if (rest !== "") take(rest, true);
  return events;
}

/**
 * One history out of several of the same clock, in the order of time; what is of one time stays in the order given.
 * Calls are numbered anew, as a framework that was started again counts from 1 again.
 */
export function mergeHistories(...histories: readonly (readonly HistoryEvent[])[]): HistoryEvent[] {
  const all: HistoryEvent[] = [];
  let calls = 0;
  for (const events of histories) {
    const offset = calls;
    for (const event of events) {
      if (event.kind === "observe" || event.kind === "fault") {
        all.push(event);
        continue;
      }
      const call = event.call + offset;
      calls = Math.max(calls, call);
      all.push({ ...event, call });
    }
  }
  return all.sort((a, b) => a.t - b.t).map((event, index) => ({ ...event, seq: index + 1 }));
}

/** Returns what follows the last line end. */
function eachLine(path: string, take: (line: string) => void): string {
  const file = openSync(path, "r");
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      const lines = (rest + decoder.write(piece.subarray(0, read))).split("\n");
      rest = lines.pop()!;
      lines.forEach(take);
    }
  } finally {
    closeSync(file);
  }
  return rest + decoder.end();
}

function parse(text: string): object | string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : "no object";
  } catch {
    return "no JSON";
  }
}

function problemOf(event: Partial<Record<string, unknown>>, before: number): string | undefined {
  const { seq, t, actor, kind, op, value, epoch } = event;
  if (!Number.isSafeInteger(seq) || (seq as number) <= before) return `seq ${String(seq)} does not follow ${before}`;
  if (!Number.isFinite(t)) return "no time";
  if (typeof actor !== "string") return "no actor";
  if (typeof value !== "object" || value === null) return "no value";
  if (epoch !== undefined && !EPOCH.test(String(epoch))) return `'${String(epoch)}' is no epoch`;
  if (kind === "observe") return isObservationName(op) ? undefined : `no such observation: ${String(op)}`;
  if (kind === "fault") return op === "fault" ? undefined : `no such fault: ${String(op)}`;
  if (!isOutcome(kind)) return `no such kind: ${String(kind)}`;
  if (!isCallName(op)) return `no such call: ${String(op)}`;
  return Number.isSafeInteger(event["call"]) ? undefined : "a call without number";
}
