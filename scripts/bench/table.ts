/** The findings as people read them. */
import type { Findings, Line } from "./benchmark.ts";
import type { Machine } from "./machine.ts";

export function table(machine: Machine, findings: readonly Findings[]): string {
  const lines = findings.flatMap((each) => each.lines);
  const width = (column: (line: Line) => string): number => Math.max(0, ...lines.filter(({ goal }) => goal !== undefined).map((line) => column(line).length));
  const nameWidth = Math.max(0, ...lines.map(({ name }) => name.length));
  const valueWidth = width(({ value }) => value);
  const goalWidth = width(({ goal = "" }) => goal);
  const row = ({ name, value, goal, met }: Line): string => {
    const start = `${name.padEnd(nameWidth)}  ${value}`;
    if (goal === undefined) return start;
    return `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${goal.padEnd(goalWidth)}  ${met === true ? "met" : "MISSED"}`;
  };
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_mb} MB, ${machine.os}, Node ${machine.node}, etcd ${machine.etcd}, load before ${machine.load_before}`,
    "",
    ...lines.map(row),
    "",
    ...findings.flatMap((each) => each.conditions).map((condition) => `* ${condition}`),
  ].join("\n");
}
