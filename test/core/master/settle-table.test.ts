import test from "ava";
import { type HeldStanding, type RowStanding, type Verdict, verdictOn } from "../../../src/core/master/settle-table.ts";
import { stateText } from "./cluster-framework.ts";

/** The table of 9.3 in words: one line per row and state of the agent's task. */
const expected: readonly [RowStanding, HeldStanding, string][] = [
  ["deliverable", "absent", "launch"],
  ["deliverable", "unstarted", "start"],
  ["deliverable", "alive", "keep"],
  ["deliverable", "ended", "keep"],
  ["toBeKilled", "absent", "KILLED"],
  ["toBeKilled", "unstarted", "cancel, KILLED"],
  ["toBeKilled", "alive", "keep"],
  ["toBeKilled", "ended", "keep"],
  ["undeliverable", "absent", "DROPPED"],
  ["undeliverable", "unstarted", "cancel, DROPPED"],
  ["undeliverable", "alive", "keep"],
  ["undeliverable", "ended", "keep"],
  ["started", "absent", "GONE, alarm"],
  ["started", "unstarted", "cancel, GONE, alarm"],
  ["started", "alive", "keep"],
  ["started", "ended", "keep"],
  ["ended", "absent", "retire"],
  ["ended", "unstarted", "keep"],
  ["ended", "alive", "keep"],
  ["ended", "ended", "keep"],
  ["settled", "absent", "keep"],
  ["settled", "unstarted", "cancel"],
  ["settled", "alive", "kill, alarm"],
  ["settled", "ended", "forget"],
  ["elsewhere", "absent", "keep"],
  ["elsewhere", "unstarted", "alarm"],
  ["elsewhere", "alive", "stranger, alarm"],
  ["elsewhere", "ended", "alarm"],
  ["history", "absent", "keep"],
  ["history", "unstarted", "cancel"],
  ["history", "alive", "kill, alarm"],
  ["history", "ended", "forget"],
  ["ownerless", "absent", "keep"],
  ["ownerless", "unstarted", "cancel"],
  ["ownerless", "alive", "kill"],
  ["ownerless", "ended", "forget"],
  ["adoptable", "absent", "keep"],
  ["adoptable", "unstarted", "cancel"],
  ["adoptable", "alive", "adopt"],
  ["adoptable", "ended", "adopt"],
  ["unknown", "absent", "keep"],
  ["unknown", "unstarted", "alarm"],
  ["unknown", "alive", "stranger, alarm"],
  ["unknown", "ended", "stranger, alarm"],
];

for (const [row, held, words] of expected) {
  test(`9.3 ${row} in the registry, ${held} on the agent: ${words}`, (t) => t.is(inWords(verdictOn(row, held)), words));
}

function inWords({ order, end, retire, adopt, stranger, alarm }: Verdict): string {
  const parts = [
    order,
    end === undefined ? undefined : stateText(end),
    retire ? "retire" : undefined,
    adopt ? "adopt" : undefined,
    stranger ? "stranger" : undefined,
    alarm === undefined ? undefined : "alarm",
  ];
  return parts.filter((part) => part !== undefined).join(", ") || "keep";
}
