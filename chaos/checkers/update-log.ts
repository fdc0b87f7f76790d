/** The way of each update: journaled by its agent, told to its framework, acknowledged, retired. */
import type { Call } from "../history/calls.ts";
import type { EventOf } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";

export interface UpdateWay {
  readonly journaled: EventOf<"agentUpdate">;
  /** All its arrivals, in the order of time. */
  readonly heard: readonly EventOf<"update">[];
  /** Acknowledgements of it that may have reached its agent: right in every part, and not refused. */
  readonly acknowledged: readonly Call<"acknowledge">[];
  readonly retired: EventOf<"agentAcknowledged"> | undefined;
}

export interface UpdateStream {
  readonly launch: string;
  readonly task: string;
  readonly framework: string | undefined;
  readonly agent: string;
  readonly updates: readonly UpdateWay[];
  readonly forgot: EventOf<"agentForgot"> | undefined;
}

/** Of every launch of which an agent journaled anything, and what was told or acknowledged and fits none of them. */
export interface UpdateLog {
  readonly streams: readonly UpdateStream[];
  readonly unjournaled: readonly EventOf<"update">[];
  readonly retiredUnjournaled: readonly EventOf<"agentAcknowledged">[];
  /** Acknowledgements that are wrong in some part: they have to retire nothing. */
  readonly wrong: readonly Call<"acknowledge">[];
}

export function updateLog(evidence: Evidence): UpdateLog {
  const { journal } = evidence;
  const heard = Map.groupBy(evidence.of("update"), ({ value }) => value.uuid);
  const acknowledged = Map.groupBy(evidence.calls("acknowledge"), ({ value }) => value.uuid);
  const retired = Map.groupBy(evidence.of("agentAcknowledged"), ({ value }) => `${value.launch}\0${value.uuid}`);
  const forgotten = Map.groupBy(evidence.of("agentForgot"), ({ value }) => value.launch);
  const right = new Set<Call<"acknowledge">>();
  const streams: UpdateStream[] = [];
  for (const [launch, entries] of Map.groupBy(journal, ({ value }) => value.launch)) {
    const { task } = entries[0]!.value;
    const row = evidence.registry.launches.get(launch);
    const framework = row?.framework ?? evidence.attempts(task)[0]?.value.framework;
    const agent = row?.agent ?? entries[0]!.value.agent;
    const updates = entries.map((journaled): UpdateWay => {
      const { uuid } = journaled.value;
      const fitting = (acknowledged.get(uuid) ?? []).filter(
        ({ value }) => value.task === task && value.agent === agent && (framework === undefined || value.framework === framework),
      );
      for (const call of fitting) right.add(call);
      return {
        journaled,
        heard: heard.get(uuid) ?? [],
        acknowledged: fitting.filter(({ outcome }) => outcome !== "fail"),
        retired: retired.get(`${launch}\0${uuid}`)?.[0],
      };
    });
    streams.push({ launch, task, framework, agent, updates, forgot: forgotten.get(launch)?.[0] });
  }
  const uuids = new Set(journal.map(({ value }) => value.uuid));
  const pairs = new Set(journal.map(({ value }) => `${value.launch}\0${value.uuid}`));
  return {
    streams,
    unjournaled: journal.length === 0 ? [] : evidence.of("update").filter(({ value }) => value.uuid !== "" && !uuids.has(value.uuid)),
    retiredUnjournaled: evidence.of("agentAcknowledged").filter(({ value }) => !pairs.has(`${value.launch}\0${value.uuid}`)),
    wrong: evidence.calls("acknowledge").filter((call) => !right.has(call)),
  };
}
