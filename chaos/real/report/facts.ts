/** What a report shows of a history, in milliseconds since its beginning. */
import { Evidence } from "../../checkers/evidence.ts";
import { type Life, lastSeen } from "../../checkers/witnesses.ts";
import type { HistoryEvent } from "../../history/event.ts";

interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Leadership extends Span {
  readonly master: string;
  readonly epoch: string;
}

export interface ShownFault extends Span {
  readonly name: string;
  readonly targets: readonly string[];
}

export interface Failover {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly epoch: string;
  /** Between the last batch of the old leader and the first of the new one. */
  readonly silentMs: number;
}

export interface Recovery {
  readonly fault: string;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly boundMs: number | undefined;
}

export interface LifeLine extends Span {
  readonly task: string;
  readonly host: string;
  readonly longestGapMs: number;
  readonly signals: number;
  /** Undefined: it lived to the end, or fell silent. */
  readonly status: number | undefined;
}

export interface Facts {
  readonly lengthMs: number;
  readonly events: number;
  readonly phases: readonly { readonly name: string; readonly at: number }[];
  readonly leaderships: readonly Leadership[];
  readonly failovers: readonly Failover[];
  readonly faults: readonly ShownFault[];
  readonly recoveries: readonly Recovery[];
  /** Launches that were answered as done: when, and how long it took. */
  readonly answers: readonly { readonly at: number; readonly ms: number }[];
  readonly lives: readonly LifeLine[];
  readonly tasks: { readonly started: number; readonly signalled: number; readonly longestGapMs: number; readonly longestGapOf: string };
  /** The machine itself stood still. */
  readonly stalls: { readonly count: number; readonly longestMs: number };
  readonly calls: Readonly<Record<string, Readonly<Record<"ok" | "fail" | "unknown", number>>>>;
}

export function factsOf(events: readonly HistoryEvent[], boundsMs: Readonly<Record<string, number>>): Facts {
  const evidence = new Evidence(events);
  const start = evidence.events[0]?.t ?? 0;
  const end = evidence.end;
  const leaderships = leadershipsOf(evidence, start);
  const stalls = evidence.of("hostStall").map(({ value }) => value.ms);
  const lives = evidence.witnesses.lives.map((life) => lineOf(evidence, life, start));
  const longest = lives.reduce<LifeLine | undefined>((most, life) => (most === undefined || life.longestGapMs > most.longestGapMs ? life : most), undefined);
  return {
    lengthMs: end - start,
    events: events.length,
    phases: evidence.of("phase").map(({ value, t }) => ({ name: value.name, at: t - start })),
    leaderships,
    failovers: failoversOf(leaderships),
    faults: faultsOf(evidence, start),
    recoveries: recoveriesOf(evidence, boundsMs),
    answers: evidence.calls("launch").filter(({ outcome }) => outcome === "ok").map(({ invokedAt, endedAt }) => ({ at: endedAt - start, ms: endedAt - invokedAt })),
    lives,
    tasks: {
      started: lives.length,
      signalled: lives.filter(({ signals }) => signals > 0).length,
      longestGapMs: longest?.longestGapMs ?? 0,
      longestGapOf: longest?.task ?? "",
    },
    stalls: { count: stalls.length, longestMs: Math.max(0, ...stalls) },
    calls: callsOf(evidence),
  };
}

function leadershipsOf(evidence: Evidence, start: number): Leadership[] {
  const all: { master: string; epoch: string; from: number; to: number }[] = [];
  for (const { epoch, value, t } of evidence.registry.commits) {
    const last = all.at(-1);
    if (epoch === undefined) continue;
    if (last?.epoch === epoch) last.to = t - start;
    else all.push({ master: value.master, epoch, from: t - start, to: t - start });
  }
  return all;
}

function failoversOf(leaderships: readonly Leadership[]): Failover[] {
  return leaderships.slice(1).map(({ from: at, master, epoch }, index) => {
    const before = leaderships[index]!;
    return { at, from: before.master, to: master, epoch, silentMs: at - before.to };
  });
}

/** Whom a fault met at one time, as one. */
function faultsOf(evidence: Evidence, start: number): ShownFault[] {
  return [...Map.groupBy(evidence.faults.all, ({ event }) => event)].map(([event, windows]) => ({
    name: event.value.name,
    targets: windows.map(({ target }) => target),
    from: event.t - start,
    to: Math.min(evidence.end, Math.max(...windows.map(({ to }) => to))) - start,
  }));
}

function recoveriesOf(evidence: Evidence, boundsMs: Readonly<Record<string, number>>): Recovery[] {
  const measured = Map.groupBy(evidence.of("recovery"), ({ value }) => value.fault);
  return [...measured]
    .map(([fault, all]): Recovery => {
      const times = all.map(({ value }) => value.ms).sort((a, b) => a - b);
      return { fault, count: times.length, p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: times.at(-1)!, boundMs: boundsMs[fault] };
    })
    .sort((a, b) => Number(a.boundMs === undefined) - Number(b.boundMs === undefined) || (a.fault < b.fault ? -1 : 1));
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

function lineOf(evidence: Evidence, life: Life, start: number): LifeLine {
  const { seen } = life;
  const longestGapMs = seen.reduce((longest, t, index) => (index === 0 ? longest : Math.max(longest, t - seen[index - 1]!)), 0);
  return {
    task: life.task,
    host: evidence.hostOf(life.agent),
    from: life.start.t - start,
    to: lastSeen(life) - start,
    longestGapMs,
    signals: life.signals.length,
    status: life.exit?.value.status,
  };
}

function callsOf(evidence: Evidence): Facts["calls"] {
  const counts: Record<string, { ok: number; fail: number; unknown: number }> = {};
  for (const { op, outcome } of evidence.paired.calls) (counts[op] ??= { ok: 0, fail: 0, unknown: 0 })[outcome] += 1;
  return counts;
}
