/** I15: an offer is spent once, by whom it was made to, while its leader leads. */
import { epochText } from "../../src/base/epoch.ts";
import { parseIssuedId } from "../../src/model/ids.ts";
import type { Call } from "../history/calls.ts";
import type { Amounts, EventOf } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { at } from "./registry-log.ts";
import { Tally, type Verdict } from "./verdict.ts";

interface Offer {
  readonly event: EventOf<"offer">;
  /** From then on its framework knew that it was gone. */
  goneAt: number;
  /** The launches any one of which may have spent it; by a task that surely came of it. */
  spentBy: ReadonlySet<Call<"launch">> | undefined;
  spentOn: string;
}

/**
 * Tested: launched tasks whose offers are known.
 *
 * An ACCEPT is also good if it launches nothing, and is repeated until it was answered. So a task counts against an
 * offer only if every call that may have launched it names the offer; and two tasks spend it twice only if no one call
 * could have launched both.
 */
export function offers(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I15");
  const known = gather(evidence);
  for (const [task, launches] of evidence.registry.byTask) {
    const calls = evidence.attempts(task).filter(({ outcome }) => outcome !== "fail");
    // With an id used again nobody can say which call was which launch.
    if (launches.length !== 1 || calls.length === 0) continue;
    const [launch] = launches;
    const first = launch!.versions[0]!;
    // Not launched but taken over.
    if (first.row?.state !== "TASK_STAGING") continue;
    if (isOutOfService(evidence, launch!.agent, first.revision)) tally.violated(`${task} was launched on ${launch!.agent}, of which nothing is offered`, calls[0]!.invocation, first.commit);
    if (known.size > 0 && calls.every(({ value }) => !value.offers.some((id) => known.has(id)))) {
      tally.violated(`${task} was launched with offers that nobody had made: ${calls[0]!.value.offers.join(", ")}`, calls[0]!.invocation, first.commit);
    }
    const surely = calls[0]!.value.offers.filter((id) => calls.every(({ value }) => value.offers.includes(id)));
    for (const id of surely) {
      const offer = known.get(id);
      if (offer === undefined) continue;
      tally.tested();
      spend(tally, offer, task, calls, first.commit);
    }
  }
  for (const call of evidence.calls("launch")) if (call.outcome !== "fail") withinOffers(tally, evidence, known, call);
  return [tally.verdict()];
}

/** Before the batch and after it: within one, what is offered and when is not seen. */
function isOutOfService({ registry }: Evidence, agent: string, revision: number): boolean {
  return [revision - 1, revision].every((each) => at(registry.agents.get(agent), each)?.active === false);
}

function gather(evidence: Evidence): Map<string, Offer> {
  const known = new Map<string, Offer>();
  for (const event of evidence.of("offer")) {
    if (!known.has(event.value.offer)) known.set(event.value.offer, { event, goneAt: Infinity, spentBy: undefined, spentOn: "" });
  }
  const gone = (id: string, framework: string, t: number): void => {
    const offer = known.get(id);
    if (offer?.event.value.framework === framework) offer.goneAt = Math.min(offer.goneAt, t);
  };
  for (const { t, value } of evidence.of("rescind")) gone(value.offer, value.framework, t);
  for (const { outcome, endedAt, value } of evidence.calls("decline")) {
    if (outcome === "ok") value.offers.forEach((id) => gone(id, value.framework, endedAt));
  }
  return known;
}

function spend(tally: Tally, offer: Offer, task: string, calls: readonly Call<"launch">[], commit: EventOf<"commit">): void {
  const { offer: id, framework, agent } = offer.event.value;
  const [call] = calls;
  const says = (problem: string): void => tally.violated(`${task} was launched with offer ${id}, ${problem}`, offer.event, call!.invocation, commit);
  if (call!.value.framework !== framework) says(`which is ${framework}'s`);
  if (call!.value.agent !== agent) says(`which is of ${agent}`);
  if (calls.every(({ invokedAt }) => invokedAt > offer.goneAt)) says("which was taken back before");
  const issued = parseIssuedId(id);
  const epoch = offer.event.epoch ?? (issued === undefined ? undefined : epochText(issued.epoch));
  if (epoch !== undefined && commit.epoch !== undefined && epoch !== commit.epoch) says(`which is of epoch ${epoch}, by epoch ${commit.epoch}`);

  const common = offer.spentBy === undefined ? new Set(calls) : offer.spentBy.intersection(new Set(calls));
  if (common.size === 0) says(`as was ${offer.spentOn}, by another call`);
  else offer.spentBy = common;
  offer.spentOn = task;
}

/** What a call launched is part of what it was offered. */
function withinOffers(tally: Tally, evidence: Evidence, known: ReadonlyMap<string, Offer>, call: Call<"launch">): void {
  const offered = call.value.offers.map((id) => known.get(id)?.event.value.resources);
  if (offered.includes(undefined)) return;
  const launched = call.value.tasks.filter(({ task }) => evidence.registry.byTask.has(task) && evidence.attempts(task).length === 1);
  const [have, take] = [sum(offered as Amounts[]), sum(launched.map(({ resources }) => resources))];
  for (const [name, amount] of take) {
    if (amount > (have.get(name) ?? 0)) tally.violated(`${call.actor} launched ${amount} ${name} on offers of ${have.get(name) ?? 0}`, call.invocation);
  }
}

function sum(all: readonly Amounts[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const amounts of all) for (const [name, amount] of Object.entries(amounts)) sums.set(name, (sums.get(name) ?? 0) + amount);
  return sums;
}
