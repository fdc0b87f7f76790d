/** I25: the operators' event stream is the registry's own history. */
import type { EventOf } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import type { Shown } from "./reads-in-time.ts";
import { at, type Launch, type StandingVersion } from "./registry-log.ts";
import { Tally, type Verdict } from "./verdict.ts";

type News = EventOf<"news">;

/**
 * Tested: news that was told. A connection is a stream of its own, so between two of them anything may be missing;
 * within one, from its first word to its last, nothing is.
 */
export function news(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I25");
  if (evidence.registry.commits.length === 0) return [tally.verdict()];
  for (const [stream, told] of Map.groupBy(evidence.of("news"), ({ actor, value }) => `${actor}, stream ${value.stream}`)) {
    tally.tested(told.length);
    inOrder(tally, stream, told);
    const dated = told.filter(({ revision }) => revision !== undefined);
    for (const item of lastWords(dated)) isTrue(tally, evidence, stream, item);
    if (dated.length > 0) isWhole(tally, evidence, stream, dated);
  }
  return [tally.verdict()];
}

function inOrder(tally: Tally, stream: string, told: readonly News[]): void {
  for (const [index, item] of told.entries()) {
    const before = told[index - 1];
    if (item.revision === undefined) tally.violated(`${stream}: news without revision`, item);
    else if (before?.revision !== undefined && before.revision > item.revision) {
      tally.violated(`${stream} told of revision ${before.revision}, then of ${item.revision}`, before, item);
    }
  }
}

/** Of several words about one thing at one revision the last is what was written; the others are steps on the way. */
function lastWords(told: readonly News[]): Iterable<News> {
  const words = new Map<string, News>();
  for (const item of told) words.set(`${item.value.table}\0${item.value.id}\0${item.revision}`, item);
  return words.values();
}

function isTrue(tally: Tally, evidence: Evidence, stream: string, item: News): void {
  const { table, id, state } = item.value;
  const was = standing(evidence, table, id, item.revision!);
  if (was !== state) tally.violated(`${stream} told that ${id} is ${state} at revision ${item.revision}, where it was ${was ?? "absent"}`, item);
}

function standing({ registry }: Evidence, table: News["value"]["table"], id: string, revision: number): Shown {
  if (table === "agent") return at(registry.agents.get(id), revision)?.standing;
  if (table === "framework") return at(registry.frameworks.get(id), revision)?.standing;
  const launch = registry.launches.get(id);
  return launch === undefined ? undefined : registry.shown(launch, revision);
}

/** Each change between the first and the last revision told was told, before the next change of the same thing. */
function isWhole(tally: Tally, evidence: Evidence, stream: string, told: readonly News[]): void {
  const [from, to] = [told[0]!.revision!, told.at(-1)!.revision!];
  const revisions = new Map<string, number[]>();
  for (const { value, revision } of told) {
    const key = `${value.table}\0${value.id}`;
    (revisions.get(key) ?? revisions.set(key, []).get(key)!).push(revision!);
  }
  const look = (table: News["value"]["table"], id: string, changed: readonly number[]): void => {
    const said = revisions.get(`${table}\0${id}`) ?? [];
    for (const [index, revision] of changed.entries()) {
      // At the last one told, more may have been on its way.
      if (revision <= from || revision >= to) continue;
      const state = standing(evidence, table, id, revision);
      const next = changed[index + 1] ?? Infinity;
      // What leaves the registry is not news: it had ended before.
      if (state === undefined || said.some((each) => each >= revision && each < next)) continue;
      tally.violated(`${stream} did not tell that ${id} is ${state} at revision ${revision}`, told[0], told.at(-1));
    }
  };
  for (const [id, launch] of evidence.registry.launches) look("task", id, changesOf(evidence, launch));
  const rows = [["agent", evidence.registry.agents], ["framework", evidence.registry.frameworks]] as const;
  for (const [table, those] of rows) {
    for (const [id, versions] of those as ReadonlyMap<string, readonly StandingVersion[]>) {
      look(table, id, versions.filter((version, index) => version.standing !== versions[index - 1]?.standing).map(({ revision }) => revision));
    }
  }
}

/** Revisions at which the state shown became another: by its own row or its agent's. */
function changesOf({ registry }: Evidence, launch: Launch): number[] {
  const first = launch.versions[0]!.revision;
  const candidates = [...launch.versions, ...(registry.agents.get(launch.agent) ?? [])].map(({ revision }) => revision);
  const changes: number[] = [];
  let before: Shown;
  for (const revision of [...new Set(candidates)].sort((a, b) => a - b)) {
    if (revision < first) continue;
    const shown = registry.shown(launch, revision);
    if (shown !== before) changes.push(revision);
    before = shown;
  }
  return changes;
}
