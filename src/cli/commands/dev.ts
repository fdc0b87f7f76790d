/** `mesarch dev`: a replicated cluster on this machine, made to be shot at. */
import { Option as Flag } from "commander";
import { delay, onAbort } from "../../async/abort.ts";
import { integer, text } from "../../config/declare.ts";
import { DevCluster } from "../../dev/dev-cluster.ts";
import { ClusterNews } from "../../dev/news.ts";
import { LeaderTracker } from "../../sdk/leader.ts";
import { OperatorClient } from "../../sdk/operator.ts";
import { isTerminal } from "../../sdk/tasks.ts";
import { endAbandonedRuns, killAbandonedRuns } from "../abandoned-runs.ts";
import type { Define } from "../commands.ts";
import { stopSignal, type Io } from "../io.ts";
import { addOptions, compileOptions } from "../options.ts";
import { table } from "../render.ts";

const group = "Cluster";

const devOptions = {
  masters: integer({ doc: "Masters", default: 3, min: 1, max: 9, group }),
  agents: integer({ doc: "Agents; each gets an equal share of this machine", default: 2, min: 0, max: 50, group }),
  etcd: integer({ doc: "etcd members; fixed for the life of a data directory", default: 3, min: 1, max: 7, group }),
  basePort: integer({ doc: "Masters listen from this port on, agents from 100 above", default: 6050, min: 1, max: 65_000, group }),
  dataDir: text({ doc: "Directory that is kept, with all state; default: a temporary one", placeholder: "path", group }),
};

/** Only flags: the environment is for the daemons and for talking to a cluster. */
const sources = { env: [] };

/** How long the end of the tasks is waited for, by word and then by force, and how often it is looked at. */
const TEARDOWN_MS = 10_000;
const FORCE_MS = 5_000;
const LOOK_MS = 100;
const MAX_TASKS = 100_000;
const KILL_WIDTH = 30;

export const define: Define = (command, io) => {
  addOptions(command, devOptions, sources)
    .addOption(new Flag("--keep-tasks", "leave the tasks running at the end; so it is with --data-dir").helpGroup(`${group}:`))
    .addOption(new Flag("--no-keep-tasks", "end the tasks at the end; so it is without --data-dir").helpGroup(`${group}:`))
    .addHelpText("after", "\nFor development: everything runs on this machine, without TLS. What dies is started again, so every drill is allowed (mesarch drill). etcd is the one that MESARCH_ETCD names, the first on PATH, or the one that scripts/setup unpacked.")
    .action(async () => {
      const { values } = await compileOptions(command, devOptions, io, () => [], sources);
      const keepTasks = command.opts<{ keepTasks?: boolean }>().keepTasks ?? values.dataDir !== undefined;
      using stop = stopSignal(io);
      const deaths = new Map<string, number>();
      const note = (line: string): void => void io.stdout.write(`${time()}  ${line}\n`);
      note(`starting ${values.etcd} etcd members, ${values.masters} masters, ${values.agents} agents`);
      const cluster = await DevCluster.start({
        ...values,
        dataDir: values.dataDir,
        program: [process.execPath, ...process.execArgv, process.argv[1]!],
        env: io.env,
        note,
        onDeath: (name) => deaths.set(name, performance.now()),
      });
      // For an end that is not ours to order: a closed pipe, a bug.
      const onExit = (): void => void (keepTasks || killAbandonedRuns(cluster.workDirectories));
      process.on("exit", onExit);
      using tracker = new LeaderTracker({ masters: cluster.masters });
      using _news = new ClusterNews({ tracker, deaths, now: () => performance.now(), note });
      let served = false;
      try {
        served = await tracker.next(undefined, stop.signal).then(() => true, () => false);
        if (served) io.stdout.write(banner(cluster, tracker.leader?.name ?? "", io.env["npm_command"] === "exec" ? "npx mesarch" : "mesarch"));
        await new Promise<void>((resolve) => onAbort(stop.signal, resolve));
      } finally {
        io.stderr.write("\n");
        // Where nobody ever led, nothing was launched.
        if (served && !keepTasks) await endTasks(cluster, note);
        await end(cluster, keepTasks, note);
        process.off("exit", onExit);
      }
    });
};

