/** `mesarch run` and `mesarch task logs` as a person uses them, while masters and agents die. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { eventually } from "../support/eventually.ts";
import type { MesarchProcess } from "../support/mesarch-process.ts";
import { sharedCluster } from "./shared-cluster.ts";

const shared = sharedCluster({ etcd: { members: 1 } });

/** Lines of a command that counts, so that a gap or a repeat shows. */
const COUNT = 'n=0; while [ $n -lt 1000 ]; do n=$((n+1)); echo "line $n"; [ -e "$STOP" ] && exit 6; sleep 0.1; done';

async function said(command: MesarchProcess, text: RegExp): Promise<void> {
  await command.stdout.until(`${text} on standard output`, () => text.test(command.text));
}

function countedLines(text: string): number[] {
  return [...text.matchAll(/^line (\d+)$/gm)].map(([, n]) => Number(n));
}

test.serial("run: output, standard error and exit code pass through", async (t) => {
  const command = shared().cli("run", "--name", "hello", "echo out; echo err >&2; exit 3");
  t.is((await command.exited).code, 3);
  t.is(command.text, "out\n");
  t.true(command.stderr.items.includes("err"));
});

test.serial("run: Ctrl-C ends the task and exits with 130", async (t) => {
  const cluster = shared();
  const command = cluster.cli("run", "--name", "long", "echo started; exec sleep 1000");
  await said(command, /started/);
  t.is((await command.end("SIGINT")).code, 130);
  // Its agent forgets it a moment after the command has heard of its end.
  await eventually("no task of the command is left", async () => !(await named(cluster, "long")));
});

test.serial("run: a reader that has seen enough ends the task, too, and is no error", async (t) => {
  const cluster = shared();
  const line = `"$0" --disable-warning=ExperimentalWarning src/cli/main.ts run --name piped 'while echo more; do sleep 0.1; done' | head -n 2`;
  const env = { PATH: process.env["PATH"], MESARCH_MASTERS: cluster.addresses.join(",") };
  const { stdout, stderr } = await promisify(execFile)("sh", ["-c", line, process.execPath], { cwd: join(import.meta.dirname, "../.."), env });
  t.is(stdout, "more\nmore\n");
  t.notRegex(stderr, /error/);
  // Its agent forgets it a moment after the command has heard of its end.
  await eventually("no task of the command is left", async () => !(await named(cluster, "piped")));
});

test.serial("run: goes on through the death of the leader and of the agent, without a gap in the output (I9, I10)", async (t) => {
  const cluster = shared();
  const stop = `${cluster.directory}/stop-run`;
  const command = cluster.cli("run", "--name", "through", "--env", `STOP=${stop}`, "--constraint", "hostname:EQUALS:agent-1", COUNT);
  await said(command, /line 3\n/);
  const leader = await cluster.leader();
  await cluster.kill(leader);
  await cluster.leader();
  leader.start();
  const agent = cluster.agents[0]!;
  await cluster.kill(agent);
  agent.start();
  const seen = countedLines(command.text).length;
  await command.stdout.until("more lines", () => countedLines(command.text).length > seen + 3);
  await cluster.whole();
  cluster.witnesses.touch(stop);
  t.is((await command.exited).code, 6);
  const lines = countedLines(command.text);
  t.deepEqual(lines, lines.map((_, i) => i + 1));
});

test.serial("task logs -f: goes on through the death of the leader and of the agent, and ends with the task", async (t) => {
  const cluster = shared();
  const stop = `${cluster.directory}/stop-logs`;
  const run = cluster.cli("run", "--detach", "--name", "logged", "--env", `STOP=${stop}`, COUNT);
  t.is((await run.exited).code, 0);
  const [, taskId] = /^task (\S+)$/m.exec(run.text)!;
  const logs = cluster.cli("task", "logs", "--follow", taskId!);
  await said(logs, /line 3\n/);
  const leader = await cluster.leader();
  await cluster.kill(leader, ...cluster.agents);
  leader.start();
  for (const agent of cluster.agents) agent.start();
  const seen = countedLines(logs.text).length;
  await logs.stdout.until("more lines", () => countedLines(logs.text).length > seen + 3);
  cluster.witnesses.touch(stop);
  t.is((await logs.exited).code, 0);
  const lines = countedLines(logs.text);
  t.deepEqual(lines, lines.map((_, i) => i + 1));
  const [, frameworkId] = /^framework (\S+)$/m.exec(run.text)!;
  await cluster.whole();
  await cluster.operator.teardownFramework(frameworkId!);
});

async function named(cluster: ReturnType<typeof shared>, name: string): Promise<boolean> {
  const { tasks } = await cluster.operator.tasks();
  return tasks.some(({ record }) => record?.info?.name === name);
}
