/** One history out of what all actors of a run wrote, and the directory that a run leaves behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HistoryEvent } from "../history/event.ts";
import { mergeHistories, readHistory } from "../history/reader.ts";
import { FileSink } from "../history/recorder.ts";

export const HISTORY = "history.jsonl";
export const RUN = "run.json";
export const LOGS = "logs";
/** Of each actor, until they are one. */
export const HISTORIES = "histories";
const OURS = [HISTORY, RUN, LOGS, HISTORIES, "report.json", "report.html"];

/** An empty directory for a report. Throws an Error rather than remove what no run has made. */
export function prepareReport(directory: string, command: string): void {
  mkdirSync(directory, { recursive: true });
  const names = readdirSync(directory);
  if (names.length > 0 && !names.includes(RUN)) throw new Error(`${directory} is not empty, and holds no report: name another directory`);
  for (const name of OURS) rmSync(join(directory, name), { recursive: true, force: true });
  for (const name of [LOGS, HISTORIES]) mkdirSync(join(directory, name));
  writeFileSync(join(directory, RUN), `${JSON.stringify({ command, unfinished: true })}\n`);
}

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
export function openRun<T>(path: string): { readonly directory: string; readonly events: HistoryEvent[]; readonly run: T } {
  const directory = statSync(path).isDirectory() ? path : dirname(path);
  const record = join(directory, RUN);
  if (!existsSync(record)) throw new Error(`beside ${path} there is no ${RUN}, which says what was expected of the run`);
  const run = JSON.parse(readFileSync(record, "utf8")) as T & { readonly unfinished?: true };
  if (run.unfinished === true) throw new Error(`the run in ${directory} did not come to its end`);
  return { directory, events: readHistory(directory === path ? join(path, HISTORY) : path), run };
}
