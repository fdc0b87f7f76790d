/** I9 and I10: what fails beside a task, or above it, does not touch it. */
import type { HistoryEvent } from "../history/event.ts";
import type { Evidence } from "./evidence.ts";
import { type CheckOptions, Tally, type Verdict } from "./verdict.ts";
import { type Life, lastSeen } from "./witnesses.ts";

/** The first signal that a shell adds to 128. */
const BY_SIGNAL = 128;
/** The registry's watcher may tell of a removal this long after agents heard of it. */
const WATCH_LAG_MS = 5_000;
/** A fault that is over may have caused what is seen this much later. */
const CAUSE_MS = 2_000;

/**
 * Tested: spells of faults that a task lived through, of its agent's process for I10, of everything above it for I9.
 *
 * A task may be signalled, end by a signal or fall silent if somebody asked for its end, or if a fault names its host or
 * itself; nothing else excuses it. It may stand still while the whole machine does.
 */
export function disturbance(evidence: Evidence, options: CheckOptions): readonly Verdict[] {
  const control = new Tally("I9");
  const agent = new Tally("I10");
  for (const life of evidence.witnesses.lives) {
    const host = evidence.hostOf(life.agent);
    const agentFaults = [`agent/${host}`, "agent/*"];
    const [from, to] = [life.start.t, lastSeen(life)];
    agent.tested(evidence.faults.count(agentFaults, from, to));
    control.tested(evidence.faults.controlFaults(from, to));
    for (const { what, from: since, to: until, events } of disturbancesOf(evidence, life, options)) {
      if (evidence.faults.excuses(host, life.task, since, until)) continue;
      const tally = evidence.faults.hit(agentFaults, since, until) ? agent : control;
      tally.violated(what, ...events);
    }
  }
  return [control.verdict(), agent.verdict()];
}

interface Disturbance {
  readonly what: string;
  /** When it came about. */
  readonly from: number;
  readonly to: number;
  readonly events: readonly HistoryEvent[];
}

function disturbancesOf(evidence: Evidence, life: Life, { beatGapMs }: CheckOptions): Disturbance[] {
  const found: Disturbance[] = [];
  const { task, seen, signals, exit } = life;
  const askedAt = endAskedAt(evidence, life);
  for (let i = 1; i < seen.length; i++) {
    const gap = seen[i]! - seen[i - 1]!;
    if (gap > beatGapMs && !machineStood(evidence, seen[i - 1]!, seen[i]!)) found.push({ what: `${task} stood still for ${Math.round(gap)} ms`, from: seen[i - 1]!, to: seen[i]!, events: [life.start] });
  }
  for (const signal of signals) {
    if (signal.t < askedAt) found.push({ what: `${task} got ${signal.value.signal}, and nobody had asked for it`, from: signal.t - CAUSE_MS, to: signal.t, events: [signal] });
  }
  if (exit !== undefined && exit.value.status >= BY_SIGNAL && signals.length === 0 && exit.t < askedAt) {
    found.push({ what: `${task} was ended by a signal (status ${exit.value.status}), and nobody had asked for it`, from: exit.t - CAUSE_MS, to: exit.t, events: [exit] });
  }
  const silentSince = lastSeen(life);
  if (exit === undefined && evidence.horizon - silentSince > beatGapMs && silentSince + beatGapMs < askedAt) {
    found.push({ what: `${task} fell silent for ever`, from: silentSince, to: silentSince + beatGapMs, events: [life.start] });
  }
  return found;
}

function machineStood(evidence: Evidence, from: number, to: number): boolean {
  return evidence.of("hostStall").some(({ t, value }) => t - value.ms < to && t > from);
}

/** From when on the task may be killed: by a kill, by its framework's end, or with its agent. */
function endAskedAt(evidence: Evidence, { task, launch, agent: host }: Life): number {
  const { framework = evidence.attempts(task)[0]?.value.framework, agent = host } = evidence.registry.launches.get(launch) ?? {};
  const times = evidence.kills(task).map(({ invokedAt }) => invokedAt);
  for (const { value, outcome, invokedAt } of evidence.calls("teardown")) {
    if (value.framework === framework && outcome !== "fail") times.push(invokedAt);
  }
  for (const { value, outcome, invokedAt } of evidence.calls("markGone")) {
    if (value.agent === agent && outcome !== "fail") times.push(invokedAt);
  }
  const removal = framework === undefined ? undefined : evidence.registry.removal(framework);
  if (removal !== undefined) times.push(removal.t - WATCH_LAG_MS);
  return Math.min(Infinity, ...times);
}
