/** A history, looked at from all sides that several checkers need; each is worked out once, when first asked for. */
import { pairCalls, type Call, type PairedCalls } from "../history/calls.ts";
import type { CallName, EventOf, HistoryEvent, ObservationName } from "../history/event.ts";
import { FaultWindows } from "./fault-windows.ts";
import { RegistryLog } from "./registry-log.ts";
import { updateLog, type UpdateLog } from "./update-log.ts";
import { gatherLives, type Witnesses } from "./witnesses.ts";

export class Evidence {
  /** In the order of time. */
  readonly events: readonly HistoryEvent[];
  /** Time of the last event: of what would come later nothing is known. */
  readonly end: number;
  readonly #byOp = new Map<string, HistoryEvent[]>();
  #paired: PairedCalls | undefined;
  #callsByOp: Map<string, Call[]> | undefined;
  #registry: RegistryLog | undefined;
  #faults: FaultWindows | undefined;
  #witnesses: Witnesses | undefined;
  #attempts: Map<string, Call<"launch">[]> | undefined;
  #journal: readonly EventOf<"agentUpdate">[] | undefined;
  #kills: Map<string, Call<"kill">[]> | undefined;
  #hosts: Map<string, string> | undefined;
  #connected: Map<string, number> | undefined;
  #updates: Map<string, EventOf<"update">[]> | undefined;
  #updateLog: UpdateLog | undefined;

  constructor(events: readonly HistoryEvent[]) {
    this.events = isInOrder(events) ? events : [...events].sort((a, b) => a.t - b.t || a.seq - b.seq);
    this.end = this.events.at(-1)?.t ?? 0;
    for (const event of this.events) {
      const list = this.#byOp.get(event.op);
      if (list === undefined) this.#byOp.set(event.op, [event]);
      else list.push(event);
    }
  }

  of<K extends ObservationName | "fault">(op: K): readonly EventOf<K>[] {
    return (this.#byOp.get(op) ?? []) as unknown as readonly EventOf<K>[];
  }

  /** In the order of their invocations. */
  calls<K extends CallName>(op: K): readonly Call<K>[] {
    this.#callsByOp ??= Map.groupBy(this.paired.calls, (call) => call.op);
    return (this.#callsByOp.get(op) ?? []) as unknown as readonly Call<K>[];
  }

  get paired(): PairedCalls {
    return (this.#paired ??= pairCalls(this.events));
  }

  get registry(): RegistryLog {
    return (this.#registry ??= new RegistryLog(this.of("commit"), this.of("restored")));
  }

  get faults(): FaultWindows {
    return (this.#faults ??= new FaultWindows(this.events));
  }

  get witnesses(): Witnesses {
    return (this.#witnesses ??= gatherLives(this.events));
  }

  /** What agents journaled, each update where it stands first: a new journal begins with a copy of what the old one held. */
  get journal(): readonly EventOf<"agentUpdate">[] {
    if (this.#journal === undefined) {
      const known = new Set<string>();
      this.#journal = this.of("agentUpdate").filter(({ value }) => {
        const key = `${value.launch}\0${value.uuid}\0${value.state}`;
        return !known.has(key) && known.add(key);
      });
    }
    return this.#journal;
  }

  /** Calls that launch the task, whatever became of them. */
  attempts(task: string): readonly Call<"launch">[] {
    if (this.#attempts === undefined) {
      this.#attempts = new Map();
      for (const call of this.calls("launch")) for (const { task: id } of call.value.tasks) add(this.#attempts, id, call);
    }
    return this.#attempts.get(task) ?? [];
  }

  /** Whether the task is another framework's, as far as anybody has launched it. */
  isAnothers({ task, framework }: { readonly task: string; readonly framework: string }): boolean {
    const owner = this.attempts(task)[0]?.value.framework ?? this.registry.byTask.get(task)?.[0]?.framework;
    return owner !== undefined && owner !== framework;
  }

  /** Calls that may have killed the task: its own framework's, but for those that were refused. */
  kills(task: string): readonly Call<"kill">[] {
    if (this.#kills === undefined) {
      this.#kills = new Map();
      for (const call of this.calls("kill")) if (call.outcome !== "fail" && !this.isAnothers(call.value)) add(this.#kills, call.value.task, call);
    }
    return this.#kills.get(task) ?? [];
  }

  /** What its own framework was told of the task. */
  updates(task: string): readonly EventOf<"update">[] {
    this.#updates ??= Map.groupBy(this.of("update").filter(({ value }) => !this.isAnothers(value)), ({ value }) => value.task) as Map<string, EventOf<"update">[]>;
    return this.#updates.get(task) ?? [];
  }

  get updateLog(): UpdateLog {
    return (this.#updateLog ??= updateLog(this));
  }

  /** The host of an agent, by what the agent says of itself; else the name given is taken for the host's. */
  hostOf(agent: string): string {
    if (this.#hosts === undefined) {
      this.#hosts = new Map();
      for (const op of ["agentStarted", "agentObeys"] as const) {
        for (const { actor, value } of this.of(op)) this.#hosts.set(value.agent, actor.replace(/^agent\//, ""));
      }
    }
    return this.#hosts.get(agent) ?? agent;
  }

  /** When the run had settled and final readings began; undefined if it never came to that. */
  get finalAt(): number | undefined {
    return this.phaseAt("final");
  }

  phaseAt(name: EventOf<"phase">["value"]["name"]): number | undefined {
    return this.of("phase").find(({ value }) => value.name === name)?.t;
  }

  /** Until when what is owed has to be done: the final readings, or the end of the history. */
  get horizon(): number {
    return this.finalAt ?? this.end;
  }

  /** Since when the framework has the stream that it has at the horizon; undefined if it has none or is removed. */
  connectedSince(framework: string): number | undefined {
    if (this.#connected === undefined) {
      this.#connected = new Map();
      const { horizon } = this;
      for (const { op, value, t } of this.events) {
        if (t > horizon) break;
        if (op === "subscribed") this.#connected.set(value.framework, t);
        if (op === "disconnected" || op === "frameworkError") this.#connected.delete(value.framework);
      }
    }
    const removal = this.registry.lastingRemoval(framework);
    return removal !== undefined && removal.t <= this.horizon ? undefined : this.#connected.get(framework);
  }

  /** Whether the agent is a member at the horizon, and neither it nor its host is broken then. */
  isInReach(agent: string): boolean {
    const { horizon } = this;
    const host = this.hostOf(agent);
    const last = this.registry.agents.get(agent)?.findLast(({ commit }) => commit.t <= horizon);
    return last?.standing === "in" && !this.faults.hit([`agent/${host}`, "agent/*", `host/${host}`, "host/*"], horizon, horizon);
  }
}

function isInOrder(events: readonly HistoryEvent[]): boolean {
  return events.every((event, index) => index === 0 || events[index - 1]!.t <= event.t);
}

function add<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
