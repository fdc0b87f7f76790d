/**
 * The quickstart: a whole cluster, real work, and the things that are not supposed to matter happening to it.
 *
 *     scripts/quickstart [--keep]
 *
 * Exit code 0 only if every promise held; 1 if one did not; 2 if it could not be tried.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { QuickstartCluster } from "./cluster.ts";
import { Framework } from "./framework.ts";
import { failoverLines, outcomeRows, tableLines } from "./report.ts";
import { inputFiles, jobs, services, starts } from "./workload.ts";

const JOBS = 100;
const SERVICES = 6;
const STEP_TIMEOUT_MS = 60_000;

const { values } = parseArgs({ options: { keep: { type: "boolean", default: false }, checkout: { type: "string" }, cli: { type: "string" } } });
const checkout = values.checkout ?? process.cwd();
const program = [process.execPath, ...process.execArgv, values.cli ?? join(checkout, "dist/src/cli/main.js")];

const started = performance.now();
const say = (line: string): void => console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);

/** Waits for a condition that the framework's own events make true. */
async function until(what: string, framework: Framework, condition: () => boolean): Promise<void> {
  const late = AbortSignal.timeout(STEP_TIMEOUT_MS);
  while (!condition()) {
    if (late.aborted) throw new Error(`${what}: not within ${STEP_TIMEOUT_MS / 1000} s`);
    await Promise.race([new Promise<void>((resolve) => (framework.onChange = resolve)), delay(200)]);
  }
}

async function story(cluster: QuickstartCluster): Promise<boolean> {
  const evidence = join(cluster.directory, "evidence");
  const serviceTasks = services(SERVICES, evidence);
  const jobTasks = jobs(inputFiles(checkout, JOBS), evidence);
  const framework = await Framework.start(cluster.masters);
  try {
    say(`a framework subscribed; it launches ${serviceTasks.length} services and ${jobTasks.length} jobs that compress files of this checkout`);
    await framework.launch(serviceTasks.map(({ task }) => task));
    await until("services running", framework, () => framework.count("TASK_RUNNING") === serviceTasks.length);
    const pidsBefore = new Map(serviceTasks.map(({ id }) => [id, starts(evidence, id)[0] ?? ""]));
    await framework.launch(jobTasks.map(({ task }) => task));
    const finished = (share: number) => (): boolean => framework.count("TASK_FINISHED") >= share * jobTasks.length;
    const progress = (): string => `${framework.count("TASK_FINISHED")} jobs finished, ${framework.count("TASK_RUNNING")} tasks running`;

    await until("a fifth of the jobs", framework, finished(0.2));
    const leader = await cluster.leader();
    say(`${progress()}; SIGKILL for the leading master: ${cluster.kill(leader.name).join()}`);
    const next = await cluster.operator.nextLeader(leader.epoch);
    say(`${next.name} leads`);

    await until("half of the jobs", framework, finished(0.5));
    say(`${progress()}; SIGKILL for all masters at once: ${cluster.kill(...cluster.masterNames).join(", ")}`);
    const reborn = await cluster.operator.nextLeader(next.epoch);
    say(`the masters are back, ${reborn.name} leads; meanwhile the tasks went on`);

    await until("seven tenths of the jobs", framework, finished(0.7));
    say(`${progress()}; SIGKILL for an agent's process: ${cluster.kill("agent-0").join()}`);

    await until("all jobs", framework, finished(1));
    say("all jobs have finished");
    const rows = outcomeRows({
      tasks: framework.tasks,
      jobs: jobTasks,
      services: serviceTasks,
      pidsBefore,
      evidence,
      failedCalls: framework.failedCalls,
      relaunched: framework.relaunched,
      endedAt: Date.now(),
    });
    console.log(`\nLeaderships (milliseconds since the first sign of trouble)\n${failoverLines(await cluster.operator.leaderHistory()).join("\n")}`);
    console.log(`\nTasks\n${tableLines(rows).join("\n")}\n`);
    return rows.every(({ ok }) => ok);
  } finally {
    if (!values.keep) await framework.teardown().catch(() => framework.close());
    else await framework.close();
  }
}

let cluster: QuickstartCluster | undefined;
let code = 2;
const interrupted = (signal: NodeJS.Signals): void => {
  say(`${signal}: stopping`);
  void (cluster?.stop() ?? Promise.resolve()).finally(() => process.exit(130));
};
process.once("SIGINT", interrupted).once("SIGTERM", interrupted);

try {
  say("starting three etcd members, three masters and three agents");
  cluster = await QuickstartCluster.start(program);
  say(`the cluster is up: ${(await cluster.leader()).name} leads, three agents are in`);
  code = (await story(cluster)) ? 0 : 1;
} catch (error) {
  console.error(`quickstart: ${(error as Error).message}`);
  if (cluster !== undefined) console.error(cluster.log());
}
if (values.keep && cluster !== undefined) {
  cluster.leave();
  console.log(`The cluster goes on (pid ${cluster.pid}, logs in ${cluster.directory}). To use it:
  export MESARCH_MASTERS=${cluster.masters.join(",")}
  npx mesarch status
To stop it and remove what it left:
  npx mesarch framework list      then  npx mesarch framework teardown ID
  kill ${cluster.pid}; rm -r ${cluster.directory}`);
} else if (cluster !== undefined) {
  await cluster.stop();
  rmSync(cluster.directory, { recursive: true, force: true });
}
say(code === 0 ? "everything held" : "something did not hold");
process.exit(code);