/** Ends the processes and, unless tasks are to be kept, those that no agent answered for; removes temporary data. */
async function end(cluster: DevCluster, keepTasks: boolean, note: (line: string) => void): Promise<void> {
  note("stopping");
  await cluster.stop();
  if (keepTasks) {
    const again = cluster.temporary ? `their sandboxes are in ${cluster.directory}` : `are found again by: mesarch dev --data-dir ${cluster.directory}`;
    return note(`stopped; tasks go on, ${again}`);
  }
  const { ended, left } = await endAbandonedRuns(cluster.workDirectories, FORCE_MS);
  if (ended > 0) note(`ended ${ended} tasks by force: no agent answered for them`);
  if (left > 0) return note(`stopped; ${left} tasks could not be ended, their sandboxes are in ${cluster.directory}`);
  if (cluster.temporary) await cluster.remove();
  note(cluster.temporary ? "stopped; nothing is left behind" : `stopped; no task is left, data is in ${cluster.directory}`);
}

/** Tears every framework down and waits for the end of the tasks, both as far as agents answer in time. */
async function endTasks(cluster: DevCluster, note: (line: string) => void): Promise<void> {
  using operator = new OperatorClient({ masters: cluster.masters, timeoutMs: TEARDOWN_MS });
  const signal = AbortSignal.timeout(TEARDOWN_MS);
  const live = async (): Promise<number> => {
    const { tasks } = await operator.tasks({ limit: MAX_TASKS }, { signal });
    // One that has ended may stand in the books until its framework or the agent's next attempt has settled that.
    return tasks.filter(({ finished, shownState }) => !finished && !isTerminal(shownState)).length;
  };
  let left = 1;
  try {
    left = await live();
    if (left > 0) note(`ending ${left} tasks`);
    for (const { id, record } of await operator.frameworks({ signal })) {
      if (record?.standing?.$case !== "removedAt") await operator.teardownFramework(id, { signal });
    }
    while (left > 0) {
      await delay(LOOK_MS, signal);
      left = await live();
    }
  } catch (error) {
    note(signal.aborted ? `${left} tasks have not ended within ${TEARDOWN_MS / 1_000} s` : `the tasks cannot be ended: ${(error as Error).message}`);
  }
}

/** `mesarch`: how this program is called here. */
function banner(cluster: DevCluster, leader: string, mesarch: string): string {
  const rows = cluster.processes.map((each) => ({ ...each, role: each.name === leader ? "leads" : "" }));
  const lines = table(
    [
      { header: "NAME", value: (row) => row.name },
      { header: "ADDRESS", value: (row) => row.address },
      { header: "PID", value: (row) => row.pid, align: "right" },
      { header: "", value: (row) => row.role || " " },
    ],
    rows,
  );
  const pid = (name: string): number | string => rows.find((row) => row.name === name)?.pid ?? "<pid>";
  const kills = [
    [`kill -9 ${pid(leader)}`, "the leader"],
    [`kill -STOP ${pid(leader)}`, "freeze the leader (-CONT thaws it)"],
    [`kill -9 ${pid("agent-0")}`, "an agent: its tasks live on"],
    [`kill -9 ${pid("etcd-0")}`, "an etcd member"],
    [`${mesarch} leader step-down`, "a handover"],
    [`${mesarch} drill run --kind crash`, "the leader again, measured"],
  ] as const;
  return `
${lines.replace(/^/gm, "  ").trimEnd()}

  data and logs: ${cluster.directory} (${cluster.temporary ? "removed at the end" : "kept"}), etcd ${cluster.etcdVersion}

In another terminal:
  export MESARCH_MASTERS=${cluster.masters.join(",")}
  ${mesarch} status
  ${mesarch} run -- sh -c 'while date; do sleep 1; done'

Then kill something; the task above does not notice:
${kills.map(([line, what]) => `  ${line.padEnd(KILL_WIDTH)}${what}\n`).join("")}What died is started again. Ctrl-C stops everything.

`;
}

function time(): string {
  return new Date().toISOString().slice(11, 23);
}
