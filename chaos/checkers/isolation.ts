/** I26: no call of one framework reads or changes what is another's. */
import type { Call } from "../history/calls.ts";
import type { EventOf, HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { mayBeKilled, mayBeOrdered } from "./kills.ts";
import { needsNoRow } from "./states-table.ts";
import { isNobodys } from "./updates.ts";
import { Tally, type Verdict } from "./verdict.ts";

/** Whose each offer is that somebody got. */
type Owners = ReadonlyMap<string, EventOf<"offer">>;

/** Calls about what is another's, by that task or offer. */
interface Meddling {
  readonly kills: ReadonlyMap<string, readonly Call<"kill">[]>;
  readonly acknowledgements: ReadonlyMap<string, readonly Call<"acknowledge">[]>;
  /** Launches with the offer, and refusals of it. */
  readonly uses: ReadonlyMap<string, readonly (Call<"launch"> | Call<"decline">)[]>;
}

/** Tested: calls about tasks and offers of another framework, whatever was answered. */
export function isolation(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I26");
  const owners = ownersOf(evidence);
  const meddling = meddlingOf(tally, evidence, owners);
  news(tally, evidence, owners);
  for (const [task, calls] of meddling.kills) notKilled(tally, evidence, task, calls);
  notRetired(tally, evidence, meddling.acknowledgements);
  for (const [offer, calls] of meddling.uses) notUsed(tally, evidence, owners.get(offer)!, calls);
  return [tally.verdict()];
}

function ownersOf(evidence: Evidence): Owners {
  const owners = new Map<string, EventOf<"offer">>();
  for (const event of evidence.of("offer")) if (!owners.has(event.value.offer)) owners.set(event.value.offer, event);
  return owners;
}

function meddlingOf(tally: Tally, evidence: Evidence, owners: Owners): Meddling {
  const kills = evidence.calls("kill").filter(({ value }) => evidence.isAnothers(value));
  const acknowledgements = evidence.calls("acknowledge").filter(({ value }) => evidence.isAnothers(value));
  const questions = evidence.calls("reconcile").filter(({ value: { framework, tasks } }) => tasks.some((task) => evidence.isAnothers({ task, framework })));
  const uses = new Map<string, (Call<"launch"> | Call<"decline">)[]>();
  for (const call of [...evidence.calls("launch"), ...evidence.calls("decline")]) {
    const { framework, offers } = call.value;
    for (const offer of offers) {
      const owner = owners.get(offer)?.value.framework;
      if (owner === undefined || owner === framework) continue;
      tally.tested();
      uses.set(offer, [...(uses.get(offer) ?? []), call]);
    }
  }
  tally.tested(kills.length + acknowledgements.length + questions.length);
  return { kills: Map.groupBy(kills, ({ value }) => value.task), acknowledgements: Map.groupBy(acknowledgements, ({ value }) => value.uuid), uses };
}

/** Of what is another's one is told that nobody knows it, when one asks, and no more. */
function news(tally: Tally, evidence: Evidence, owners: Owners): void {
  for (const event of evidence.of("update")) {
    const { framework, task, state, uuid, source } = event.value;
    if (!evidence.isAnothers(event.value)) continue;
    if (uuid !== "" || source !== "master" || !needsNoRow(state)) tally.violated(`${framework} was told ${state} of ${task}, which is another's`, event);
    else if (!hasAsked(evidence, framework, task, event.t)) tally.violated(`${framework} was told of ${task}, which is another's, and had not asked`, event);
  }
  for (const op of ["offer", "rescind"] as const) {
    for (const event of evidence.of(op)) {
      const { framework, offer } = event.value;
      const first = owners.get(offer);
      if (first !== undefined && first.value.framework !== framework) tally.violated(`${framework} was told of offer ${offer}, which is ${first.value.framework}'s`, first, event);
    }
  }
}

function hasAsked(evidence: Evidence, framework: string, task: string, before: number): boolean {
  const asks = (call: Call<"kill"> | Call<"reconcile">): boolean => call.value.framework === framework && call.invokedAt <= before;
  return evidence.calls("reconcile").some((call) => asks(call) && call.value.tasks.includes(task)) || evidence.calls("kill").some((call) => asks(call) && call.value.task === task);
}

/** Neither marked, nor ordered, nor ended. */
function notKilled(tally: Tally, evidence: Evidence, task: string, [first]: readonly Call<"kill">[]): void {
  const { framework } = first!.value;
  for (const launch of evidence.registry.byTask.get(task) ?? []) {
    const says = (what: string, event: HistoryEvent): void => tally.violated(`${framework} killed ${task}, which is ${launch.framework}'s: ${what}`, first!.invocation, event);
    const marked = launch.versions.find(({ row }) => row?.killed === true)?.commit;
    if (marked !== undefined && !mayBeKilled(evidence, launch, marked.t)) says("its row is marked", marked);
    for (const event of evidence.of("agentOrdered")) {
      if (event.value.launch === launch.launch && event.value.order === "kill" && event.t >= first!.invokedAt && !mayBeOrdered(evidence, launch, event.t)) says(`${event.actor} was ordered to`, event);
    }
    const ended = evidence.updates(task).find(({ t, value }) => t >= first!.invokedAt && (value.state === "TASK_KILLED" || value.state === "TASK_KILLING"));
    if (ended !== undefined && !mayBeKilled(evidence, launch, ended.t)) says(`it is ${ended.value.state}`, ended);
  }
}

function notRetired(tally: Tally, evidence: Evidence, acknowledgements: Meddling["acknowledgements"]): void {
  for (const stream of evidence.updateLog.streams) {
    for (const { journaled, acknowledged, retired } of stream.updates) {
      const wrong = acknowledgements.get(journaled.value.uuid)?.[0];
      if (wrong === undefined || retired === undefined || retired.t < wrong.invokedAt) continue;
      if (acknowledged.some(({ invokedAt }) => invokedAt <= retired.t) || isNobodys(evidence, stream, retired.t)) continue;
      tally.violated(`${wrong.value.framework} acknowledged ${journaled.value.state} of ${stream.task}, which is another's, and it was retired`, wrong.invocation, retired);
    }
  }
}

/** Nothing comes of it, and its owner can use it as if nothing had been. */
function notUsed(tally: Tally, evidence: Evidence, offer: EventOf<"offer">, calls: readonly (Call<"launch"> | Call<"decline">)[]): void {
  const { offer: id, framework: owner } = offer.value;
  for (const call of calls) {
    if (call.op !== "launch") continue;
    for (const { task } of call.value.tasks) {
      const [launch] = evidence.registry.byTask.get(task) ?? [];
      // With another attempt nobody can say which of them it was.
      if (launch === undefined || evidence.attempts(task).length !== 1) continue;
      tally.violated(`${call.value.framework} launched ${task} with offer ${id}, which is ${owner}'s`, offer, call.invocation, launch.versions[0]!.commit);
    }
  }
  const uses = [...evidence.calls("launch"), ...evidence.calls("decline")].filter(({ value }) => value.framework === owner && value.offers.includes(id));
  const [use] = uses;
  if (use?.op !== "launch" || uses.length > 1 || calls.every(({ invokedAt }) => invokedAt > use.endedAt)) return;
  const tasks = new Set(use.value.tasks.map(({ task }) => task));
  const refused = evidence.of("update").find(({ t, value }) => t >= use.invokedAt && value.framework === owner && tasks.has(value.task) && value.reason === "REASON_INVALID_OFFERS");
  if (refused === undefined || isTakenBack(evidence, offer, refused.t)) return;
  tally.violated(`${calls[0]!.value.framework} used offer ${id}, which is ${owner}'s, who then could not: it had not been taken back`, offer, calls[0]!.invocation, refused);
}

/** It was rescinded, or ended with its stream, between these times. */
function isTakenBack(evidence: Evidence, { value: { offer, framework }, t }: EventOf<"offer">, before: number): boolean {
  if (evidence.of("rescind").some((event) => event.value.offer === offer && event.t <= before)) return true;
  return [...evidence.of("disconnected"), ...evidence.of("subscribed")].some((event) => event.value.framework === framework && event.t >= t && event.t <= before);
}
