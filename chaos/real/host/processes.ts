/** Processes of this machine, told apart by what they are about and not by their names. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { identify, isRunning, type ProcessIdentity, signalProcess } from "../../../src/containers/process-identity.ts";

const LOOK_MS = 20;

/** Monitors and tasks of the agent with this work directory: they work in it, or are told of a file in it. */
export function tasksIn(workDirectory: string): ProcessIdentity[] {
  const inside = `${workDirectory}/`;
  return identities((pid) => workingDirectory(pid).startsWith(inside) || commandLine(pid).includes(inside));
}

function identities(isMeant: (pid: number) => boolean): ProcessIdentity[] {
  const pids = readdirSync("/proc").map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  return pids.flatMap((pid) => (isMeant(pid) ? (identify(pid) ?? []) : []));
}

/** KILL to these, again until none is left: one that was about to fork left a child. False if time ran out. */
export async function endAll(find: () => readonly ProcessIdentity[], timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = find();
    if (left.length === 0) return true;
    if (performance.now() > deadline) return false;
    for (const each of left) signalProcess(each, "SIGKILL");
    await delay(LOOK_MS);
  }
}

/** KILL to one; false if it is still there after the time. A frozen one dies, too. */
export async function endOne(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  return endAll(() => (isRunning(identity) ? [identity] : []), timeoutMs);
}

export interface Consumption {
  readonly rssMb: number;
  readonly descriptors: number;
}

/** Undefined if it is gone. */
export function consumption(pid: number): Consumption | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]);
    return { rssMb: Math.round((pages * 4096) / 2 ** 20), descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** A signal is sent at once, and obeyed by each thread when it runs next. */
export function isStopped(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  return readdirSync(threads).every((thread) => /\) T /.test(readFileSync(`${threads}/${thread}/stat`, "latin1")));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}
