/** The run's one clock: CLOCK_MONOTONIC, which all processes and network namespaces of a machine share. */
import { readFileSync } from "node:fs";

/** Milliseconds. `performance.now()` counts from the start of each process, so it is of no use here. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** /proc/uptime, which a shell can read without help, counts in these. */
export const UPTIME_TICK_MS = 10;

/**
 * What to add to milliseconds of uptime to have those of `monotonicMs`: the two part when a machine sleeps. Waits for the
 * next tick of uptime, so that it is exact.
 */
export function uptimeOffsetMs(): number {
  const first = uptimeMs();
  for (;;) {
    const now = uptimeMs();
    if (now !== first) return monotonicMs() - now;
  }
}

function uptimeMs(): number {
  return Math.round(Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1_000);
}
