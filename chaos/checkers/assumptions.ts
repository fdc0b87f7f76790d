/** What every other checker takes for granted of a history, and what no run may complain of. */
import type { HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { Tally, type Verdict } from "./verdict.ts";

const PHASES = ["quiet", "chaos", "healed", "settled", "final"] as const;

export function assumptions(evidence: Evidence): readonly Verdict[] {
  return [wellFormed(evidence), complaints(evidence)];
}

/** Tested: events. */
function wellFormed(evidence: Evidence): Verdict {
  const tally = new Tally("history");
  tally.tested(evidence.events.length);
  const seen = new Map<number, HistoryEvent>();
  for (const event of evidence.events) {
    const twin = seen.get(event.seq);
    if (twin !== undefined) tally.violated(`two events are number ${event.seq}`, twin, event);
    seen.set(event.seq, event);
  }
  for (const stray of evidence.paired.strays) tally.violated(`${stray.actor}: ${stray.kind} of ${stray.op} ${stray.call} has no place`, stray);
  for (const { invocation, end } of evidence.paired.calls) {
    if (end !== undefined && JSON.stringify(invocation.value) !== JSON.stringify(end.value)) {
      tally.violated(`${invocation.actor}: ${invocation.op} ${invocation.call} was asked and answered with different words`, invocation, end);
    }
  }
  phases(tally, evidence);
  owners(tally, evidence);
  return tally.verdict();
}

function phases(tally: Tally, evidence: Evidence): void {
  let at = -1;
  for (const event of evidence.of("phase")) {
    const next = PHASES.indexOf(event.value.name);
    if (next <= at) tally.violated(`phase ${event.value.name} comes after ${PHASES[at]}`, event);
    at = next;
  }
}

/** Witnesses know their task, and not whose it is: so no two frameworks may use one id. */
function owners(tally: Tally, evidence: Evidence): void {
  const known = new Map<string, HistoryEvent & { readonly op: "launch" }>();
  for (const { value, invocation } of evidence.calls("launch")) {
    for (const { task } of value.tasks) {
      const first = known.get(task);
      if (first === undefined) known.set(task, invocation);
      else if (first.value.framework !== value.framework) tally.violated(`${first.value.framework} and ${value.framework} both launch ${task}`, first, invocation);
    }
  }
}

/** A registry that was set back remembers tasks that their agents have forgotten, and says so. */
const AFTER_RESTORE = /started tasks are not on it any more/;

/** Tested: once, if anything happened at all; nobody complains of a good run. */
function complaints(evidence: Evidence): Verdict {
  const tally = new Tally("complaints");
  if (evidence.events.length > 0) tally.tested();
  const restoredAt = evidence.of("restored")[0]?.t ?? Infinity;
  for (const event of evidence.of("complaint")) {
    const { of, message } = event.value;
    if (event.t < restoredAt || !AFTER_RESTORE.test(message)) tally.violated(`${of}: ${message}`, event);
  }
  return tally.verdict();
}
