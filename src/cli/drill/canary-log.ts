/** What a canary says of itself: its output is the one witness that no book-keeping can falsify. */

/** Its pid and a count, at once and then every second; rotated like every output. */
export const CANARY_COMMAND = 'n=0; while :; do n=$((n+1)); echo "$$ $n"; sleep 1; done';

export interface CanaryLog {
  /** In the order of their first words. More than one: it was started again. */
  readonly pids: readonly number[];
  /** A process spoke after a later one had begun: both lived at a time. */
  readonly overlapped: boolean;
  /** The last count of the last process; 0 when nothing was said. */
  readonly count: number;
}

export function readCanaryLog(text: string): CanaryLog {
  const pids: number[] = [];
  let overlapped = false;
  let count = 0;
  for (const [, pid, n] of text.matchAll(/^(\d+) (\d+)$/gm)) {
    const process = Number(pid);
    if (!pids.includes(process)) pids.push(process);
    else if (pids.at(-1) !== process) overlapped = true;
    if (pids.at(-1) === process) count = Number(n);
  }
  return { pids, overlapped, count };
}

/** Whether the very process that spoke `before` has spoken since. */
export function hasGoneOn(before: CanaryLog, after: CanaryLog): boolean {
  return after.pids.at(-1) !== before.pids.at(-1) || after.count > before.count;
}
