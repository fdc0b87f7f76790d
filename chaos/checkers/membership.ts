/** I22 and I23: how agents leave, and that coming back does no harm. */
import type { TaskStateName } from "../../src/sdk/index.ts";
import type { RowChange } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { epochsBegun } from "./frameworks.ts";
import { type AgentVersion, type Commit, lasting, type TaskRow } from "./registry-log.ts";
import { isEnd, isNewer } from "./states-table.ts";
import { type CheckOptions, type Policy, PRODUCTION, Tally, type Verdict } from "./verdict.ts";

/** Clocks and watchers are a little off. */
const SLACK_MS = 1_000;
const MINUTE_MS = 60_000;

export function membership(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  return [leaving(evidence, { ...PRODUCTION, ...options.policy }), returning(evidence)];
}

/** I22. Tested: agents that were said to be unreachable or gone, and what they and their frameworks were told. */
function leaving(evidence: Evidence, policy: Policy): Verdict {
  const tally = new Tally("I22");
  const begun = epochsBegun(evidence);
  const heard = lastHeard(evidence);
  const verdicts: Commit[] = [];
  for (const [agent, version] of departures(evidence)) {
    tally.tested();
    const { commit } = version;
    if (version.standing === "gone") {
      const asked = evidence.calls("markGone").some(({ value, outcome, invokedAt }) => value.agent === agent && outcome !== "fail" && invokedAt <= commit.t);
      if (!asked) tally.violated(`${agent} is gone at revision ${version.revision}, and nobody had said so`, commit);
      continue;
    }
    verdicts.push(commit);
    const since = Math.max(begun.get(commit.epoch ?? "") ?? -Infinity, heard(agent, commit));
    if (commit.t - since < policy.unreachableAfterMs - SLACK_MS) {
      tally.violated(`${agent} is unreachable at revision ${version.revision}, ${Math.round(commit.t - since)} ms after epoch ${commit.epoch} could hear it`, commit);
    }
  }
  notInMasses(tally, evidence, verdicts, policy);
  sentAway(tally, evidence);
  inTheirWords(tally, evidence);
  return tally.verdict();
}

function* departures(evidence: Evidence): Generator<[agent: string, version: AgentVersion]> {
  for (const [agent, all] of evidence.registry.agents) {
    const versions = lasting(all);
    for (const [index, version] of versions.entries()) {
      const isNew = version.standing !== versions[index - 1]?.standing;
      if (isNew && (version.standing === "unreachable" || version.standing === "gone")) yield [agent, version];
    }
  }
}

/** When the leader of a commit had last heard of an agent, as far as it wrote that down: updates, and its return. */
function lastHeard(evidence: Evidence): (agent: string, commit: Commit) => number {
  const words = new Map<string, Commit[]>();
  const rows = new Map<string, TaskRow>();
  const agents = new Map<string, RowChange & { readonly table: "agent" }>();
  const note = (agent: string, commit: Commit): void => void (words.get(agent) ?? words.set(agent, []).get(agent)!).push(commit);
  for (const commit of evidence.registry.commits) {
    for (const change of commit.value.rows) {
      if (change.table === "agent") {
        const before = agents.get(change.id);
        // An operator's order says nothing of the agent; its return in the same batch does.
        const isOrdered = before !== undefined && before.active !== change.active && before.standing === change.standing && before.term === change.term;
        if (change.standing === "in" && !isOrdered) note(change.id, commit);
        agents.set(change.id, change);
      }
      if (change.table !== "task" || change.task === undefined) continue;
      const { task } = change;
      if (!task.settled && task.uuid !== "" && task.uuid !== rows.get(change.id)?.uuid) note(task.agent, commit);
      rows.set(change.id, task);
    }
  }
  return (agent, { epoch, revision }) => words.get(agent)?.findLast((word) => word.epoch === epoch && word.revision! < revision!)?.t ?? -Infinity;
}

/**
 * 5.5: the brake, over any minute of one leader. One that ran out of space begins anew with a full window (3.5), which is
 * shorter than a minute in simulations only.
 */
function notInMasses(tally: Tally, evidence: Evidence, verdicts: Commit[], { unreachablePerMinute, unreachableAfterMs }: Policy): void {
  const begunAnew = unreachableAfterMs >= MINUTE_MS ? [] : evidence.of("mark").filter(({ value }) => value.name === "read-only leader");
  verdicts.sort((a, b) => a.t - b.t);
  const allowed = Math.max(1, Math.ceil(unreachablePerMinute * evidence.registry.agents.size));
  for (const [index, commit] of verdicts.entries()) {
    const first = verdicts[index - allowed];
    if (first === undefined || begunAnew.some(({ t }) => t > first.t && t < commit.t)) continue;
    if (first.epoch === commit.epoch && commit.t - first.t < MINUTE_MS - SLACK_MS) {
      tally.violated(`${allowed + 1} agents became unreachable within ${Math.round(commit.t - first.t)} ms, and ${allowed} may in a minute`, first, commit);
    }
  }
}

