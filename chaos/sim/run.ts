/**
 * One run of a plan: quiet, faults, healing, an end to everything, and what is left over. The same plan gives the same
 * history, event for event.
 */
import { createHash } from "node:crypto";
import { FrameworkRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { breakForGood } from "./broken.ts";
import { SimCluster } from "./cluster.ts";
import { strikes } from "./faults.ts";
import { keepReading } from "./operators.ts";
import { type Action, CALM_AFTER_MS, endAt, HANDOVER_MS, healAt, type Plan } from "./plan.ts";
import type { HistoryEvent } from "../history/event.ts";

export interface Run {
  readonly plan: Plan;
  readonly history: readonly HistoryEvent[];
  /** What is wrong with the cluster itself once all is over, beside what checkers find in the history. */
  readonly complaints: readonly string[];
  readonly events: number;
  /** Of the whole history: two runs of one plan agree in it. */
  readonly digest: string;
}

const LOOK_MS = 250;

export async function run(plan: Plan): Promise<Run> {
  const cluster = new SimCluster(plan);
  const { time, write } = cluster;
  const complaints: string[] = [];
  const phase = (name: "quiet" | "chaos" | "healed" | "settled" | "final"): void => write({ actor: "nemesis", kind: "observe", op: "phase", value: { name } });
  phase("quiet");
  cluster.start();
  keepReading(cluster);
  const undo = schedule(cluster);
  for (const action of plan.actions) time.after(action.at, () => act(cluster, action));
  for (const order of plan.orders) time.after(order.at, () => cluster.commandLine.give(order));
  await time.runUntil(healAt(plan));
  undo();
  heal(cluster);
  phase("healed");
  const lost = plan.broken === undefined ? new Set<string>() : breakForGood(cluster, plan.broken);
  const content = (): boolean => cluster.frameworks.every((framework) => framework.wishes(lost).length === 0);
  while (!content() && time.now < endAt(plan)) await time.runUntil(Math.min(time.now + LOOK_MS, endAt(plan)));
  for (const framework of cluster.frameworks) {
    write({ actor: `framework/${framework.name}`, kind: "observe", op: "wishes", value: { of: framework.name, open: framework.wishes(lost) } });
  }
  phase("settled");
  await time.runUntil(Math.max(time.now, endAt(plan)));
  phase("final");
  complaints.push(...overdue(cluster));
  // What was broken comes back after all, so that in the end nothing may be left anywhere.
  if (plan.broken !== undefined) mend(cluster);
  for (const framework of cluster.frameworks) framework.teardown();
  await time.runUntil(plan.durationMs);
  complaints.push(...leftovers(cluster));
  for (const process of [...cluster.masters, ...cluster.agents, ...cluster.frameworks, ...cluster.watchers, cluster.commandLine]) process.kill();
  const hash = createHash("sha256");
  for (const event of cluster.history) hash.update(JSON.stringify(event));
  return { plan, history: cluster.history, complaints, events: time.events, digest: hash.digest("hex").slice(0, 16) };
}

function act({ frameworks, meddling }: SimCluster, { framework, name }: Action): void {
  const target = frameworks[framework]!;
  if (target.process === undefined || target.over) return;
  if (name === "kill") target.killOne();
  else if (name === "killNext") target.killNext();
  else if (name === "reconcile" || name === "reconcileAll") target.reconcile(name === "reconcile");
  else meddling.plan(name, target);
}

/** Returns what undoes all that is still on. */
function schedule(cluster: SimCluster): () => void {
  const { plan, time, write } = cluster;
  const on = new Set<() => void>();
  for (const fault of plan.faults) {
    time.after(fault.at, () => {
      const struck = strikes[fault.name](cluster, fault);
      if (struck === undefined) return;
      const { targets, undo } = struck;
      write({ actor: "nemesis", kind: "fault", op: "fault", value: { name: fault.name, targets, on: true } });
      const end = (): void => {
        if (!on.delete(end)) return;
        undo();
        write({ actor: "nemesis", kind: "fault", op: "fault", value: { name: fault.name, targets, on: false } });
      };
      on.add(end);
      time.after(fault.forMs, end);
    });
  }
  return () => {
    for (const end of [...on]) end();
  };
}

function mend(cluster: SimCluster): void {
  for (const master of cluster.masters) {
    master.hire();
    master.storeLink = "up";
  }
  for (const framework of cluster.frameworks) framework.hire();
  heal(cluster);
  cluster.write({ actor: "nemesis", kind: "fault", op: "fault", value: { name: "broken", targets: [], on: false } });
}

/** Whatever several faults did to one another: everything is up and reaches everything. */
function heal({ network, server, masters, agents, frameworks, watchers, commandLine }: SimCluster): void {
  network.healAll();
  server.full = false;
  server.link = "up";
  for (const master of masters) {
    master.process?.thaw();
    master.start();
  }
  for (const agent of agents) {
    agent.disk.full = false;
    agent.disk.slowMs = 0;
    agent.process?.thaw();
    agent.start();
  }
  for (const framework of frameworks) framework.start();
  for (const watcher of watchers) {
    watcher.process?.thaw();
    watcher.start();
  }
  commandLine.healed();
}

/** Frameworks that were away for so long that they should have been removed by now (10.5). */
function overdue({ plan, frameworks, server }: SimCluster): string[] {
  return (plan.broken?.frameworks ?? []).flatMap((index) => {
    const { name, plan: wanted } = frameworks[index]!;
    const row = server.get(`f/${name}`);
    if (row === undefined || wanted.failoverTimeoutS * 1_000 + HANDOVER_MS + CALM_AFTER_MS > endAt(plan) - healAt(plan)) return [];
    const { standing, lostByMaster } = FrameworkRecord.decode(row.value);
    return standing?.$case === "removedAt" || lostByMaster ? [] : [`${name} is away and was not removed`];
  });
}

function leftovers(cluster: SimCluster): string[] {
  const left: string[] = [];
  const leaders = cluster.masters.filter(({ leading }) => leading);
  if (leaders.length !== 1) left.push(`${leaders.length} masters lead in the end`);
  for (const [task, host] of cluster.running) left.push(`task ${task} still runs on ${host}`);
  for (const { name, over } of cluster.frameworks) if (!over) left.push(`${name} was not torn down`);
  const rows = cluster.server.rows().filter(({ key }) => key.startsWith("t/"));
  if (rows.length > 0) left.push(`${rows.length} task rows are left: ${rows.map(({ key }) => key).slice(0, 3).join(", ")}`);
  const candidates = cluster.server.candidates();
  if (candidates.length !== cluster.masters.length) left.push(`${candidates.length} candidates for ${cluster.masters.length} masters`);
  return left;
}
