import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessIdentity } from "./process-identity.ts";

/**
 * The file through which agent and monitor talk about one run. Both only append, one line in one write:
 *
 *     run 1                            header: format of this file
 *     start <boot> <pid> <start time>  a monitor took the run       | start cancelled
 *     child <pid> <start time>         about to become the command  | child void
 *     kill <seconds>                   TERM now, KILL after so long
 *     exit <status> <0 or 1>           status as shells report it; whether a kill was obeyed before
 *
 * Such appends are atomic on a local file system, so the first `start` and the first `child` win and no line is ever
 * seen half written. The header makes the file own a block: what follows it needs no free space.
 */
export interface Ledger {
  readonly start?: MonitorMark | "cancelled";
  readonly child?: ProcessIdentity | "void";
  /** Of the last kill request. */
  readonly graceSeconds?: number;
  readonly exit?: { readonly status: number; readonly killed: boolean };
}

export interface MonitorMark extends ProcessIdentity {
  readonly boot: string;
}

/** What the agent may write. */
export type AgentEntry = "start cancelled" | "child void" | `kill ${string}`;

const HEADER = "run 1\n";

export function ledgerPath(runDirectory: string): string {
  return join(runDirectory, "ledger");
}

/** Lines that are cut off, damaged or unknown are passed over: a host that lost power may leave some. */
export function parseLedger(text: string): Ledger {
  const ledger: { -readonly [K in keyof Ledger]: Ledger[K] } = {};
  const lines = text.split("\n");
  lines.pop();
  for (const line of lines) {
    const [kind, ...words] = line.split(" ");
    if (kind === "start") ledger.start ??= parseStart(words);
    else if (kind === "child") ledger.child ??= parseChild(words);
    else if (kind === "kill" && Number.isFinite(Number(words[0]))) ledger.graceSeconds = Number(words[0]);
    else if (kind === "exit" && /^exit \d+ [01]$/.test(line)) {
      ledger.exit ??= { status: Number(words[0]), killed: words[1] === "1" };
    }
  }
  return ledger;
}

/** Undefined if the run has no ledger. Rejects with a system error. */
export async function readLedger(runDirectory: string): Promise<Ledger | undefined> {
  try {
    return parseLedger(await readFile(ledgerPath(runDirectory), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Makes the ledger if it is not there. The directory must be. Rejects with a system error. */
export async function createLedger(runDirectory: string): Promise<void> {
  const { O_CREAT, O_APPEND, O_RDWR } = constants;
  await using file = await open(ledgerPath(runDirectory), O_CREAT | O_APPEND | O_RDWR, 0o600);
  if ((await file.stat()).size === 0) await file.write(HEADER);
}

/** Appends and returns what the ledger says then. Rejects with a system error, also if there is no ledger. */
export async function append(runDirectory: string, entry: AgentEntry): Promise<Ledger> {
  const { O_APPEND, O_RDWR } = constants;
  await using file = await open(ledgerPath(runDirectory), O_APPEND | O_RDWR);
  await file.write(`${entry}\n`);
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(size), 0, size, 0);
  return parseLedger(buffer.toString("utf8"));
}

function parseStart([boot, pid, startTime]: string[]): Ledger["start"] {
  if (boot === "cancelled") return "cancelled";
  return boot && pid && startTime ? { boot, pid: Number(pid), startTime } : undefined;
}

function parseChild([pid, startTime]: string[]): Ledger["child"] {
  if (pid === "void") return "void";
  return pid && startTime ? { pid: Number(pid), startTime } : undefined;
}
