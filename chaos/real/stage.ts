/**
 * What a run stands on: a book of belongings, namespaces where there are any, and a process within them that does the
 * run. Whatever becomes of that process, what it made is undone here.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Belongings, reap } from "./belongings.ts";
import { copyCheckout } from "./checkout.ts";
import { type ClusterSize, nodesOf } from "./cluster/cluster.ts";
import { makeNamespaces, namespaces, type NamespacePlan, OBSERVER } from "./cluster/namespaces.ts";
import { loopback, type Network } from "./cluster/network.ts";
import { type Ability, PREVIOUS, probe } from "./host/abilities.ts";
import { prepareReport } from "./history-files.ts";
import { commandOf, type RunOrder } from "./orders.ts";

export interface Stage {
  readonly report: string;
  readonly abilities: readonly Ability[];
  /** Undefined: all on one host. */
  readonly namespaces: NamespacePlan | undefined;
}

const STAGE = "stage.json";
const CHECKOUT = "checkout";
/** Tells the process of the run where the stage is. */
export const STAGE_VARIABLE = "CHAOS_STAGE";
const UNTRIED = "not tried: everything runs on one host";

export function openStage(directory: string): Stage {
  return JSON.parse(readFileSync(join(directory, STAGE), "utf8")) as Stage;
}

export async function networkOf({ namespaces: plan }: Stage, size: ClusterSize): Promise<Network> {
  return plan === undefined ? loopback(nodesOf(size)) : namespaces(plan);
}

/** Sets the stage, has `args` done on it by a process of its own, and clears it. Resolves with the exit code. */
export async function onStage(order: RunOrder, args: readonly string[], tell: (line: string) => void): Promise<number> {
  for (const problem of await reap()) tell(`left by an earlier run: ${problem}`);
  const belongings = Belongings.open();
  try {
    const report = resolve(order.report ?? join(tmpdir(), `mesarch-chaos-report-${order.kind}-${order.seed}`));
    prepareReport(report, commandOf(order));
    const stage = await set(order, report, belongings);
    writeFileSync(join(belongings.directory, STAGE), JSON.stringify(stage));
    const main = copyCheckout(join(belongings.directory, CHECKOUT), order.built);
    return await perform(main, stage, belongings, args);
  } finally {
    for (const problem of await belongings.undo()) tell(`not undone: ${problem}`);
  }
}

async function set(order: RunOrder, report: string, belongings: Belongings): Promise<Stage> {
  const names = order.loopback ? (["injection", "disk", "powerLoss", "ownBoot", "fakeTime", "descriptors", "memory"] as const) : undefined;
  const abilities = await probe(belongings, names);
  for (const name of ["firewall", "loss", "rate"] as const) if (order.loopback) abilities.push({ name, what: name, problem: UNTRIED });
  const previous = order.kind === "chaos" ? order.previous : undefined;
  abilities.push({ name: "previous", ...PREVIOUS, problem: previous === undefined ? "--previous was not given" : undefined });
  const inNamespaces = abilities.find(({ name }) => name === "firewall")?.problem === undefined;
  if (!inNamespaces) return { report, abilities, namespaces: undefined };
  const plan: NamespacePlan = { prefix: `mchaos-${process.pid}`, nodes: [...nodesOf(order.size), OBSERVER] };
  await makeNamespaces(plan, belongings);
  return { report, abilities, namespaces: plan };
}

function perform(main: string, { namespaces: plan }: Stage, belongings: Belongings, args: readonly string[]): Promise<number> {
  const enter = plan === undefined ? [] : namespaces(plan).enter(OBSERVER);
  const [program, ...rest] = [...enter, process.execPath, "--disable-warning=ExperimentalWarning", main, ...args] as [string, ...string[]];
  const child = spawn(program, rest, { stdio: "inherit", env: { ...process.env, [STAGE_VARIABLE]: belongings.directory } });
  // It heals and ends; a terminal's interrupt reaches it anyway.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, pass);
  return new Promise((done) => {
    const ended = (code: number | null): void => {
      for (const signal of signals) process.off(signal, pass);
      done(code ?? 3);
    };
    child.once("error", () => ended(3));
    child.once("exit", (code) => ended(code));
  });
}
