import { readdirSync, readFileSync } from "node:fs";

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
  return parseStat(readStat(pid));
}

/** Reads a line of /proc/PID/stat. Undefined for a zombie. */
export function parseStat(stat: string): ProcessIdentity | undefined {
  const { state, threads, startTime } = fieldsOf(stat);
  if (startTime === undefined) return undefined;
  // Only the first thread may have ended; then the process still runs.
  if (state === "X" || (state === "Z" && Number(threads) <= 1)) return undefined;
  return { pid: Number.parseInt(stat, 10), startTime };
}

/** The kernel's unit for times of processes, the same on every Linux. */
const TICK_MS = 10;

/** When a process started, in milliseconds of this process's `performance.now()`: no wall clock can move it. */
export function startedAt({ startTime }: ProcessIdentity): number {
  return (Number(startTime) - Number(fieldsOf(readStat(process.pid)).startTime)) * TICK_MS;
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

/**
 * Signals what is left of the session led by this process, which has ended; false if nothing is. Throws EPERM.
 *
 * Its pid is given to no other process while one of them runs. So a new process with that pid, or a group of that number
 * in another session, shows that they have all ended and who bears the number now is a stranger.
 */
export function signalRemains(leader: ProcessIdentity, signal: NodeJS.Signals): boolean {
  const { pid, startTime } = leader;
  if (!send(-pid, 0)) return false;
  const { startTime: present } = fieldsOf(readStat(pid));
  const isOurs = present === undefined ? hasMember(String(pid)) : present === startTime;
  return isOurs && send(-pid, signal);
}

/** Whether any process is of the session and group `id`. */
function hasMember(id: string): boolean {
  return readdirSync("/proc").some((name) => {
    if (!/^[0-9]+$/.test(name)) return false;
    const { group, session } = fieldsOf(readStat(Number(name)));
    return group === id && session === id;
  });
}

/** Empty for a process that is not there. */
function readStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return "";
  }
}

function fieldsOf(stat: string) {
  // The name, field 2, may hold spaces and parentheses; the fields after it do not.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0], group: fields[2], session: fields[3], threads: fields[17], startTime: fields[19] };
}

function send(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
