/** Agents that fall silent, return, or are given up for good. */
import test from "ava";
import { TaskStatus_Reason } from "../../src/wire/gen/mesos/v1/mesos.ts";
import type { Agent } from "../support/process-cluster.ts";
import { sharedCluster } from "./shared-cluster.ts";
import { flaws, jobs, newIds, services } from "./traffic.ts";

const PING_TIMEOUT_MS = 3_000;

const shared = sharedCluster({
  masters: 2,
  etcd: { members: 1 },
  masterFlags: ["--agent-ping-interval=500ms", `--agent-ping-timeout=${PING_TIMEOUT_MS}ms`, "--unreachable-per-minute=1"],
});

test.serial("a silent agent is unreachable after a full ping window; back, its tasks run on as the same processes (5.5, 7.4, I9)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await using scheduler = await cluster.scheduler();
  const there = await services(cluster, scheduler, 2, agent.name);
  const elsewhere = await services(cluster, scheduler, 1, "agent-2");
  const since = performance.now();
  agent.pause();
  await scheduler.untilAll(there, "TASK_UNREACHABLE");
  t.true(performance.now() - since > PING_TIMEOUT_MS / 2);
  t.is((await cluster.operator.status()).agentsUnreachable, 1);
  t.deepEqual(await cluster.witnesses.disturbed(there), []);
  const told = scheduler.updates.items.length;
  agent.resume();
  await scheduler.updates.until("both are said to run again", (all) => there.every((id) => all.slice(told).some((status) => status.taskId?.value === id)));
  for (const id of there) {
    t.deepEqual(scheduler.states(id), ["TASK_RUNNING", "TASK_UNREACHABLE", "TASK_RUNNING"]);
    t.is(scheduler.told(id).at(-1)!.reason, TaskStatus_Reason.REASON_AGENT_REREGISTERED);
  }
  t.deepEqual(await cluster.witnesses.disturbed([...there, ...elsewhere]), []);
  t.deepEqual(scheduler.states(elsewhere[0]!), ["TASK_RUNNING"]);
  await scheduler.session.teardown();
});

test.serial("an agent away through a failover of the masters comes back to the new leader with its tasks (5.5, 7.5, I22)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await cluster.whole();
  await using scheduler = await cluster.scheduler();
  const [id] = (await services(cluster, scheduler, 1, agent.name)) as [string];
  agent.pause();
  await scheduler.until(id, "TASK_UNREACHABLE");
  const leader = await cluster.leader();
  await cluster.kill(leader);
  t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 4)), []);
  agent.resume();
  await scheduler.updates.until(`${id} runs again`, () => scheduler.states(id).at(-1) === "TASK_RUNNING");
  t.deepEqual(await cluster.witnesses.disturbed([id]), []);
  leader.start();
  await cluster.whole();
  await scheduler.session.teardown();
});

test.serial("a launch whose agent was declared unreachable never starts late (6.2, I8)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await cluster.whole();
  await using scheduler = await cluster.scheduler({ acknowledge: true });
  const [first] = (await services(cluster, scheduler, 1, agent.name)) as [string];
  const [late] = newIds("late", 1) as [string];
  // Frozen between its offer and the launch.
  const launching = scheduler.launch([cluster.witnesses.task(late)], { on: agent.name });
  agent.pause();
  await launching;
  await scheduler.until(late, "TASK_UNREACHABLE");
  agent.resume();
  await scheduler.updates.until(`the end of ${late}`, () => /DROPPED|GONE|RUNNING/.test(scheduler.states(late).at(-1)!));
  // Delivered before the freeze or not at all: either it ran once and said so, or it never did.
  const started = cluster.witnesses.starts(late).length;
  t.is(started, scheduler.states(late).at(-1) === "TASK_RUNNING" ? 1 : 0);
  t.deepEqual(await cluster.witnesses.disturbed([first]), []);
  t.deepEqual(scheduler.disorder(), []);
  await scheduler.session.teardown();
});

test.serial("an agent given up for good: tasks are GONE_BY_OPERATOR, and end when it returns; its id is dead (I21, I22)", async (t) => {
  const cluster = shared();
  const [, agent] = cluster.agents as readonly [Agent, Agent];
  await cluster.whole();
  await using scheduler = await cluster.scheduler();
  const there = await services(cluster, scheduler, 2, agent.name);
  const elsewhere = await services(cluster, scheduler, 2, "agent-1");
  await cluster.kill(agent);
  const refused = cluster.cli("agent", "gone", agent.name);
  t.is((await refused.exited).code, 4);
  t.regex(refused.stderr.items.join("\n"), /--yes/);
  t.is((await cluster.cli("agent", "gone", agent.name, "--yes").exited).code, 0);
  await scheduler.untilAll(there, "TASK_GONE_BY_OPERATOR");
  for (const id of there) t.true(cluster.witnesses.runs(id));

  agent.start();
  await cluster.witnesses.ended(there);
  t.is((await agent.exited).code, 0);
  t.regex(agent.stderr.items.join("\n"), /sends this agent away \(gone\)/);
  t.deepEqual(await cluster.witnesses.disturbed(elsewhere), []);
  const logged = agent.stderr.items.length;
  agent.start();
  await agent.exited;
  t.true(agent.stderr.items.slice(logged).some((line) => line.includes("sends this agent away (gone)")));
  t.deepEqual(scheduler.disorder(), []);
  await scheduler.session.teardown();
});