/** Written before it is said. */
function sentAway(tally: Tally, evidence: Evidence): void {
  for (const event of evidence.of("agentSentAway")) {
    tally.tested();
    const { agent } = event.value;
    const isWritten = evidence.registry.agents.get(agent)?.some(({ standing, commit }) => standing === "gone" && commit.t <= event.t);
    if (isWritten !== true) tally.violated(`${agent} was sent away as gone, and the registry had not said so`, event);
  }
}

/** Only partition-aware frameworks know the newer states. */
function inTheirWords(tally: Tally, evidence: Evidence): void {
  const aware = new Map<string, boolean>();
  for (const { value } of evidence.calls("subscribe")) aware.set(value.framework, value.partitionAware ?? true);
  for (const event of evidence.of("update")) {
    const { framework, task, state } = event.value;
    if (isNewer(state) && aware.get(framework) === false) tally.violated(`${framework} was told ${state} of ${task}, a state it does not know`, event);
    const isLostAnew = state === "TASK_LOST" && aware.get(framework) === true && wasUnreachable(evidence, event.value.agent);
    if (isLostAnew && !endedLost(evidence, task)) tally.violated(`${framework} was told that ${task} is lost, and would understand more`, event);
  }
}

function wasUnreachable(evidence: Evidence, agent: string): boolean {
  return evidence.registry.agents.get(agent)?.some(({ standing }) => standing === "unreachable" || standing === "gone") ?? false;
}

function endedLost(evidence: Evidence, task: string): boolean {
  const lost: TaskStateName = "TASK_LOST";
  return (evidence.registry.byTask.get(task) ?? []).some(({ versions }) => versions.some(({ row, past }) => row?.state === lost || past === lost));
}

/** I23. Tested: sessions of agents beyond the first. */
function returning(evidence: Evidence): Verdict {
  const tally = new Tally("I23");
  const identities = new Map<string, string>();
  const sessions = new Set<string>();
  for (const event of evidence.events) {
    if (event.op !== "agentObeys" && event.op !== "agentStarted") continue;
    const { agent } = event.value;
    const known = identities.get(event.actor);
    if (event.op === "agentObeys" && sessions.has(event.actor)) tally.tested();
    if (event.op === "agentObeys") sessions.add(event.actor);
    // Before it has an id it may go by its host's name.
    if (agent === "" || event.actor === `agent/${agent}`) continue;
    if (known !== undefined && known !== agent && !mayBeNew(evidence, event.actor, known, event.t)) {
      tally.violated(`${event.actor} was ${known}, and came back as ${agent}`, event);
    }
    identities.set(event.actor, agent);
  }
  ownedByHosts(tally, evidence, new Set(identities.values()));
  oneRowEach(tally, evidence);
  return tally.verdict();
}

/** It was marked as gone and set up again, or its disk was lost with its host. */
function mayBeNew(evidence: Evidence, actor: string, agent: string, t: number): boolean {
  const isGone = evidence.registry.agents.get(agent)?.some(({ standing }) => standing === "gone") ?? false;
  return isGone || evidence.faults.hit([actor.replace(/^agent\//, "host/"), "host/*"], 0, t);
}

/** 8.7: a repeated registration makes no second agent. */
function ownedByHosts(tally: Tally, evidence: Evidence, known: ReadonlySet<string>): void {
  if (known.size === 0 || evidence.finalAt === undefined) return;
  for (const [agent, versions] of evidence.registry.agents) {
    const last = versions.at(-1)!;
    if (last.standing === "in" && !known.has(agent)) tally.violated(`${agent} is in the registry, and no agent goes by that id`, last.commit);
  }
}

/** 1.5: a task id names one live row, however often its launch is delivered. */
function oneRowEach(tally: Tally, evidence: Evidence): void {
  const live = new Map<string, string>();
  for (const commit of evidence.registry.commits) {
    const rows = commit.value.rows.filter((change) => change.table === "task");
    // What goes and what comes in one batch is one change.
    for (const { id } of rows) {
      const owner = evidence.registry.launches.get(id);
      const key = owner === undefined ? "" : `${owner.framework}\0${owner.task}`;
      if (live.get(key) === id) live.delete(key);
    }
    for (const { id, task } of rows) {
      if (task === undefined || isEnd(task.latest)) continue;
      const key = `${task.framework}\0${task.task}`;
      const other = live.get(key);
      if (other !== undefined && other !== id) tally.violated(`${task.task} has two rows: ${other} and ${id}`, commit);
      live.set(key, id);
    }
  }
}
