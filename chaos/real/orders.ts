/** What `npm run chaos` can be told. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { ClusterSize } from "./cluster/cluster.ts";
import { IMPATIENT } from "./expectations.ts";
import { allFaults } from "./nemesis/catalogue.ts";

export const USAGE = `usage:
  npm run chaos -- [--time SECONDS] [--workload mixed|services|churn] [--nemesis all|NAME,NAME] [--seed N]
                   [--masters N] [--agents N] [--report DIR] [--loopback] [--dist] [--previous DIR]
      breaks a cluster of real processes for a while, heals it, and checks what everybody saw; with --previous, a
      checkout of an earlier version, the cluster begins as that, and is upgraded and downgraded as it runs
  npm run chaos -- run headline [--tasks N] [--for SECONDS] [--report DIR] [--loopback] [--dist]
      all masters are killed for a minute, then all of etcd: no task may notice
  npm run chaos -- run herd [--herd-agents N] [--herd-frameworks N] [--report DIR] [--loopback] [--dist]
      thousands of simulated agents and hundreds of frameworks come back all at once, while leaders keep dying
  npm run chaos -- run restore [--lost SECONDS] [--report DIR] [--loopback] [--dist]
      etcd is lost and restored from a backup, which knows nothing of the last seconds
  npm run chaos -- probe [-o json]
      which faults this machine can do, and why not the others
  npm run chaos -- check FILE
      judges a history again, or the directory of a report

Exit code 0: all that was expected was tested, and held. 1: something did not. 2: usage. 3: the run itself failed.`;

export type Workload = "mixed" | "services" | "churn";
const WORKLOADS: readonly Workload[] = ["mixed", "services", "churn"];

interface Common {
  readonly seed: number;
  readonly size: ClusterSize;
  /** Undefined: a directory that the run names. */
  readonly report: string | undefined;
  readonly loopback: boolean;
  readonly built: boolean;
}

export interface ChaosOrder extends Common {
  readonly kind: "chaos";
  readonly timeMs: number;
  readonly workload: Workload;
  /** Names of faults; "all" is all that the machine can do. */
  readonly nemesis: "all" | readonly string[];
  /** Checkout of an earlier version. */
  readonly previous: string | undefined;
}

export interface HeadlineOrder extends Common {
  readonly kind: "headline";
  readonly tasks: number;
  readonly forMs: number;
}

export interface HerdOrder extends Common {
  readonly kind: "herd";
}

export interface RestoreOrder extends Common {
  readonly kind: "restore";
  /** What the backup does not know. */
  readonly lostMs: number;
}

export type RunOrder = ChaosOrder | HeadlineOrder | HerdOrder | RestoreOrder;

export type Order =
  | RunOrder
  | { readonly kind: "probe"; readonly json: boolean }
  | { readonly kind: "check"; readonly path: string }
  | { readonly kind: "help" };

/** Throws an Error that says what is wrong. */
export function parseOrder(args: readonly string[]): Order {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      time: { type: "string", default: "300" },
      workload: { type: "string", default: "mixed" },
      nemesis: { type: "string", default: "all" },
      seed: { type: "string" },
      masters: { type: "string", default: "3" },
      agents: { type: "string", default: "3" },
      report: { type: "string" },
      previous: { type: "string" },
      loopback: { type: "boolean", default: false },
      dist: { type: "boolean", default: false },
      tasks: { type: "string", default: "200" },
      for: { type: "string", default: "60" },
      lost: { type: "string", default: "20" },
      "herd-agents": { type: "string", default: "2000" },
      "herd-frameworks": { type: "string", default: "200" },
      output: { type: "string", short: "o", default: "text" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return { kind: "help" };
  const [command, name, ...rest] = positionals;
  if (rest.length > 0) throw new Error(`too many words: ${rest.join(" ")}`);
  if (command === "probe" && name === undefined) return { kind: "probe", json: oneOf("output", values.output, ["text", "json"]) === "json" };
  if (command === "check") {
    if (name === undefined) throw new Error("check: which history?");
    if (!existsSync(name)) throw new Error(`check: there is no ${name}`);
    return { kind: "check", path: name };
  }
  const common: Common = {
    seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : whole("seed", values.seed, 0),
    size: { masters: whole("masters", values.masters, 1, 9), agents: whole("agents", values.agents, 1, 20), frameworks: 1 },
    report: values.report,
    loopback: values.loopback,
    built: values.dist,
  };
  if (command === "run") {
    if (name === "herd") {
      const herd = { agents: whole("herd-agents", values["herd-agents"], 1, 20_000), frameworks: whole("herd-frameworks", values["herd-frameworks"], 1, 2_000) };
      return { kind: "herd", ...common, size: { ...common.size, herd } };
    }
    if (name === "restore") return { kind: "restore", ...common, lostMs: whole("lost", values.lost, 1, 3_600) * 1_000 };
    if (name !== "headline") throw new Error(`there is no scenario "${name ?? ""}"; there are: headline, herd, restore`);
    return { kind: "headline", ...common, tasks: whole("tasks", values.tasks, 1, 5_000), forMs: whole("for", values.for, 1, 3_600) * 1_000 };
  }
  if (command !== undefined) throw new Error(`there is no command "${command}"`);
  return {
    kind: "chaos",
    ...common,
    timeMs: whole("time", values.time, 1, 86_400) * 1_000,
    workload: oneOf("workload", values.workload, WORKLOADS),
    nemesis: values.nemesis === "all" ? "all" : values.nemesis.split(",").map(faultName),
    previous: values.previous === undefined ? undefined : resolve(values.previous),
  };
}

/** The command that does the same again. */
export function commandOf(order: RunOrder): string {
  const { seed, size, loopback, built } = order;
  const common = [`--seed ${seed}`, `--masters ${size.masters}`, `--agents ${size.agents}`, ...(loopback ? ["--loopback"] : []), ...(built ? ["--dist"] : [])];
  const own = ownOptions(order);
  return `npm run chaos -- ${[...own, ...common].join(" ")}`;
}

function ownOptions(order: RunOrder): string[] {
  switch (order.kind) {
    case "headline":
      return ["run headline", `--tasks ${order.tasks}`, `--for ${order.forMs / 1_000}`];
    case "herd":
      return ["run herd", `--herd-agents ${order.size.herd!.agents}`, `--herd-frameworks ${order.size.herd!.frameworks}`];
    case "restore":
      return ["run restore", `--lost ${order.lostMs / 1_000}`];
    case "chaos": {
      const { timeMs, workload, nemesis, previous } = order;
      return [`--time ${timeMs / 1_000}`, `--workload ${workload}`, `--nemesis ${nemesis === "all" ? "all" : nemesis.join(",")}`, ...(previous === undefined ? [] : [`--previous ${previous}`])];
    }
  }
}

function faultName(name: string): string {
  return oneOf("nemesis", name, allFaults(IMPATIENT.agentPingTimeoutMs).map((fault) => fault.name));
}

function whole(name: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || value > most) throw new Error(`--${name} ${text}: a whole number from ${least} to ${most} is needed`);
  return value;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found === undefined) throw new Error(`--${name} ${text}: one of ${allowed.join(", ")} is needed`);
  return found;
}
