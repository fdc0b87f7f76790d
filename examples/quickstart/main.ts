/**
 * The quickstart: a whole cluster, real work, and the things that are not supposed to matter happening to it.
 *
 *     scripts/quickstart [--keep]
 *
 * `--jobs`, `--services` and `--passes` make it shorter, for tests. Exit code 0 only if every promise held; 1 if one did
 * not; 2 if it could not be tried; 128 and the signal's number when it was told to stop. However it ends, unless with
 * --keep, tasks and cluster end with it.
 */
import { constants } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { QuickstartCluster } from "./cluster.ts";
import { Framework } from "./framework.ts";
import { failoverLines, outcomeRows, tableLines } from "./report.ts";
import { inputFiles, jobs, services, starts } from "./workload.ts";

const { values } = parseArgs({
  options: {
    keep: { type: "boolean", default: false },
    checkout: { type: "string", default: process.cwd() },
    cli: { type: "string" },
    jobs: { type: "string", default: "100" },
    services: { type: "string", default: "6" },
    passes: { type: "string", default: "6" },
  },
});
const program = [process.execPath, ...process.execArgv, values.cli ?? join(values.checkout, "dist/src/cli/main.js")];

const started = performance.now();
const say = (line: string): void => console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);

const stop = new AbortController();
let stoppedBy: NodeJS.Signals | undefined;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    say(stoppedBy === undefined ? `${name}: ending tasks and cluster` : "still ending; it is a matter of seconds");
    stoppedBy ??= name;
    stop.abort(new Error(`${name} received`));
  });
}
// A terminal that was closed: its SIGHUP is what counts.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

async function story(cluster: QuickstartCluster, signal: AbortSignal): Promise<boolean> {
  const evidence = join(cluster.directory, "evidence");
  const serviceTasks = services(Number(values.services), evidence);
  const jobTasks = jobs(inputFiles(values.checkout, Number(values.jobs)), evidence, Number(values.passes));
  const framework = await Framework.start(cluster.masters, signal);
  try {
    say(`a framework subscribed; it launches ${serviceTasks.length} services and ${jobTasks.length} jobs that compress files of this checkout`);
    await framework.launch(serviceTasks.map(({ task }) => task));
    await framework.until("services running", () => framework.count("TASK_RUNNING") === serviceTasks.length);
    const pidsBefore = new Map(serviceTasks.map(({ id }) => [id, starts(evidence, id)[0] ?? ""]));
    await framework.launch(jobTasks.map(({ task }) => task));
    const finished = (share: number) => (): boolean => framework.count("TASK_FINISHED") >= share * jobTasks.length;
    const progress = (): string => `${framework.count("TASK_FINISHED")} jobs finished, ${framework.count("TASK_RUNNING")} tasks running`;

    await framework.until("a fifth of the jobs", finished(0.2));
    const leader = await cluster.leader(signal);
    say(`${progress()}; SIGKILL for the leading master: ${cluster.kill(leader.name).join()}`);
    const next = await cluster.operator.nextLeader(leader.epoch, { signal });
    say(`${next.name} leads`);

    await framework.until("half of the jobs", finished(0.5));
    say(`${progress()}; SIGKILL for all masters at once: ${cluster.kill(...cluster.masterNames).join(", ")}`);
    const reborn = await cluster.operator.nextLeader(next.epoch, { signal });
    say(`the masters are back, ${reborn.name} leads; meanwhile the tasks went on`);

    await framework.until("seven tenths of the jobs", finished(0.7));
    const agentPid = cluster.pid("agent-0");
    say(`${progress()}; SIGKILL for an agent's process: ${cluster.kill("agent-0").join()}`);
    const back = await cluster.agentBack("agent-0", agentPid, signal);
    say(`agent-0 is back after ${Math.round(back.afterMs)} ms and has its ${back.tasks} tasks`);

    await framework.until("all jobs", finished(1));
    say("all jobs have finished");
    const rows = outcomeRows({
      tasks: framework.tasks,
      jobs: jobTasks,
      services: serviceTasks,
      pidsBefore,
      evidence,
      failedCalls: framework.failedCalls,
      relaunched: framework.relaunched,
      agentAwayMs: back.afterMs,
      endedAt: Date.now(),
    });
    console.log(`\nLeaderships (milliseconds since the first sign of trouble)\n${failoverLines(await cluster.operator.leaderHistory({ signal })).join("\n")}`);
    console.log(`\nTasks\n${tableLines(rows).join("\n")}\n`);
    return rows.every(({ ok }) => ok);
  } finally {
    await framework.close();
  }
}

/** The exit code; the cluster may be there still. */
async function perform(cluster: QuickstartCluster): Promise<number> {
  const signal = AbortSignal.any([stop.signal, cluster.lost]);
  try {
    await cluster.whole(signal);
    say(`the cluster is up: ${(await cluster.leader(signal)).name} leads, three agents are in`);
    return (await story(cluster, signal)) ? 0 : 1;
  } catch (error) {
    if (stoppedBy !== undefined) return 128 + constants.signals[stoppedBy];
    console.error(`quickstart: ${((signal.aborted ? signal.reason : error) as Error).message}`);
    if (!signal.aborted) console.error(cluster.log());
    return 2;
  }
}

function farewell(cluster: QuickstartCluster): string {
  return `The cluster goes on (pid ${cluster.supervisor}, data and logs in ${cluster.directory}). To use it:
  export MESARCH_MASTERS=${cluster.masters.join(",")}
  npx mesarch status
To end it, tasks and all:
  kill ${cluster.supervisor}
  rm -r ${cluster.directory}      a few seconds later`;
}

say("starting three etcd members, three masters and three agents");
const cluster = await QuickstartCluster.start(program);
let code = await perform(cluster);
if (values.keep && stoppedBy === undefined && !cluster.lost.aborted) {
  cluster.leave();
  console.log(farewell(cluster));
} else {
  if (stoppedBy === undefined) say("ending tasks and cluster");
  await cluster.stop().catch((error: Error) => {
    console.error(`quickstart: ${error.message}`);
    code ||= 1;
  });
}
const verdicts = ["everything held", "something did not hold", "it could not be tried"];
say(verdicts[code] ?? "everything has ended");
process.exit(code);
