/**
 * Rare branches that a long campaign must have been through. A mark that stays at zero says that the simulation, not
 * the product, has lost an ability.
 */
import type { HistoryEvent, RowChange } from "../history/event.ts";
import { sdkMarks } from "./sdk-scheduler.ts";
import { loggedMarks } from "./telemetry.ts";
import { TOO_SLOW } from "./watchers.ts";

/** How often each was reached in one history; what is 0 is left out. */
export function marksOf(history: readonly HistoryEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  const reached = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const look = new Look(reached);
  for (const event of history) look.at(event);
  return counts;
}

const observed = [
  "failover",
  "fenced transaction refused",
  "update told again",
  "call answered by a later leader than it was made under",
  "launch dropped: its offers were gone",
  "task ended before it ran",
  "task unreachable",
  "task back from unreachable",
  "task gone with its host",
  "two masters believe that they lead",
  "framework removed by its deadline",
  "agent process restarted under tasks",
  "store set back to a backup",
  "launch asked for again under a new offer",
  "something broken for good",
  "news stream resumed with another leader",
  TOO_SLOW,
  "order answered by a later leader",
  "order refused",
  "agent that is gone comes back",
  "agent that is unreachable marked as gone",
  "agent set up anew",
  "framework torn down by an operator",
  "agent out of service under a new leader",
] as const;

export const allMarks: readonly string[] = [...observed, ...sdkMarks, ...Object.keys(loggedMarks)];

class Look {
  readonly #reached: (name: string) => void;
  readonly #uuids = new Set<string>();
  readonly #epochs = new Set<string>();
  readonly #leaders = new Set<string>();
  readonly #unreachable = new Set<string>();
  readonly #started = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #tornDown = new Set<string>();
  readonly #invokedIn = new Map<string, string>();
  readonly #running = new Map<string, number>();
  readonly #newsOf = new Map<string, string>();
  readonly #agents = new Map<string, RowChange & { readonly table: "agent" }>();
  #epoch = "";

  constructor(reached: (name: (typeof observed)[number]) => void) {
    this.#reached = reached as (name: string) => void;
  }

  at(event: HistoryEvent): void {
    const { op, value, kind, actor } = event;
    switch (op) {
      case "commit":
        if (!this.#epochs.has(event.epoch!)) this.#begins();
        this.#epochs.add((this.#epoch = event.epoch!));
        for (const row of value.rows) this.#row(row);
        return;
      case "restored":
        return this.#reached("store set back to a backup");
      case "fault":
        if (value.name === "broken" && value.on) this.#reached("something broken for good");
        return;
      case "fenced":
        return this.#reached("fenced transaction refused");
      case "mark":
        return this.#reached(value.name);
      case "leads":
        if (this.#leaders.size > 0 && !this.#leaders.has(value.master)) this.#reached("two masters believe that they lead");
        return void this.#leaders.add(value.master);
      case "leadsNoMore":
        return void this.#leaders.delete(value.master);
      case "witnessStart":
        this.#running.set(value.agent, (this.#running.get(value.agent) ?? 0) + 1);
        return void this.#started.add(value.task);
      case "agentSetUp":
        return this.#reached("agent set up anew");
      case "agentObeys":
        if (this.#agents.get(value.agent)?.standing === "gone") this.#reached("agent that is gone comes back");
        return;
      case "agentStarted":
        if (value.starts > 1 && (this.#running.get(actor.slice("agent/".length)) ?? 0) > 0) this.#reached("agent process restarted under tasks");
        return;
      case "update":
        return this.#update(value);
      case "news":
        return this.#news(actor, event.epoch!);
      default:
        if (kind === "invoke" && op === "launch") this.#launch(value.tasks.map(({ task }) => task));
        if (kind === "invoke") this.#invokedIn.set(`${actor}/${event.call}`, this.#epoch);
        if (kind === "invoke" && op === "teardown") this.#tornDown.add(value.framework);
        if (kind === "ok" && this.#invokedIn.get(`${actor}/${event.call}`) !== this.#epoch) this.#late(actor);
        if (actor.startsWith("operator/")) this.#order(event);
    }
  }

  #begins(): void {
    if (this.#epochs.size === 0) return;
    this.#reached("failover");
    for (const { active } of this.#agents.values()) if (active === false) this.#reached("agent out of service under a new leader");
  }

  #row(row: RowChange): void {
    if (row.table === "framework" && row.standing === "removed" && !this.#tornDown.has(row.id)) this.#reached("framework removed by its deadline");
    if (row.table !== "agent") return;
    if (row.standing === "gone" && this.#agents.get(row.id)?.standing === "unreachable") this.#reached("agent that is unreachable marked as gone");
    this.#agents.set(row.id, row);
  }

  #late(actor: string): void {
    this.#reached(actor.startsWith("operator/") ? "order answered by a later leader" : "call answered by a later leader than it was made under");
  }

  #order({ kind, op }: HistoryEvent): void {
    if (kind === "fail") this.#reached("order refused");
    if (kind === "ok" && op === "teardown") this.#reached("framework torn down by an operator");
  }

  #news(actor: string, epoch: string): void {
    const before = this.#newsOf.get(actor);
    if (before !== undefined && before !== epoch) this.#reached("news stream resumed with another leader");
    this.#newsOf.set(actor, epoch);
  }

  #launch(tasks: readonly string[]): void {
    for (const task of tasks) {
      if (this.#asked.has(task)) this.#reached("launch asked for again under a new offer");
      this.#asked.add(task);
    }
  }

  #update({ task, state, uuid, reason }: { readonly task: string; readonly state: string; readonly uuid: string; readonly reason: string }): void {
    if (uuid !== "" && this.#uuids.has(uuid)) this.#reached("update told again");
    this.#uuids.add(uuid);
    if (state === "TASK_DROPPED" && reason === "REASON_INVALID_OFFERS") this.#reached("launch dropped: its offers were gone");
    if (state === "TASK_KILLED" && !this.#started.has(task)) this.#reached("task ended before it ran");
    if (state === "TASK_GONE") this.#reached("task gone with its host");
    if (state === "TASK_UNREACHABLE") {
      this.#reached("task unreachable");
      this.#unreachable.add(task);
    } else if (this.#unreachable.delete(task) && state === "TASK_RUNNING") this.#reached("task back from unreachable");
  }
}
