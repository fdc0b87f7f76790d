/** Mesos durations: signed counts of nanoseconds. */
import type { DurationInfo } from "../../wire/gen/mesos/v1/mesos.ts";

export function isNegative(duration: DurationInfo | undefined): boolean {
  return duration !== undefined && Number(duration.nanoseconds ?? 0) < 0;
}

/** Whole milliseconds, rounded down; undefined when there is no duration. */
export function millisecondsOf(duration: DurationInfo | undefined): number | undefined {
  return duration === undefined ? undefined : Math.max(0, Math.floor(Number(duration.nanoseconds ?? 0) / 1e6));
}
