/** Drills for people. */
import { measured, table, type Column, type Kind } from "../render.ts";
import type { DrillReport, RoundReport, TaskCounts } from "./report.ts";

export const drills: Kind<DrillReport> = {
  name: "Drill",
  columns: [
    { header: "ID", value: (row) => row.id },
    { header: "KIND", value: (row) => row.kind },
    { header: "ROUNDS", value: (row) => row.rounds, align: "right" },
    { header: "P50", value: (row) => time(row.failover_ms.p50), align: "right" },
    { header: "MAX", value: (row) => time(row.failover_ms.max), align: "right" },
    { header: "OBJECTIVE", value: (row) => time(row.objective_ms), align: "right" },
    { header: "TASKS", value: (row) => row.tasks.running_before, align: "right" },
    { header: "HARMED", value: (row) => harmed(row.tasks), align: "right" },
    { header: "VERDICT", value: (row) => row.verdict },
    { header: "CLUSTER", value: (row) => row.cluster, wide: true },
  ],
};

export function drillScreen(report: DrillReport): string {
  const { failover_ms, tasks, results } = report;
  const lines: [string, string][] = [
    ["Drill", `${report.kind}, ${report.id}`],
    ["Cluster", report.cluster],
    ["Failover", `p50 ${time(failover_ms.p50) ?? "-"}, p99 ${time(failover_ms.p99) ?? "-"}, max ${time(failover_ms.max) ?? "-"}; objective ${time(report.objective_ms)}`],
    ["Tasks", `${tasks.running_before} were running; ${tasks.lost} lost, ${tasks.killed} killed, ${tasks.restarted} restarted, ${tasks.duplicated} duplicated`],
    ...report.findings.map((finding): [string, string] => ["Finding", finding]),
    ["Verdict", report.verdict],
  ];
  const rounds = results.length === 0 ? "" : `${table(roundColumns(results), results)}\n`;
  return `${rounds}${lines.map(([name, value]) => `${name.padEnd(9)} ${value}\n`).join("")}`;
}

/** Phases are those that were measured, since each kind has its own. */
function roundColumns(results: readonly RoundReport[]): Column<RoundReport>[] {
  const phases = [...new Set(results.flatMap(({ phases_ms }) => Object.keys(phases_ms)))];
  return [
    { header: "ROUND", value: (row) => row.round, align: "right" },
    { header: "STRUCK", value: (row) => row.from },
    { header: "LEADER", value: (row) => row.to },
    { header: "CAUSE", value: (row) => row.cause },
    ...phases.map((phase): Column<RoundReport> => ({
      header: phase.toUpperCase().replaceAll("_", " "),
      value: (row) => measured(row.phases_ms[phase]),
      align: "right",
    })),
    { header: "FAILOVER", value: (row) => measured(row.failover_ms), align: "right" },
    { header: "TASKS", value: (row) => row.tasks.running_before, align: "right" },
    { header: "HARMED", value: (row) => harmed(row.tasks), align: "right" },
  ];
}

function harmed({ lost, killed, restarted, duplicated }: TaskCounts): number {
  return lost + killed + restarted + duplicated;
}

function time(ms: number | null): string | undefined {
  return measured(ms ?? undefined);
}
