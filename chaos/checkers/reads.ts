/**
 * I24: what operators read is the registry as it is, or as it was at the revision that the answer names.
 *
 * The registry gives all writes one order, so most of it is a comparison with the replay. That the order also agrees
 * with time, for readings that claim to be current, is left to reads-in-time.ts.
 */
import { compareEpochTexts } from "./epochs.ts";
import type { Evidence } from "./evidence.ts";
import { fitsTime, type Read, type Shown } from "./reads-in-time.ts";
import { at, type Launch, type StandingVersion } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import { Tally, type Verdict } from "./verdict.ts";

/** Tested: readings. */
export function reads(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I24");
  if (evidence.registry.commits.length === 0) return [tally.verdict()];
  const all = evidence.of("read");
  tally.tested(all.length);
  for (const read of all) {
    if (read.value.stale && read.revision === undefined) tally.violated(`a stale reading by ${read.actor} does not say of which revision it is`, read);
  }
  asAtRevisions(tally, evidence, all);
  notBehindTheKnown(tally, evidence);
  neverBackwards(tally, evidence, all);
  fitsTime(tally, evidence);
  return [tally.verdict()];
}

/**
 * A standby answers from a whole revision. A leader answers in the middle of a batch and says so when all of it is
 * written; so if the batch was not seen before the question, each thing may also be as it was one batch before.
 */
function asAtRevisions(tally: Tally, evidence: Evidence, all: readonly Read[]): void {
  const { registry } = evidence;
  const coming = [...registry.launches.values()].sort((a, b) => b.versions[0]!.revision - a.versions[0]!.revision);
  const present = new Set<Launch>();
  const dated = all.filter(({ revision }) => revision !== undefined);
  for (const read of dated.toSorted((a, b) => a.revision! - b.revision!)) {
    const revision = read.revision!;
    const batch = registry.commitAt(revision);
    const before = (batch?.revision ?? 0) - 1;
    const isWhole = read.value.stale || batch === undefined || batch.t < read.value.startedAt;
    const revisions = isWhole ? [revision] : [revision, before];
    const wrong = (id: string, shown: Shown, was: Shown): void => {
      tally.violated(`${read.actor} read ${id} as ${shown ?? "absent"} at revision ${revision}, where it was ${was ?? "absent"}`, read);
    };
    while (coming.length > 0 && coming.at(-1)!.versions[0]!.revision <= revision) present.add(coming.pop()!);
    for (const launch of present) {
      const last = registry.last(launch);
      if (last.row === undefined && last.revision <= before) present.delete(launch);
      else if (!Object.hasOwn(read.value.tasks, launch.task) && !revisions.some((at) => isUnlisted(evidence, launch, at))) {
        wrong(launch.task, undefined, registry.shown(launch, revision));
      }
    }
    for (const [task, state] of Object.entries(read.value.tasks)) {
      const launches = registry.byTask.get(task) ?? [];
      if (launches.some((launch) => revisions.some((at) => registry.shown(launch, at) === state))) continue;
      wrong(task, state, launches.map((launch) => registry.shown(launch, revision)).find((shown) => shown !== undefined));
    }
    standingsAt(evidence, read, revisions, wrong);
  }
}

function standingsAt(evidence: Evidence, read: Read, revisions: readonly number[], wrong: (id: string, shown: Shown, was: Shown) => void): void {
  for (const kind of ["agents", "frameworks"] as const) {
    const shown: Readonly<Record<string, Shown>> | undefined = read.value[kind];
    if (shown === undefined) continue;
    for (const id of new Set([...Object.keys(shown), ...evidence.registry[kind].keys()])) {
      const was: Shown[] = revisions.map((revision) => at<StandingVersion>(evidence.registry[kind].get(id), revision)?.standing);
      if (!was.includes(shown[id])) wrong(id, shown[id], was[0]);
    }
  }
}

/** Not yet launched, or over; what went to history without having ended is over for those who list. */
function isUnlisted(evidence: Evidence, launch: Launch, revision: number): boolean {
  if (at(launch.versions, revision)?.row === undefined) return true;
  return isEnd(evidence.registry.shown(launch, revision)!);
}

/** A current reading is not older than anything that anybody had been told when it began. */
function notBehindTheKnown(tally: Tally, evidence: Evidence): void {
  const { registry } = evidence;
  const known = evidence.events.filter((event) => event.revision !== undefined && event.kind !== "invoke" && event.op !== "candidates" && event.op !== "foreign");
  const current = evidence.of("read").filter(({ value, revision }) => !value.stale && revision !== undefined);
  let next = 0;
  let newest: (typeof known)[number] | undefined;
  for (const read of current.toSorted((a, b) => a.value.startedAt - b.value.startedAt)) {
    for (; next < known.length && known[next]!.t < read.value.startedAt; next++) {
      if (newest === undefined || known[next]!.revision! > newest.revision!) newest = known[next];
    }
    if (newest !== undefined && registry.floor(read.revision!) < registry.floor(newest.revision!)) {
      tally.violated(`${read.actor} read revision ${read.revision} as the present, and revision ${newest.revision} was known before`, newest, read);
    }
  }
}

/** Readings by one client of one master, one after the other. */
function neverBackwards(tally: Tally, evidence: Evidence, all: readonly Read[]): void {
  const last = new Map<string, Read>();
  for (const read of all) {
    const key = `${read.actor}\0${read.value.master}`;
    const before = last.get(key);
    if (before !== undefined && before.t > read.value.startedAt) continue;
    last.set(key, read);
    if (before === undefined || isAfter(evidence, before, read)) continue;
    tally.violated(`${read.actor} read revision ${before.revision}, and revision ${read.revision} after it`, before, read);
  }
}

function isAfter({ registry }: Evidence, before: Read, read: Read): boolean {
  // A standby names the epoch that wrote what it shows: a leadership in between may have written nothing.
  const bothLead = !before.value.stale && !read.value.stale;
  if (bothLead && before.epoch !== undefined && read.epoch !== undefined && compareEpochTexts(before.epoch, read.epoch) > 0) return false;
  return registry.floor(before.revision ?? 0) <= registry.floor(read.revision ?? Infinity);
}
