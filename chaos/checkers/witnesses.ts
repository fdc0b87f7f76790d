/** What truly ran, as the tasks themselves wrote it. */
import type { EventOf, HistoryEvent } from "../history/event.ts";

export interface Life {
  readonly task: string;
  readonly launch: string;
  readonly agent: string;
  readonly nonce: string;
  readonly start: EventOf<"witnessStart">;
  /** Times at which it was seen alive, its start among them. */
  readonly seen: number[];
  readonly signals: EventOf<"witnessSignal">[];
  exit: EventOf<"witnessExit"> | undefined;
}

export interface Witnesses {
  readonly lives: readonly Life[];
  readonly byTask: ReadonlyMap<string, readonly Life[]>;
  /** Words of processes that never said that they had started, or that spoke after their exit. */
  readonly strays: readonly HistoryEvent[];
}

/** @param events in the order of time. */
export function gatherLives(events: readonly HistoryEvent[]): Witnesses {
  const lives: Life[] = [];
  const current = new Map<string, Life>();
  const strays: HistoryEvent[] = [];
  for (const event of events) {
    switch (event.op) {
      case "witnessStart": {
        const { task, launch, agent, nonce } = event.value;
        const life: Life = { task, launch, agent, nonce, start: event, seen: [event.t], signals: [], exit: undefined };
        lives.push(life);
        current.set(`${task}\0${nonce}`, life);
        break;
      }
      case "witnessBeat":
      case "witnessSignal":
      case "witnessExit": {
        const life = current.get(`${event.value.task}\0${event.value.nonce}`);
        if (life === undefined || life.exit !== undefined) {
          strays.push(event);
          break;
        }
        life.seen.push(event.t);
        if (event.op === "witnessSignal") life.signals.push(event);
        if (event.op === "witnessExit") life.exit = event;
        break;
      }
      default:
    }
  }
  return { lives, byTask: Map.groupBy(lives, ({ task }) => task), strays };
}

/** When it was last seen. A process that was killed outright cannot tell of it. */
export function lastSeen(life: Life): number {
  return life.seen.at(-1)!;
}

/** Until when it ran. Where no witness beats, all of them are taken to live until they tell of their end. */
export function livedUntil(life: Life, beatGapMs: number): number {
  return life.exit?.t ?? (beatGapMs === Infinity ? Infinity : lastSeen(life));
}
