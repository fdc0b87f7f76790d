/** One history out of what all actors of a run wrote, and the directory that a run leaves behind. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { statSync } from "node:fs";
import type { HistoryEvent } from "../history/event.ts";
import { mergeHistories, readHistory } from "../history/reader.ts";
import { FileSink } from "../history/recorder.ts";

export const HISTORY = "history.jsonl";
export const RUN = "run.json";

/** All histories of a directory, each in a file of its own. */
export function gather(directory: string): HistoryEvent[][] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => readHistory(join(directory, name)));
}

/** One history up to a time; what came later was not of the run. */
export function upTo(histories: readonly (readonly HistoryEvent[])[], endAt: number): HistoryEvent[] {
  return mergeHistories(...histories.map((events) => events.filter(({ t }) => t <= endAt)));
}

export function writeHistory(path: string, events: readonly HistoryEvent[]): void {
  writeFileSync(path, "");
  const sink = new FileSink(path);
  for (const event of events) sink.write(event);
  sink.close();
}

/** A history, named by itself or by its run's directory, and what is known of its run. */
export function openRun<T>(path: string): { readonly directory: string; readonly events: HistoryEvent[]; readonly run: T | undefined } {
  const directory = statSync(path).isDirectory() ? path : dirname(path);
  const file = directory === path ? join(path, HISTORY) : path;
  let run: T | undefined;
  try {
    run = JSON.parse(readFileSync(join(directory, RUN), "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return { directory, events: readHistory(file), run };
}
