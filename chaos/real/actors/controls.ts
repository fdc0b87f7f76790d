/**
 * Witnesses beside the cluster, which nothing concerns but the machine: when they stand still, so may tasks, and no fault
 * of the cluster's is shown by it. They get no more of the processors than tasks do.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ControlGroups } from "../../../src/containers/control-groups.ts";
import { identify, type ProcessIdentity } from "../../../src/containers/process-identity.ts";
import { gatherLives } from "../../checkers/witnesses.ts";
import type { HistoryEvent } from "../../history/event.ts";
import type { Belongings } from "../belongings.ts";
import { WITNESS_CPUS, witnessScript } from "../cluster/programs.ts";
import { endOne } from "../host/processes.ts";
import { readWitnesses } from "./witness-reader.ts";

const COUNT = 6;
/** They beat each 200 ms. */
const STALL_MS = 400;
const END_MS = 5_000;

export class Controls {
  readonly #directory: string;
  readonly #processes: readonly ProcessIdentity[];

  private constructor(directory: string, processes: readonly ProcessIdentity[]) {
    this.#directory = directory;
    this.#processes = processes;
  }

  static async start(directory: string, belongings: Belongings): Promise<Controls> {
    mkdirSync(directory, { recursive: true });
    const groups = await ControlGroups.open("mesarch");
    const names = Array.from({ length: COUNT }, (_, index) => `control-${process.pid}-${index + 1}`);
    const processes = await Promise.all(names.map((name) => start(name, directory, belongings, groups)));
    return new Controls(directory, processes.filter((identity) => identity !== undefined));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((identity) => endOne(identity, END_MS)));
  }

  /** When the machine stood still, as events of the history. @param offsetMs from uptime to the run's clock. */
  stalls(offsetMs: number): HistoryEvent[] {
    return stallsIn(readWitnesses(this.#directory, offsetMs));
  }
}

export function stallsIn(witnesses: readonly HistoryEvent[]): HistoryEvent[] {
  let seq = 0;
  return gatherLives(witnesses).lives.flatMap(({ seen }) =>
    seen.slice(1).flatMap((t, index): HistoryEvent[] => {
      const ms = t - seen[index]!;
      return ms < STALL_MS ? [] : [{ seq: (seq += 1), t, actor: "host", kind: "observe", op: "hostStall", value: { ms } }];
    }),
  );
}

async function start(name: string, directory: string, belongings: Belongings, groups: ControlGroups | undefined): Promise<ProcessIdentity | undefined> {
  const paths = (await groups?.create(name, { cpus: WITNESS_CPUS })) ?? [];
  for (const path of paths) belongings.add({ kind: "controlGroup", path });
  const env = { PATH: process.env["PATH"] ?? "", WITNESSES: directory, MESOS_TASK_ID: name, MESOS_SANDBOX: `/${name}`, MESOS_AGENT_ID: "none" };
  const child = spawn("bash", [witnessScript], { env, stdio: "ignore", detached: true });
  child.on("error", () => {});
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) return undefined;
  belongings.add({ kind: "process", ...identity });
  for (const path of paths) writeFileSync(join(path, "cgroup.procs"), String(identity.pid));
  return identity;
}
