/** Memory, processor time and kinship of processes, as Linux tells them. */
import { readdirSync, readFileSync } from "node:fs";

/** Resident memory in MiB, shared pages included. */
export function residentMb(pid: number): number {
  return kilobytes(`/proc/${pid}/status`, "VmRSS") / 1024;
}

/** Memory in MiB, a page shared by n processes counted as 1/n. */
export function proportionalMb(pid: number): number {
  return kilobytes(`/proc/${pid}/smaps_rollup`, "Pss") / 1024;
}

const TICKS_PER_SECOND = 100;

/** Processor time used so far, in seconds. Does not depend on what else the machine does, as rates do. */
export function processorSeconds(pid: number): number {
  // The name, in parentheses, may hold spaces: fields are counted after it.
  const fields = read(`/proc/${pid}/stat`).replace(/^.*\)/s, "").trim().split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** The process's words; empty when it is gone. */
export function commandLine(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).split("\0").slice(0, -1);
}

/** All processes below this one. */
export function descendants(pid: number): number[] {
  const children = Map.groupBy(
    readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : [])),
    (each) => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${each}/status`))?.[1]),
  );
  const below = (parent: number): number[] => (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function kilobytes(file: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(read(file))?.[1] ?? 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
