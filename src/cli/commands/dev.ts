/** `mesarch dev`: a replicated cluster on this machine, made to be shot at. */
import { delay } from "../../async/abort.ts";
import { compile } from "../../config/compile.ts";
import { integer, onOff, text } from "../../config/declare.ts";
import { DevCluster } from "../../dev/dev-cluster.ts";
import { ClusterNews } from "../../dev/news.ts";
import { LeaderTracker } from "../../sdk/leader.ts";
import { OperatorClient } from "../../sdk/operator.ts";
import type { Define } from "../commands.ts";
import { stopSignal, type Io } from "../io.ts";
import { addOptions } from "../options.ts";
import { table } from "../render.ts";

const group = "Cluster";

const devOptions = {
  masters: integer({ doc: "Masters", default: 3, min: 1, max: 9, group }),
  agents: integer({ doc: "Agents; each gets an equal share of this machine", default: 2, min: 0, max: 50, group }),
  etcd: integer({ doc: "etcd members; fixed for the life of a data directory", default: 3, min: 1, max: 7, group }),
  basePort: integer({ doc: "Masters listen from this port on, agents from 100 above", default: 6050, min: 1, max: 65_000, group }),
  dataDir: text({ doc: "Directory that is kept, with all state; default: a temporary one", placeholder: "path", group }),
  keepTasks: onOff({ doc: "Leave the tasks running at the end, though the cluster is gone", default: false, group }),
};

/** How long the end of the tasks is waited for, and how often it is looked at. */
const TEARDOWN_MS = 10_000;
const LOOK_MS = 100;
const MAX_TASKS = 100_000;

export const define: Define = (command, io) => {
  addOptions(command, devOptions)
    .addHelpText("after", "\nFor development: everything runs on this machine, without TLS. etcd must be installed (MESARCH_ETCD or PATH).")
    .action(async () => {
      // Only flags: the environment is for the daemons and for talking to a cluster.
      const { values } = compile(devOptions, { flags: command.opts() });
      using stop = stopSignal(io);
      const deaths = new Map<string, number>();
      const note = (line: string): void => void io.stdout.write(`${time()}  ${line}\n`);
      note(`starting ${values.etcd} etcd members, ${values.masters} masters, ${values.agents} agents`);
      await using cluster = await DevCluster.start({
        ...values,
        dataDir: values.dataDir,
        program: [process.execPath, ...process.execArgv, process.argv[1]!],
        env: io.env,
        note,
        onDeath: (name) => deaths.set(name, performance.now()),
      });
      using tracker = new LeaderTracker({ masters: cluster.masters });
      using _news = new ClusterNews({ tracker, deaths, now: () => performance.now(), note });
      await tracker.next(undefined, stop.signal).catch(() => {});
      if (!stop.signal.aborted) io.stdout.write(banner(cluster, tracker.leader?.name ?? ""));
      await new Promise<void>((resolve) => {
        if (stop.signal.aborted) resolve();
        stop.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      await end(cluster, values.keepTasks, note, io);
    });
};

/** A temporary cluster takes its tasks along; a kept one finds them again at its next start. */
async function end(cluster: DevCluster, keepTasks: boolean, note: (line: string) => void, io: Io): Promise<void> {
  io.stderr.write("\n");
  let left = 0;
  if (cluster.temporary && !keepTasks) left = await endTasks(cluster, note);
  note("stopping");
  await cluster.stop(left > 0 || keepTasks);
  if (!cluster.temporary) note(`stopped; tasks go on, and are found again by: mesarch dev --data-dir ${cluster.directory}`);
  else if (left > 0 || keepTasks) note(`stopped; tasks may go on, their sandboxes are in ${cluster.directory}`);
  else note("stopped; nothing is left behind");
}

/** Tears every framework down and waits for the end of the tasks; resolves with how many are left. */
async function endTasks(cluster: DevCluster, note: (line: string) => void): Promise<number> {
  using operator = new OperatorClient({ masters: cluster.masters, timeoutMs: TEARDOWN_MS });
  const signal = AbortSignal.timeout(TEARDOWN_MS);
  const live = async (): Promise<number> => {
    const { tasks } = await operator.tasks({ limit: MAX_TASKS }, { signal });
    return tasks.filter((task) => !task.finished).length;
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
  return left;
}

function banner(cluster: DevCluster, leader: string): string {
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
  return `
${lines.replace(/^/gm, "  ").trimEnd()}

  data and logs: ${cluster.directory} (${cluster.temporary ? "removed at the end" : "kept"}), etcd ${cluster.etcdVersion}

In another terminal:
  export MESARCH_MASTERS=${cluster.masters.join(",")}
  mesarch status
  mesarch run -- sh -c 'while date; do sleep 1; done'

Then kill something; the task above does not notice:
  kill -9 ${pid(leader)}${" ".repeat(Math.max(1, 10 - String(pid(leader)).length))}the leader
  kill -STOP ${pid(leader)}${" ".repeat(Math.max(1, 8 - String(pid(leader)).length))}freeze the leader (-CONT thaws it)
  kill -9 ${pid("agent-0")}${" ".repeat(Math.max(1, 10 - String(pid("agent-0")).length))}an agent: its tasks live on
  kill -9 ${pid("etcd-0")}${" ".repeat(Math.max(1, 10 - String(pid("etcd-0")).length))}an etcd member
  mesarch leader step-down
What died is started again. Ctrl-C stops everything.

`;
}

function time(): string {
  return new Date().toISOString().slice(11, 23);
}
