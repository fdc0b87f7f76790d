/** Agents are killed, doubled, copied and damaged; their tasks belong to nobody's process. */
import { watch } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { freePorts } from "../../src/dev/free-ports.ts";
import { exitStatus } from "../../src/sdk/index.ts";
import type { Agent } from "../support/process-cluster.ts";
import { sharedCluster } from "./shared-cluster.ts";
import { flaws, newIds, services } from "./traffic.ts";

const shared = sharedCluster({ masters: 1, etcd: { members: 1 } });

test.serial("an agent is killed and comes back: tasks notice nothing, ends in between arrive with their codes (I10, I17, 8.4)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await using scheduler = await cluster.scheduler();
  const [well, badly, staying] = (await services(cluster, scheduler, 3, agent.name)) as [string, string, string];
  await cluster.kill(agent);
  cluster.witnesses.end(well);
  cluster.witnesses.end(badly, 7);
  await cluster.witnesses.ended([well, badly]);
  t.deepEqual(scheduler.states(badly), ["TASK_RUNNING"]);
  agent.start();
  t.is(exitStatus(await scheduler.until(well, "TASK_FINISHED")), 0);
  t.is(exitStatus(await scheduler.until(badly, "TASK_FAILED")), 7);
  t.deepEqual(await cluster.witnesses.disturbed([staying]), []);
  t.deepEqual(scheduler.states(staying), ["TASK_RUNNING"]);
  t.deepEqual(scheduler.disorder(), []);
  await scheduler.session.teardown();
});

test.serial("an agent is killed at its first, second, … word to the journal: each launch becomes one run (I6, I8, 6.1, 6.3, 8.3)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await cluster.whole();
  await using scheduler = await cluster.scheduler();
  const ids: string[] = [];
  for (const round of [1, 2, 3, 4, 6, 8]) {
    const some = newIds("job", 4);
    ids.push(...some);
    for (const id of some) cluster.witnesses.end(id);
    let words = 0;
    const journal = watch(join(agent.workDirectory, "journal"), () => {
      words += 1;
      if (words === round) agent.kill("SIGKILL");
    });
    await scheduler.launch(some.map((id) => cluster.witnesses.task(id)), { on: agent.name });
    // Words that come together are one write: there may be fewer than that.
    let exited = false;
    void scheduler.untilAll(some, "TASK_FINISHED").then(() => exited || agent.kill("SIGKILL"), () => {});
    await agent.exited;
    exited = true;
    journal.close();
    agent.start();
    await cluster.whole();
  }
  t.deepEqual(await flaws(cluster, scheduler, ids), []);
  await scheduler.session.teardown();
});

test.serial("a kill ends its task within the grace, and touches no other (I11, 6.4)", async (t) => {
  const cluster = shared();
  await cluster.whole();
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 2);
  const [gentle] = await services(cluster, scheduler, 1) as [string];
  await scheduler.kill(gentle);
  t.is(exitStatus(await scheduler.until(gentle, "TASK_KILLED")), 143);
  t.is(cluster.witnesses.signals(gentle), 1);

  const [stubborn] = newIds("stubborn", 1) as [string];
  await scheduler.launch([cluster.witnesses.task(stubborn, { stubborn: true })]);
  await scheduler.until(stubborn, "TASK_RUNNING");
  await cluster.witnesses.started([stubborn]);
  const ordered = performance.now();
  await scheduler.kill(stubborn, 700);
  t.is(exitStatus(await scheduler.until(stubborn, "TASK_KILLED")), 137);
  t.true(performance.now() - ordered >= 700);
  t.is(cluster.witnesses.signals(stubborn), 1);
  t.false(cluster.witnesses.runs(stubborn));
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  t.deepEqual(scheduler.disorder(), []);
  await scheduler.session.teardown();
});

test.serial("a kill for a task whose agent is down is obeyed when it is back (I11, 6.4)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await using scheduler = await cluster.scheduler();
  const [killed, spared] = (await services(cluster, scheduler, 2, agent.name)) as [string, string];
  await cluster.kill(agent);
  await scheduler.kill(killed);
  t.true(cluster.witnesses.runs(killed));
  agent.start();
  await scheduler.until(killed, "TASK_KILLED");
  t.deepEqual(await cluster.witnesses.disturbed([spared]), []);
  t.deepEqual(scheduler.failedCalls, []);
  await scheduler.session.teardown();
});

test.serial("a second agent over the same work directory is refused and disturbs nothing (8.1)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 1, agent.name);
  const [port] = await freePorts(1);
  const second = cluster.agent("agent-1b", port!, agent.workDirectory).start();
  t.not((await second.exited).code, 0);
  t.regex(second.stderr.items.join("\n"), /another agent uses the work directory[^]*its own work directory/);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  await cluster.whole();
  await scheduler.session.teardown();
});

test.serial("an agent over a copy of a living one's work directory is sent away and ends no task (8.6)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 2, agent.name);
  const copied = join(cluster.directory, "copied");
  await cp(agent.workDirectory, copied, { recursive: true, verbatimSymlinks: true });
  const [port] = await freePorts(1);
  const copy = cluster.agent("agent-1", port!, copied).start();
  t.not((await copy.exited).code, 0);
  t.regex(copy.stderr.items.join("\n"), /another agent has this identity: .* is alive at/);
  t.true(agent.running);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  await cluster.whole();
  t.is((await cluster.operator.agents()).length, 2);
  await scheduler.session.teardown();
});

test.serial("a damaged journal stops the agent with an explanation; its tasks go on, and are found with the file mended (8.3)", async (t) => {
  const cluster = shared();
  const [agent] = cluster.agents as readonly [Agent];
  await using scheduler = await cluster.scheduler();
  const running = await services(cluster, scheduler, 2, agent.name);
  await cluster.kill(agent);
  const path = join(agent.workDirectory, "journal");
  const whole = await readFile(path);
  const damaged = Buffer.from(whole);
  // Within the second record, long before the torn end that a crash may leave.
  for (let at = 100; at < 140; at += 1) damaged[at] = damaged[at]! ^ 0xff;
  await writeFile(path, damaged);
  agent.start();
  t.not((await agent.exited).code, 0);
  t.regex(agent.stderr.items.join("\n"), /journal is damaged[^]*The tasks of this host go on running/);
  t.deepEqual(await cluster.witnesses.disturbed(running), []);
  await writeFile(path, whole);
  agent.start();
  await cluster.whole();
  cluster.witnesses.end(running[0]!);
  await scheduler.until(running[0]!, "TASK_FINISHED");
  t.deepEqual(await cluster.witnesses.disturbed(running.slice(1)), []);
  await scheduler.session.teardown();
});
