import { stat } from "node:fs/promises";
import type { RunState } from "../ports/containers.ts";
import { append, ledgerPath, readLedger, type Ledger } from "./ledger.ts";
import { isRunning, startedAt } from "./process-identity.ts";

/** A state and the entries it was told from. */
export interface Finding {
  readonly state: RunState;
  readonly ledger: Ledger;
}

/**
 * What became of a run (rules 8.4, 8.9). Where a monitor died before its child, takes the child's mark, so that an
 * orphaned child cannot become the command later. Rejects with a system error.
 */
export async function inspectRun(runDirectory: string, boot: string): Promise<Finding> {
  for (;;) {
    const ledger = (await readLedger(runDirectory)) ?? {};
    const recorded = await recordedState(runDirectory, ledger);
    if (recorded) return { state: recorded, ledger };
    const monitor = ledger.start;
    if (monitor === undefined || monitor === "cancelled") return { state: { kind: "absent" }, ledger };
    if (monitor.boot !== boot) return { state: { kind: "lost" }, ledger };
    if (isRunning(monitor)) return { state: monitoredState(ledger), ledger };
    const finding = await withoutMonitor(runDirectory);
    if (finding) return finding;
  }
}

/** True for states that never change again. */
export function isFinal({ kind }: RunState): boolean {
  return kind === "cancelled" || kind === "exited" || kind === "neverRan" || kind === "lost";
}

async function recordedState(runDirectory: string, { start, child, exit }: Ledger): Promise<RunState | undefined> {
  // The exit is the last entry of all but a late kill.
  if (exit) return { kind: "exited", ...exit, endedAtMs: Math.trunc((await stat(ledgerPath(runDirectory))).mtimeMs) };
  if (start === "cancelled") return { kind: "cancelled" };
  if (child === "void") return { kind: "neverRan" };
  return undefined;
}

function monitoredState({ child }: Ledger): RunState {
  if (child === undefined || child === "void") return { kind: "starting" };
  return { kind: "running", pid: child.pid, monitored: true, startedAt: startedAt(child) };
}

/** Undefined if the run has to be looked at again. */
async function withoutMonitor(runDirectory: string): Promise<Finding | undefined> {
  // The monitor may have written until it died, so an entry missing now will stay missing, except for `child`.
  let ledger = (await readLedger(runDirectory)) ?? {};
  if (ledger.exit) return undefined;
  if (ledger.child === undefined) ledger = await append(runDirectory, "child void");
  const { child } = ledger;
  if (child === undefined || child === "void") return undefined;
  const state: RunState = isRunning(child) ? { kind: "running", pid: child.pid, monitored: false, startedAt: startedAt(child) } : { kind: "lost" };
  return { state, ledger };
}
