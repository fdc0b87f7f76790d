/** The table of 9.3: what is to be done about one difference between the registry and an agent's list. Pure. */
import { TaskState } from "../../wire/gen/mesos/v1/mesos.ts";

/** What the registry says of a launch. */
export type RowStanding =
  /** STAGING, and may start (6.2). */
  | "deliverable"
  /** STAGING, with a kill mark or without a framework. */
  | "toBeKilled"
  /** STAGING, of an older term or generation. */
  | "undeliverable"
  /** Started and not ended. */
  | "started"
  /** Ended by the agent's word. */
  | "ended"
  /** Ended by the master's word; told to its framework or not. */
  | "settled"
  | "elsewhere"
  /** No row: ended and forgotten. */
  | "history"
  /** No row: its framework was removed. */
  | "ownerless"
  /** No row: the registry is younger than the task (13.2), or gave it up with its agent (4.2). */
  | "adoptable"
  /** No row for no reason: containment says that this cannot happen. */
  | "unknown";

/** What the agent says of it. `unstarted`: accepted by an earlier process and not started (6.3). */
export type HeldStanding = "absent" | "unstarted" | "alive" | "ended";

export interface Verdict {
  /** What the agent is told. Kills of rows are told by delivery. */
  readonly order?: "launch" | "start" | "cancel" | "forget" | "kill";
  /** The row ends like this by the master's word. */
  readonly end?: TaskState;
  /** The row goes to history. */
  readonly retire?: true;
  /** A row is written. */
  readonly adopt?: true;
  /** The row takes over the agent's state, where the registry is younger than it. */
  readonly catchUp?: true;
  /** Counted as used and otherwise left alone. */
  readonly stranger?: true;
  readonly alarm?: string;
}

const { TASK_KILLED: KILLED, TASK_DROPPED: DROPPED, TASK_GONE: GONE } = TaskState;
const keep: Verdict = {};
const alive: Verdict = { catchUp: true };
const cancel: Verdict = { order: "cancel" };
const vanished = "a started task is not on its agent any more";
const ranOn = "runs, although its owner was told that it ended";
const twice = "is held by two agents";
const untold = "is not in the registry";

const table: { readonly [R in RowStanding]: { readonly [H in HeldStanding]: Verdict } } = {
  deliverable: { absent: { order: "launch" }, unstarted: { order: "start" }, alive, ended: keep },
  toBeKilled: { absent: { end: KILLED }, unstarted: { order: "cancel", end: KILLED }, alive, ended: keep },
  undeliverable: { absent: { end: DROPPED }, unstarted: { order: "cancel", end: DROPPED }, alive, ended: keep },
  started: { absent: { end: GONE, alarm: vanished }, unstarted: { order: "cancel", end: GONE, alarm: vanished }, alive, ended: keep },
  // Held and ended: the agent says its head again.
  ended: { absent: { retire: true }, unstarted: keep, alive: keep, ended: keep },
  settled: { absent: keep, unstarted: cancel, alive: { order: "kill", alarm: ranOn }, ended: { order: "forget" } },
  elsewhere: { absent: keep, unstarted: { alarm: twice }, alive: { stranger: true, alarm: twice }, ended: { alarm: twice } },
  history: { absent: keep, unstarted: cancel, alive: { order: "kill", alarm: ranOn }, ended: { order: "forget" } },
  ownerless: { absent: keep, unstarted: cancel, alive: { order: "kill" }, ended: { order: "forget" } },
  // Not started by an older generation: its framework never heard of it, or will be told that it is gone (10.4).
  adoptable: { absent: keep, unstarted: cancel, alive: { adopt: true }, ended: { adopt: true } },
  unknown: { absent: keep, unstarted: { alarm: untold }, alive: { stranger: true, alarm: untold }, ended: { stranger: true, alarm: untold } },
};

export function verdictOn(row: RowStanding, held: HeldStanding): Verdict {
  return table[row][held];
}
