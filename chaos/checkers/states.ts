/** I7: how a task's states follow each other, as told to frameworks, as journaled by agents and as written in rows. */
import type { EventOf, HistoryEvent } from "../history/event.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";
import { parseEpoch } from "./epochs.ts";
import type { Evidence } from "./evidence.ts";
import { at, isRestored, type Launch, type LaunchVersion, type TaskRow } from "./registry-log.ts";
import { END, isEnd, isOpinion, needsNoRow, progress } from "./states-table.ts";
import { Tally, type Verdict } from "./verdict.ts";

/** Tested: states that followed another. */
export function states(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I7");
  told(tally, evidence);
  journaled(tally, evidence);
  for (const launch of evidence.registry.launches.values()) written(tally, evidence, launch);
  return [tally.verdict()];
}

/** What one listener heard of a task. */
interface Heard {
  readonly life: number;
  rank: number;
  ended: TaskStateName | undefined;
  last: HistoryEvent;
  readonly uuids: Set<string>;
}

/** A framework has one stream at a time, so what each of its processes hears is in order. */
function told(tally: Tally, evidence: Evidence): void {
  const heard = new Map<string, Heard>();
  /** When a task was last asked for. */
  const asked = new Map<string, number>();
  const launches = new Map(evidence.journal.map(({ value }) => [value.uuid, value.launch]));
  for (const event of evidence.events) {
    if (event.op === "launch" && event.kind === "invoke") {
      // A finished id may be used again: a launch after the end begins a new life.
      for (const { task } of event.value.tasks) {
        const key = `${event.actor}\0${task}`;
        asked.set(key, event.t);
        if (heard.get(key)?.ended !== undefined) heard.delete(key);
      }
    }
    // What was told of what was undone may be contradicted.
    if (event.op === "restored") heard.clear();
    if (event.op !== "update" || evidence.isAnothers(event.value) || evidence.registry.isUndoneUpdate(event)) continue;
    const key = `${event.actor}\0${event.value.task}`;
    if (isOfEarlierLaunch(evidence, event, asked.get(key) ?? -1)) continue;
    const life = lifeOf(evidence, event, launches.get(event.value.uuid));
    if (life > (heard.get(key)?.life ?? 0)) heard.delete(key);
    const known = heard.get(key);
    if (known === undefined) heard.set(key, take(event, { life, rank: -1, ended: undefined, last: event, uuids: new Set() }));
    else {
      tally.tested();
      const problem = wrongAfter(evidence, known, event);
      if (problem !== undefined) tally.violated(`${event.value.framework} was told that ${event.value.task} is ${event.value.state} ${problem}`, known.last, event);
      take(event, known);
    }
    if (event.value.source !== "master" && isOpinion(event.value.state)) {
      tally.violated(`${event.value.state} of ${event.value.task} comes from its ${event.value.source}`, event);
    }
  }
}

/** How many launches of its id had ended when this one was written: an end may cross the call that begins a new life. */
function lifeOf({ registry }: Evidence, { value }: EventOf<"update">, launch: string | undefined): number {
  const all = registry.byTask.get(value.task) ?? [];
  const index = all.findIndex((each) => each.launch === launch);
  const before = all[index - 1];
  return before !== undefined && registry.firstEnd(before) !== undefined ? index : 0;
}

/** A master ended an earlier launch of the id when it was asked for again already, in doubt, and a new life begins (10.3). */
function isOfEarlierLaunch({ registry }: Evidence, { t, value: { task, state, source } }: EventOf<"update">, askedAt: number): boolean {
  if (source !== "master" || !isEnd(state)) return false;
  const all = registry.byTask.get(task) ?? [];
  const index = all.findLastIndex(({ versions }) => versions.some(({ row, past, commit }) => commit.t <= t && (row?.state ?? past) === state));
  const [earlier, next] = [all[index], all[index + 1]];
  return earlier !== undefined && next !== undefined && earlier.versions[0]!.commit.t < askedAt && askedAt <= next.versions[0]!.commit.t;
}

