/** What witnesses wrote, as events of the history. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HistoryEvent } from "../../history/event.ts";
import { UPTIME_TICK_MS } from "../monotonic.ts";

type Words = readonly string[];

/** @param offsetMs from uptime to the run's clock. */
export function readWitnesses(directory: string, offsetMs: number): HistoryEvent[] {
  return readdirSync(directory).flatMap((task) => linesOf(readFileSync(join(directory, task), "utf8")).flatMap((line, index) => eventOf(task, line, index + 1, offsetMs) ?? []));
}

/** A line that was being written when its process was killed is none. */
function linesOf(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

function eventOf(task: string, line: string, seq: number, offsetMs: number): HistoryEvent | undefined {
  const [kind, uptime, nonce = "", ...words] = line.split(" ") as [string, string, ...string[]];
  const said = observation(task, kind, nonce, words);
  if (said === undefined) return undefined;
  // Uptime is cut off to its ticks: it was at most so late.
  const t = Number(uptime) * 1_000 + UPTIME_TICK_MS + offsetMs;
  return { seq, t, actor: `witness/${task}`, kind: "observe", ...said } as HistoryEvent;
}

function observation(task: string, kind: string, nonce: string, words: Words): { readonly op: string; readonly value: object } | undefined {
  switch (kind) {
    case "start":
      return { op: "witnessStart", value: { task, launch: words[2] ?? "", agent: words[3] ?? "", pid: Number(words[0]), nonce } };
    case "beat":
      return { op: "witnessBeat", value: { task, nonce } };
    case "signal":
      return { op: "witnessSignal", value: { task, nonce, signal: words[0] ?? "" } };
    case "exit":
      return { op: "witnessExit", value: { task, nonce, status: Number(words[0]) } };
    default:
      return undefined;
  }
}
