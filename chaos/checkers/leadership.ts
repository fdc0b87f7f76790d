/** I1, I2 and I4: one writer at a time, and nobody who listens to, or speaks as, an older one. */
import type { HistoryEvent } from "../history/event.ts";
import { compareEpochTexts } from "./epochs.ts";
import type { Evidence } from "./evidence.ts";
import type { Commit } from "./registry-log.ts";
import { Tally, type Verdict } from "./verdict.ts";

export function leadership(evidence: Evidence): readonly Verdict[] {
  return [oneWriter(evidence), obedience(evidence), failStop(evidence)];
}

/** I1. Tested: commits. */
function oneWriter(evidence: Evidence): Verdict {
  const tally = new Tally("I1");
  const writers = new Map<string, { readonly master: string; readonly event: HistoryEvent }>();
  const claim = (epoch: string, master: string, event: HistoryEvent): void => {
    const known = writers.get(epoch);
    if (known === undefined) writers.set(epoch, { master, event });
    else if (known.master !== master) tally.violated(`${known.master} and ${master} both are epoch ${epoch}`, known.event, event);
  };
  for (const event of evidence.of("leads")) if (event.epoch !== undefined) claim(event.epoch, event.value.master, event);

  let before: Commit | undefined;
  for (const commit of evidence.registry.commits) {
    const { epoch, value } = commit;
    tally.tested();
    if (value.ops !== value.rows.length) {
      tally.violated(`batch ${value.n} at revision ${commit.revision} announces ${value.ops} rows and has ${value.rows.length}`, commit);
    }
    if (epoch === undefined) continue; // the empty head of the very beginning, or a restore
    claim(epoch, value.master, commit);
    if (before !== undefined) follows(tally, before, commit);
    else if (value.n > 1) tally.violated(`the registry begins with batch ${value.n} of epoch ${epoch}`, commit);
    before = commit;
  }
  sightings(tally, evidence);
  return tally.verdict();
}

function follows(tally: Tally, before: Commit, commit: Commit): void {
  const [old, epoch] = [before.epoch!, commit.epoch!];
  const order = compareEpochTexts(epoch, old);
  const where = `revision ${commit.revision}`;
  if (order < 0) tally.violated(`epoch ${epoch} wrote ${where} after epoch ${old} had written`, before, commit);
  else if (order === 0 && commit.value.n !== before.value.n + 1) {
    tally.violated(`batch ${commit.value.n} of epoch ${epoch} at ${where} follows batch ${before.value.n}`, before, commit);
  } else if (order > 0 && commit.value.n !== 1) {
    tally.violated(`epoch ${epoch} begins at ${where} with batch ${commit.value.n}`, commit);
  }
}

/** The store says the same of a revision each time, and never names one twice. */
function sightings(tally: Tally, evidence: Evidence): void {
  const seen = new Map<number, Commit>();
  for (const commit of evidence.of("commit")) {
    if (commit.revision === undefined) {
      tally.violated(`a batch ${commit.value.n} of ${commit.value.master} without revision`, commit);
      continue;
    }
    const first = seen.get(commit.revision);
    if (first === undefined) seen.set(commit.revision, commit);
    else if (first.epoch !== commit.epoch || first.value.n !== commit.value.n) {
      tally.violated(`revision ${commit.revision} was seen as two different batches`, first, commit);
    }
  }
}

/** I2. Tested: words of masters that an agent acted on. */
function obedience(evidence: Evidence): Verdict {
  const tally = new Tally("I2");
  const highest = new Map<string, HistoryEvent>();
  for (const event of evidence.events) {
    if (event.op === "agentSetUp") highest.delete(event.actor);
    if (event.op !== "agentObeys" && event.op !== "agentOrdered" && event.op !== "agentStarted") continue;
    if (event.epoch === undefined) {
      if (event.op !== "agentStarted") tally.violated(`${event.actor}: ${event.op} without epoch`, event);
      continue;
    }
    // A process that starts again still knows its epoch, which proves nothing yet.
    if (event.op !== "agentStarted") tally.tested();
    const known = highest.get(event.actor);
    if (known === undefined || compareEpochTexts(event.epoch, known.epoch!) >= 0) highest.set(event.actor, event);
    else tally.violated(`${event.actor}: ${event.op} of epoch ${event.epoch} after it had answered epoch ${known.epoch}`, known, event);
  }
  return tally.verdict();
}

interface Answer {
  readonly what: string;
  readonly askedAt: number;
  readonly epoch: string;
  readonly revision: number | undefined;
  readonly events: readonly (HistoryEvent | undefined)[];
}

/**
 * I4. Whoever shows an epoch, in any event, has it from its leader, so by then it was elected and the older one could
 * commit nothing: what was asked after that can have no good answer from the older one. Tested: answers.
 */
function failStop(evidence: Evidence): Verdict {
  const tally = new Tally("I4");
  let newest: HistoryEvent | undefined;
  let shown = 0;
  for (const answer of answers(evidence)) {
    for (; shown < evidence.events.length && evidence.events[shown]!.t < answer.askedAt; shown++) {
      const event = evidence.events[shown]!;
      if (event.epoch === undefined) continue;
      if (newest === undefined || compareEpochTexts(event.epoch, newest.epoch!) > 0) newest = event;
    }
    tally.tested();
    if (newest !== undefined && compareEpochTexts(newest.epoch!, answer.epoch) > 0) {
      tally.violated(`${answer.what} was answered by epoch ${answer.epoch}, though ${newest.epoch} was there before it was asked`, newest, ...answer.events);
    }
    ownRevision(tally, evidence, answer);
  }
  // What was said may arrive late, but not be of a later revision than its speaker's last.
  for (const op of ["update", "subscribed", "offer"] as const) {
    for (const event of evidence.of(op)) {
      if (event.epoch === undefined) continue;
      const { epoch, revision, actor } = event;
      ownRevision(tally, evidence, { what: `${op} to ${actor}`, askedAt: event.t, epoch, revision, events: [event] });
    }
  }
  return tally.verdict();
}

/** An epoch answers with revisions of before the next one's first batch. */
function ownRevision(tally: Tally, evidence: Evidence, { what, epoch, revision, events }: Answer): void {
  if (revision === undefined) return;
  const commit = evidence.registry.commitAt(revision);
  if (commit?.epoch !== undefined && compareEpochTexts(commit.epoch, epoch) > 0) {
    tally.violated(`${what} came from epoch ${epoch} at revision ${revision}, where epoch ${commit.epoch} had written`, commit, ...events);
  }
}

/** Calls done and readings that claim to be current, in the order in which they were asked. */
function answers(evidence: Evidence): Answer[] {
  const all: Answer[] = [];
  for (const { op, actor, outcome, epoch, revision, invocation, end, invokedAt } of evidence.paired.calls) {
    if (outcome !== "ok" || epoch === undefined) continue;
    all.push({ what: `${op} by ${actor}`, askedAt: invokedAt, epoch, revision, events: [invocation, end] });
  }
  for (const event of evidence.of("read")) {
    if (event.value.stale || event.epoch === undefined) continue;
    const { actor, epoch, revision } = event;
    all.push({ what: `a reading by ${actor}`, askedAt: event.value.startedAt, epoch, revision, events: [event] });
  }
  return all.sort((a, b) => a.askedAt - b.askedAt);
}
