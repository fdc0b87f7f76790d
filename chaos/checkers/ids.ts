/** I5: what is named is named once. */
import type { HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { Tally, type Verdict } from "./verdict.ts";

/** Tested: ids given out. */
export function ids(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I5");
  const offers = new Names(tally, "offer");
  for (const event of evidence.of("offer")) offers.givenOut(event.value.offer, event);
  const updates = new Names(tally, "update");
  for (const event of evidence.journal) updates.givenOut(event.value.uuid, event);
  starts(tally, evidence);
  meanings(tally, evidence);
  launches(tally, evidence);
  return [tally.verdict()];
}

/** Counted on the agent's disk, so from the beginning where its host was set up anew. */
function starts(tally: Tally, evidence: Evidence): void {
  const names = new Names(tally, "start of an agent");
  const lives = new Map<string, number>();
  for (const event of evidence.events) {
    if (event.op === "agentSetUp") lives.set(event.actor, (lives.get(event.actor) ?? 0) + 1);
    if (event.op === "agentStarted") names.givenOut(`${event.actor}${"'".repeat(lives.get(event.actor) ?? 0)} #${event.value.starts}`, event);
  }
}

/** An id that was told stands for one thing, whoever tells it. */
function meanings(tally: Tally, evidence: Evidence): void {
  const uuids = new Map<string, { readonly meaning: string; readonly event: HistoryEvent }>();
  const means = (uuid: string, meaning: string, event: HistoryEvent): void => {
    if (uuid === "") return;
    const known = uuids.get(uuid);
    if (known === undefined) uuids.set(uuid, { meaning, event });
    else if (known.meaning !== meaning) tally.violated(`uuid ${uuid} stands for ${known.meaning} and for ${meaning}`, known.event, event);
  };
  for (const event of evidence.journal) means(event.value.uuid, event.value.task, event);
  for (const event of evidence.of("update")) means(event.value.uuid, event.value.task, event);
}

function launches(tally: Tally, evidence: Evidence): void {
  const owners = new Map<string, string>();
  for (const commit of evidence.registry.commits) {
    for (const change of commit.value.rows) {
      if (change.table !== "task" || change.task === undefined) continue;
      const owner = `task ${change.task.task} of ${change.task.framework} on ${change.task.agent}`;
      const known = owners.get(change.id);
      if (known === undefined) {
        tally.tested();
        owners.set(change.id, owner);
      } else if (known !== owner) tally.violated(`launch ${change.id} is ${known}, then ${owner}`, commit);
    }
  }
}

class Names {
  readonly #tally: Tally;
  readonly #what: string;
  readonly #first = new Map<string, HistoryEvent>();

  constructor(tally: Tally, what: string) {
    this.#tally = tally;
    this.#what = what;
  }

  givenOut(name: string, event: HistoryEvent): void {
    this.#tally.tested();
    const first = this.#first.get(name);
    if (first === undefined) this.#first.set(name, event);
    else this.#tally.violated(`${this.#what} ${name} was given out twice`, first, event);
  }
}
