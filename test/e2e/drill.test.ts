/** `mesarch drill` as an operator uses it, on real processes that are started again when they die. */
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { DrillReport } from "../../src/cli/drill/report.ts";
import { eventually } from "../support/eventually.ts";
import type { MesarchProcess } from "../support/mesarch-process.ts";
import { ownCluster } from "./own-cluster.ts";
import { sharedCluster } from "./shared-cluster.ts";

const shared = sharedCluster({ etcd: { members: 1 }, masterFlags: ["--allow-drills"], agentFlags: ["--allow-drills"] });

/** Far above what these machines need: how fast a failover is, is not what is tested here. */
const PATIENT = ["--rounds=1", "--canaries=4", "--objective=60000"];

const reportsOf = (): string => join(shared().directory, "drills");

function drill(...args: string[]): MesarchProcess {
  return shared().cli("drill", "run", ...PATIENT, `--reports=${reportsOf()}`, ...args);
}

/** What died is started again, until the test ends. */
function supervise(t: ExecutionContext, members: readonly MesarchProcess[]): void {
  let over = false;
  t.teardown(() => (over = true));
  const watch = (member: MesarchProcess): void => void member.exited.then(() => over || watch(member.start()));
  members.forEach(watch);
}

/** A task of somebody else, and the pid of its process. */
async function bystander(t: ExecutionContext, name: string, ...flags: string[]): Promise<number> {
  const cluster = shared();
  const file = join(cluster.directory, `${name}.pid`);
  const run = cluster.cli("run", "-d", "--name", name, ...flags, `echo $$ > ${file}; exec sleep 1000`);
  t.is((await run.exited).code, 0);
  const [, frameworkId] = /framework (\S+)/.exec(run.text)!;
  t.teardown(() => cluster.operator.teardownFramework(frameworkId!));
  return eventually("the pid of a task", () => Number(readFileSync(file, "utf8")));
}

/** Their framework was torn down; agents take a moment to end them. */
async function noCanaries(): Promise<void> {
  await eventually("the end of the canaries", async () => {
    const { tasks } = await shared().operator.tasks();
    return tasks.every(({ record }) => record?.info?.name !== "canary");
  });
}

const causes = { handover: "handover", crash: "crash", hang: "silence" } as const;

for (const kind of ["handover", "crash", "hang"] as const) {
  test.serial(`drill: a ${kind} harms no task, and tells how long it took`, async (t) => {
    const cluster = shared();
    supervise(t, cluster.masters);
    await bystander(t, `beside-${kind}`);
    const leader = await cluster.leader();
    const command = drill(`--kind=${kind}`, "-o", "json");
    t.is((await command.exited).code, 0, command.stderr.items.join("\n"));
    const report = JSON.parse(command.text) as DrillReport;
    t.like(report, { kind, rounds: 1, verdict: "held", tasks: { running_before: 5, lost: 0, killed: 0, restarted: 0, duplicated: 0 } });
    const [round] = report.results;
    t.is(round?.from, leader.name);
    t.is(round?.cause, causes[kind]);
    t.not(round?.to, leader.name);
    t.true(report.failover_ms.max! > 0 && report.failover_ms.max === report.failover_ms.p50);
    t.true(report.phases_ms["elected"]! >= 0 && report.phases_ms["first_launch"]! > 0);
    await noCanaries();
  });
}

test.serial("drill: an agent's restart harms no task; the drill chooses the agent", async (t) => {
  const cluster = shared();
  supervise(t, cluster.agents);
  const command = drill("--kind=agent-restart", "-o", "json");
  t.is((await command.exited).code, 0, command.stderr.items.join("\n"));
  const report = JSON.parse(command.text) as DrillReport;
  t.like(report, { verdict: "held", tasks: { running_before: 4, lost: 0, killed: 0, restarted: 0, duplicated: 0 } });
  t.true(cluster.agents.some(({ name }) => name === report.results[0]?.from));
  t.true(report.phases_ms["confirmed"]! <= report.phases_ms["first_launch"]!);
  await noCanaries();
});

test.serial("drill: a task that comes to harm in a round fails it, and is named", async (t) => {
  const cluster = shared();
  const agent = cluster.agents[0]!;
  const pid = await bystander(t, "victim", "--constraint", `hostname:EQUALS:${agent.name}`);
  const command = drill("--kind=agent-restart", `--agent=${agent.name}`);
  // The drill waits for the agent, whose next start this test holds back.
  await agent.exited;
  process.kill(pid, "SIGKILL");
  agent.start();
  t.is((await command.exited).code, 1, command.stderr.items.join("\n"));
  t.regex(command.text, /^Tasks +5 were running; 0 lost, 1 killed, 0 restarted, 0 duplicated$/m);
  t.regex(command.text, /^Finding +round 1: task victim-\S+ of framework \S+ on agent \S+ was killed$/m);
  t.regex(command.text, /^Verdict +failed$/m);
});

test.serial("drill: a round beyond the objective is missed, with an exit code of its own", async (t) => {
  const command = drill("--kind=handover", "--objective=1");
  t.is((await command.exited).code, 6, command.stderr.items.join("\n"));
  t.regex(command.text, /^Verdict +missed$/m);
});

test.serial("drill: what was done is listed", async (t) => {
  const list = shared().cli("drill", "report", `--reports=${reportsOf()}`, "-o", "json");
  t.is((await list.exited).code, 0);
  const { items } = JSON.parse(list.text) as { items: DrillReport[] };
  t.deepEqual(items.map(({ verdict }) => verdict), ["missed", "failed", "held", "held", "held", "held"]);
  const one = shared().cli("drill", "report", `--reports=${reportsOf()}`, items[0]!.id, "-o", "json");
  await one.exited;
  t.like(JSON.parse(one.text), items[0]!);
});

test.serial("drill: Ctrl-C ends it and its canaries", async (t) => {
  const command = drill("--kind=handover", "--rounds=1000");
  await command.stderr.until("the first round", (lines) => lines.some((line) => line.startsWith("round 1:")));
  t.is((await command.end("SIGINT")).code, 130);
  await noCanaries();
});

test("drill: refused where processes do not allow it, with the option named; nothing is harmed or kept", async (t) => {
  const cluster = await ownCluster(t, { etcd: { members: 1 }, masters: 2, agents: 1 });
  const leader = await cluster.leader();
  const reports = join(cluster.directory, "drills");
  for (const kind of ["crash", "hang", "agent-restart"]) {
    const command = cluster.cli("drill", "run", `--kind=${kind}`, "--canaries=1", `--reports=${reports}`);
    t.is((await command.exited).code, 4, kind);
    t.regex(command.stderr.items.join("\n"), /started without --allow-drills/);
  }
  t.is((await cluster.leader()).name, leader.name);
  t.true([...cluster.masters, ...cluster.agents].every(({ running }) => running));
  await t.throwsAsync(readdir(reports), { code: "ENOENT" });
});