function wrongAfter(evidence: Evidence, known: Heard, event: EventOf<"update">): string | undefined {
  const { state, source, uuid } = event.value;
  if (uuid !== "" && known.uuids.has(uuid)) return undefined; // a repetition; what it says is I18's business
  if (known.ended !== undefined) {
    if (state === known.ended) return undefined;
    if (source === "master" && needsNoRow(state) && isForgotten(evidence, event)) return undefined;
    return `after it had ended as ${known.ended}`;
  }
  const rank = progress(state);
  if (rank !== undefined && rank < known.rank) return "after it had come further";
  return undefined;
}

function take(event: EventOf<"update">, heard: Heard): Heard {
  const { state, source, uuid } = event.value;
  const isRepeated = uuid !== "" && heard.uuids.has(uuid);
  if (uuid !== "") heard.uuids.add(uuid);
  heard.last = event;
  // LOST by a master's word is what it concluded from absence, and stands for newer states: the truth may follow.
  const isDoubt = source === "master" && (state === "TASK_LOST" || state === "TASK_UNREACHABLE" || state === "TASK_UNKNOWN");
  if (isRepeated || isDoubt) return heard;
  heard.rank = Math.max(heard.rank, progress(state) ?? -1);
  if (isEnd(state)) heard.ended ??= state;
  return heard;
}

/** History is a ring: of what has left it a master knows nothing. */
function isForgotten(evidence: Evidence, { value, revision }: EventOf<"update">): boolean {
  const launches = evidence.registry.byTask.get(value.task) ?? [];
  return launches.every(({ versions }) => {
    const version = revision === undefined ? versions.at(-1) : at(versions, revision);
    return version?.row === undefined && version?.past === undefined;
  });
}

function journaled(tally: Tally, evidence: Evidence): void {
  const last = new Map<string, EventOf<"agentUpdate">>();
  for (const event of evidence.journal) {
    const { launch, task, state } = event.value;
    const before = last.get(launch);
    last.set(launch, event);
    if (isOpinion(state)) tally.violated(`an agent journaled ${state} of ${task}`, event);
    if (before === undefined) continue;
    tally.tested();
    if (isEnd(before.value.state)) tally.violated(`an agent journaled ${state} of ${task} after its end as ${before.value.state}`, before, event);
    else if ((progress(state) ?? END) < progress(before.value.state)!) {
      tally.violated(`an agent journaled ${state} of ${task} after ${before.value.state}`, before, event);
    }
  }
}

function written(tally: Tally, evidence: Evidence, launch: Launch): void {
  let before: LaunchVersion | undefined;
  for (const version of launch.versions) {
    const { row, commit } = version;
    const says = (problem: string): void => {
      tally.violated(`the row of ${launch.task} ${problem} at revision ${version.revision}`, before?.commit, commit);
    };
    // 4.1: derived, and never written.
    if (row !== undefined && isOpinion(row.state)) says(`says ${row.state}`);
    if (row !== undefined && before !== undefined && !isRestored(version)) {
      tally.tested();
      if (before.row === undefined) {
        if (!mayComeBack(evidence, launch, before, version)) says("came back after it had been forgotten");
      } else {
        const problem = wrongRow(before.row, row);
        if (problem !== undefined) says(problem);
      }
    }
    before = version;
  }
}

function wrongRow(before: TaskRow, row: TaskRow): string | undefined {
  if (row.seq < before.seq) return `has update ${row.seq} after ${before.seq}`;
  if (isEnd(before.state) && row.state !== before.state) return `says ${row.state} after its end as ${before.state}`;
  if (isEnd(before.latest) && row.latest !== before.latest) return `says latest ${row.latest} after its end as ${before.latest}`;
  if (!isEnd(row.state) && (progress(row.state) ?? 0) < (progress(before.state) ?? 0)) return `says ${row.state} after ${before.state}`;
  return undefined;
}

/** 9.3: taken over from an agent that a restored registry, or one that gave it up, does not know. */
function mayComeBack(evidence: Evidence, launch: Launch, before: LaunchVersion, version: LaunchVersion): boolean {
  if (isRestored(before)) return true;
  const [old, present] = [before.commit.epoch, version.commit.epoch];
  if (old !== undefined && present !== undefined && parseEpoch(present).generation > parseEpoch(old).generation) return true;
  const agent = at(evidence.registry.agents.get(launch.agent), version.revision - 1);
  return agent === undefined || agent.standing !== "in";
}
