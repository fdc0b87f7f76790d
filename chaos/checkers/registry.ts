/** I3: what clients are told was written first; and nobody else writes here. */
import type { Call } from "../history/calls.ts";
import type { EventOf } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { settings } from "./orders.ts";
import { at, isRestored, type Launch, type LaunchVersion } from "./registry-log.ts";
import { isEnd } from "./states-table.ts";
import { Tally, type Verdict } from "./verdict.ts";

/**
 * Tested: answers and updates compared with the rows they rest on. Where no revision was quoted, as in events of the
 * Mesos API, a row of any revision will do.
 */
export function registry(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I3");
  foreignRows(tally, evidence);
  if (evidence.registry.commits.length > 0) {
    for (const call of evidence.calls("launch")) if (call.outcome === "ok") launched(tally, evidence, call);
    for (const call of evidence.calls("kill")) if (call.outcome === "ok") killed(tally, evidence, call);
    for (const call of evidence.calls("teardown")) if (call.outcome === "ok") tornDown(tally, evidence, call);
    for (const call of evidence.calls("markGone")) if (call.outcome === "ok") markedGone(tally, evidence, call);
    settings(tally, evidence);
    for (const event of evidence.of("subscribed")) subscribed(tally, evidence, event);
    for (const event of evidence.of("update")) updated(tally, evidence, event);
  }
  return [tally.verdict()];
}

/** 3.10. Tampering on purpose names its keys. */
function foreignRows(tally: Tally, evidence: Evidence): void {
  for (const event of evidence.of("foreign")) {
    const { keys } = event.value;
    if (!evidence.faults.hit(keys, 0, event.t)) tally.violated(`rows changed without a head: ${keys.join(", ")}`, event);
  }
}

function launched(tally: Tally, evidence: Evidence, call: Call<"launch">): void {
  const revision = call.revision ?? Infinity;
  for (const { task } of call.value.tasks) {
    tally.tested();
    const rows = evidence.registry.byTask.get(task) ?? [];
    if (rows.some((launch) => launch.versions[0]!.revision <= revision)) continue;
    // Refused in words: what never ran needs no row.
    if (evidence.updates(task).some(({ value }) => value.source === "master" && isEnd(value.state))) continue;
    const first = rows[0]?.versions[0];
    const instead = first === undefined ? "nowhere" : `first at revision ${first.revision}`;
    tally.violated(`the launch of ${task} was acknowledged at revision ${call.revision ?? "?"}, but is written ${instead}`, call.end, first?.commit);
  }
}

function killed(tally: Tally, evidence: Evidence, call: Call<"kill">): void {
  const revision = call.revision ?? Infinity;
  for (const launch of launchesOf(evidence, call.value.framework, call.value.task)) {
    const version = at(launch.versions, revision);
    if (version?.row === undefined) continue;
    tally.tested();
    const { row } = version;
    if (row.killed || row.settled || isEnd(row.state) || isEnd(row.latest)) continue;
    tally.violated(`the kill of ${launch.task} was acknowledged at revision ${call.revision ?? "?"} without a mark in its row`, call.end, version.commit);
  }
}

function tornDown(tally: Tally, evidence: Evidence, call: Call<"teardown">): void {
  const { framework } = call.value;
  const versions = evidence.registry.frameworks.get(framework);
  if (versions === undefined) return;
  tally.tested();
  if (versions.some(({ standing, revision }) => standing === "removed" && revision <= (call.revision ?? Infinity))) return;
  tally.violated(`the teardown of ${framework} was acknowledged at revision ${call.revision ?? "?"}, where it is not removed`, call.end);
}

function markedGone(tally: Tally, evidence: Evidence, call: Call<"markGone">): void {
  const { agent } = call.value;
  const versions = evidence.registry.agents.get(agent);
  if (versions === undefined) return;
  tally.tested();
  if (versions.some(({ standing, revision }) => standing === "gone" && revision <= (call.revision ?? Infinity))) return;
  tally.violated(`${agent} was said to be marked as gone at revision ${call.revision ?? "?"}, where it is not`, call.end);
}

function subscribed(tally: Tally, evidence: Evidence, event: EventOf<"subscribed">): void {
  tally.tested();
  const { framework } = event.value;
  const versions = evidence.registry.frameworks.get(framework) ?? [];
  if (versions.some(({ standing, revision }) => standing === "subscribed" && revision <= (event.revision ?? Infinity))) return;
  tally.violated(`${framework} was told that it is subscribed, which is not written at revision ${event.revision ?? "?"}`, event);
}

function updated(tally: Tally, evidence: Evidence, event: EventOf<"update">): void {
  const { framework, task, state, uuid, source } = event.value;
  const launches = launchesOf(evidence, framework, task);
  const versions = launches.flatMap(({ versions: all }) => all);
  const written = versions.filter(({ revision }) => revision <= (event.revision ?? Infinity));
  const says = (why: string): void => {
    tally.violated(`${framework} was told that ${task} is ${state} by ${source}, ${why} at revision ${event.revision ?? "?"}`, event);
  };
  if (source === "master") return saidByMaster(tally, evidence, event, written, says);
  // Taken over after a restore: the row holds what was newest when the agent came back.
  if (launches.some(wasTakenOver)) return;
  tally.tested();
  // For a framework of the old kind newer states are all TASK_LOST.
  const same = (row: string): boolean => row === state || state === "TASK_LOST";
  if (!written.some(({ row }) => row?.uuid === uuid && same(row.state))) says(`which is not written with uuid ${uuid}`);
}

function saidByMaster(
  tally: Tally,
  evidence: Evidence,
  event: EventOf<"update">,
  written: readonly LaunchVersion[],
  says: (why: string) => void,
): void {
  const { agent, state, reason } = event.value;
  const isWritten = written.some(({ row, past }) => row?.state === state || row?.latest === state || past === state);
  const limit = event.revision ?? Infinity;
  switch (state) {
    case "TASK_LOST":
    case "TASK_UNKNOWN":
    case "TASK_DROPPED":
    case "TASK_ERROR":
      return; // may be said of what has no row
    case "TASK_UNREACHABLE":
    case "TASK_GONE_BY_OPERATOR": {
      if (agent === "") return;
      tally.tested();
      const standing = state === "TASK_UNREACHABLE" ? "unreachable" : "gone";
      const agents = evidence.registry.agents.get(agent) ?? [];
      if (isWritten || agents.some((version) => version.standing === standing && version.revision <= limit)) return;
      return says(`but ${agent} is not ${standing}`);
    }
    case "TASK_GONE":
      if (reason.includes("RECONCILIATION")) return;
  }
  tally.tested();
  if (!isWritten) says("which is not written");
}

function wasTakenOver({ versions }: Launch): boolean {
  return versions.some(({ row }, index) => {
    const before = versions[index - 1];
    return row !== undefined && row.state !== "TASK_STAGING" && (before === undefined || (isRestored(before) && before.row === undefined));
  });
}

function launchesOf(evidence: Evidence, framework: string, task: string): readonly Launch[] {
  return (evidence.registry.byTask.get(task) ?? []).filter((launch) => launch.framework === framework);
}
