/** A history for people: what happened, in order, one line each, with the names of those concerned. */
import type { HistoryEvent } from "../history/event.ts";
import type { Plan } from "./plan.ts";

/** `only`: the events to be shown; all of them if not said. */
export function transcript(history: readonly HistoryEvent[], only?: ReadonlySet<number>): string[] {
  return history.filter(({ seq }) => only === undefined || only.has(seq)).map(line);
}

/** Events that say something of what the given ones speak of: the same task, launch, agent or offer. */
export function relatedTo(history: readonly HistoryEvent[], seqs: readonly number[]): Set<number> {
  const names = new Set(seqs.flatMap((seq) => namesIn(history[seq]?.value, NAMING)));
  const isShown = ({ kind, op, value }: HistoryEvent): boolean => kind === "fault" || TURNS.has(op) || namesIn(value, MENTIONING).some((name) => names.has(name));
  return new Set(history.filter(isShown).map(({ seq }) => seq));
}

export function describePlan(plan: Plan): string[] {
  const { masters, agents, frameworks, faults, actions, orders, seed, broken } = plan;
  const wants = frameworks.map(({ name, services, jobs, sdk }) => `${name} (${services} services, ${jobs} jobs${sdk ? ", by the SDK" : ""})`).join(", ");
  return [
    `seed ${seed}: ${masters} masters, ${agents} agents, ${wants}`,
    ...(broken?.masters ?? []).map(({ index, how }) => `m${index + 1} stays ${how}`),
    ...(broken?.agents ?? []).map(({ index, how }) => `a${index + 1} stays ${how}`),
    ...(broken?.frameworks ?? []).map((index) => `f${index + 1} stays away`),
    ...faults.map(({ at, name, target, forMs }) => `${seconds(at)}  ${name} ${target < 0 ? "(leader)" : target} for ${forMs} ms`),
    ...actions.map(({ at, name, framework }) => `${seconds(at)}  f${framework + 1} ${name}`),
    ...orders.map(({ at, name, target }) => `${seconds(at)}  operator: ${name} ${target}`),
  ];
}

function line(event: HistoryEvent): string {
  const { t, actor, kind, op, value, epoch, revision } = event;
  const at = [epoch !== undefined ? `epoch ${epoch}` : "", revision !== undefined ? `r${revision}` : ""].filter(Boolean).join(" ");
  const what = kind === "observe" || kind === "fault" ? op : `${op} ${kind}`;
  return `${seconds(t)}  ${actor.padEnd(18)} ${what.padEnd(18)} ${JSON.stringify(value)}${at === "" ? "" : `  [${at}]`}`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3).padStart(9);
}

/** Strings that name something, under these keys. */
function namesIn(value: unknown, keys: ReadonlySet<string>): string[] {
  if (typeof value === "string") return value.length > 3 && !value.startsWith("TASK_") ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((inner) => namesIn(inner, keys));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (keys.has(key) ? namesIn(inner, keys) : []));
}

/** Shown whatever it is about. */
const TURNS: ReadonlySet<string> = new Set(["phase", "leads", "restored"]);
const NAMING = new Set(["task", "launch", "offer", "uuid", "nonce", "tasks", "offers", "rows", "id"]);
const MENTIONING = new Set([...NAMING, "agent"]);
