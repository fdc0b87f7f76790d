/** Tasks of agents that are dead: found and ended by what the agents' work directories record. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { workPaths } from "../checkpoint/paths.ts";
import { ControlGroups } from "../containers/control-groups.ts";
import { append, ledgerPath, parseLedger, type Ledger } from "../containers/ledger.ts";
import { bootId, isRunning, signalGroup } from "../containers/process-identity.ts";

/** As agents make their control groups when nothing else is said. */
const CONTROL_GROUP = "mesarch";
const LOOK_MS = 25;

interface Run {
  readonly launchId: string;
  readonly directory: string;
  readonly ledger: Ledger;
}

/**
 * Ends the tasks of these work directories, whose agents must be dead, with KILL. Resolves when their monitors are gone,
 * too, or after `timeoutMs`: with how many had to be ended, and how many are still there.
 */
export async function endAbandonedRuns(workDirectories: readonly string[], timeoutMs: number): Promise<{ ended: number; left: number }> {
  const deadline = performance.now() + timeoutMs;
  const groups = await ControlGroups.open(CONTROL_GROUP);
  const ended = new Set<string>();
  await cancelUnstarted(runsIn(workDirectories));
  for (;;) {
    const runs = runsIn(workDirectories);
    const live = runs.filter(({ ledger }) => isLive(ledger));
    kill(live);
    for (const { launchId } of live) ended.add(launchId);
    const clean = await removeGroups(groups, runs);
    if ((live.length === 0 && clean) || performance.now() > deadline) return { ended: ended.size, left: live.length };
    await delay(LOOK_MS);
  }
}

/** Ends what is in them, as it may have left its process group. True once they are gone. */
async function removeGroups(groups: ControlGroups | undefined, runs: readonly Run[]): Promise<boolean> {
  if (groups === undefined) return true;
  const removals = runs.map(async ({ launchId }) => {
    groups.kill(launchId);
    await groups.remove(launchId);
  });
  return (await Promise.allSettled(removals)).every(({ status }) => status === "fulfilled");
}

/** The same without waiting: for the exit of our own process. */
export function killAbandonedRuns(workDirectories: readonly string[]): void {
  kill(runsIn(workDirectories));
}

function runsIn(workDirectories: readonly string[]): Run[] {
  return workDirectories.flatMap((workDirectory) => {
    const { runs } = workPaths(workDirectory);
    const launches = existsSync(runs) ? readdirSync(runs) : [];
    return launches.flatMap((launchId) => {
      const directory = join(runs, launchId);
      const path = ledgerPath(directory);
      return existsSync(path) ? [{ launchId, directory, ledger: parseLedger(readFileSync(path, "utf8")) }] : [];
    });
  });
}

/** A monitor may be on its way that has not taken its run yet. */
async function cancelUnstarted(runs: readonly Run[]): Promise<void> {
  for (const { directory, ledger } of runs) if (ledger.start === undefined) await append(directory, "start cancelled");
}

function isLive({ start, child }: Ledger): boolean {
  if (typeof start !== "object" || start.boot !== bootId()) return false;
  return isRunning(start) || (typeof child === "object" && isRunning(child));
}

/** The monitor lives on to see the end of its child, and ends with it. */
function kill(runs: readonly Run[]): void {
  for (const { ledger } of runs) if (isLive(ledger) && typeof ledger.child === "object") signalGroup(ledger.child, "SIGKILL");
}
