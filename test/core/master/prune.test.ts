import test from "ava";
import { FrameworkRecord, HistoryRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import { Cluster } from "./cluster.ts";

/** Removed frameworks, each with one finished task. */
function removed(cluster: Cluster, count: number, id: (i: number) => string): void {
  for (let i = 0; i < count; i++) {
    const standing = { $case: "removedAt" as const, value: i };
    cluster.tables.apply({ kind: "f", id: id(i), record: FrameworkRecord.fromPartial({ standing }) });
    const task = { launchId: `${id(i)}-l`, frameworkId: id(i), info: { taskId: { value: "t" } } };
    cluster.tables.apply({ kind: "h", id: `${id(i)}/0`, record: HistoryRecord.fromPartial({ task, number: 0, at: i }) });
  }
}

test("4.2 of removed frameworks the 50 newest are kept to look at; of the others only tombstones of foreign ids", (t) => {
  const cluster = new Cluster();
  removed(cluster, 60, (i) => `foreign-${i}`);
  cluster.advance(61_000);
  t.is(cluster.tables.frameworks.size, 60);
  t.is(cluster.tables.history.size, 50);
  t.false(cluster.tables.history.has("foreign-9/0"));
  t.true(cluster.tables.history.has("foreign-10/0"));
});

test("4.2, 1.4 ids of our own form need no tombstone", (t) => {
  const cluster = new Cluster();
  removed(cluster, 60, (i) => `1-2-ab-${String(i).padStart(4, "0")}`);
  cluster.advance(61_000);
  t.is(cluster.tables.frameworks.size, 50);
  t.is(cluster.tables.history.size, 50);
  t.false(cluster.tables.frameworks.has("1-2-ab-0009"));
});

test("4.2, 1.4 of the present leadership even those stay: after a restore of a backup from it, only rows tell what was removed", (t) => {
  const cluster = new Cluster();
  removed(cluster, 60, (i) => `1-100-ab-${String(i).padStart(4, "0")}`);
  cluster.advance(61_000);
  t.is(cluster.tables.frameworks.size, 60);
  t.is(cluster.tables.history.size, 50);
  cluster.failover();
  cluster.advance(61_000);
  t.is(cluster.tables.frameworks.size, 50);
});

test("4.2 very many tombstones are looked through in steps that stay short, and written in small batches", (t) => {
  const cluster = new Cluster();
  cluster.checking = false;
  removed(cluster, 5_000, (i) => `1-2-ab-${String(i).padStart(4, "0")}`);
  cluster.advance(60_000);
  let most = 0;
  for (let step = 0; step < 200; step++) {
    const before = cluster.tables.frameworks.size + cluster.tables.history.size;
    cluster.advance(100);
    most = Math.max(most, before - cluster.tables.frameworks.size - cluster.tables.history.size);
  }
  t.is(cluster.tables.frameworks.size, 50);
  t.true(most > 0 && most <= 200, `${most} rows in 100 ms`);
});

test("4.2, 9.3 of an agent that comes back while it is being forgotten all tasks run on, those in history and beyond it too", (t) => {
  const cluster = new Cluster({ unreachableRetentionSeconds: 100 });
  const agent = cluster.agent("a", "cpus:1000;mem:1000000");
  const framework = cluster.framework();
  const ids = Array.from({ length: 150 }, (_, i) => `t${i}`);
  framework.launch(agent, ...ids);
  for (const id of ids) agent.run(id);
  agent.disconnect();
  cluster.advance(76_000);
  while (cluster.tables.tasks.size === 150) cluster.advance(100);
  t.true(cluster.tables.tasks.size > 0);
  t.true(cluster.tables.agents.has(agent.id));
  // Others of the framework ended meanwhile: the ring is short.
  for (const key of [...cluster.tables.history.keys()].slice(0, 10)) cluster.tables.apply({ kind: "h", id: key, record: undefined });
  agent.connect();
  agent.report();
  t.deepEqual(agent.told("listWanted"), [{ withInfos: true }]);
  agent.report(true, true);
  t.true(agent.confirmed);
  t.deepEqual(agent.told("kill"), []);
  t.deepEqual(cluster.alarms.filter((alarm) => alarm.includes("not in the registry")), []);
  t.is(cluster.tables.tasks.size, 150);
  for (const id of ids) t.deepEqual(framework.heard(id), ["RUNNING", "UNREACHABLE", "RUNNING"]);
  cluster.advance(61_000);
  t.is(cluster.tables.tasks.size, 150);
});

test("4.2 an agent that comes back while its rows are being pruned keeps what is left", (t) => {
  const cluster = new Cluster({ unreachableRetentionSeconds: 100 });
  const agent = cluster.agent();
  agent.disconnect();
  cluster.advance(80_000);
  t.is(cluster.agentRow(agent).standing!.$case, "unreachableAt");
  cluster.machine.state.membership.prunable.push({ kind: "a", id: agent.id, wholly: true });
  agent.reconnect();
  cluster.advance(61_000);
  t.true(cluster.tables.agents.has(agent.id));
  t.deepEqual(cluster.machine.state.membership.prunable, []);
});

test("4.2, 4.5 what ended by the master's word leaves with its removed framework, whichever leader comes to it", (t) => {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  agent.held.clear();
  agent.restart();
  t.true(cluster.task("t1")!.settled);
  framework.teardown();
  cluster.failover();
  cluster.advance(61_000);
  t.is(cluster.task("t1"), undefined);
  t.truthy(cluster.past("t1"));
});
