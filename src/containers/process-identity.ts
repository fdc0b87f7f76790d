import { readFileSync } from "node:fs";

/**
 * Which process is meant: a pid alone is given to another process later. Holds within one boot only (see `bootId`).
 *
 * Reads of /proc never wait for a disk, so they are synchronous: that keeps checking and signalling close together.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot, as text. */
  readonly startTime: string;
}

/** Random name of the time since the host started. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

/** Identity of whatever runs as `pid` now; undefined if nothing does, or only a zombie is left of it. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  return parseStat(stat);
}

/** Reads a line of /proc/PID/stat. Undefined for a zombie. */
export function parseStat(stat: string): ProcessIdentity | undefined {
  // The name, field 2, may hold spaces and parentheses; the fields after it do not.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, threads, startTime] = [fields[0], fields[17], fields[19]];
  if (startTime === undefined) return undefined;
  // Only the first thread may have ended; then the process still runs.
  if (state === "X" || (state === "Z" && Number(threads) <= 1)) return undefined;
  return { pid: Number.parseInt(stat, 10), startTime };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Signals this very process; false, and nothing sent, if it is gone. Throws EPERM for someone else's process. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isRunning(identity) && send(identity.pid, signal);
}

/** Signals the group led by this process, or only the process while it leads none; false if it is gone. */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isRunning(leader) && (send(-leader.pid, signal) || send(leader.pid, signal));
}

function send(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
