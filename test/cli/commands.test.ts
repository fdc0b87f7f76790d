import { status as grpc } from "@grpc/grpc-js";
import test from "ava";
import { runCli } from "../../src/cli/program.ts";
import { Agents, Frameworks, LeaderHistory, Masters, Status, Tasks, type OperatorRequest } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { FakeMaster } from "../support/fake-master.ts";
import { memoryIo, type MemoryIo } from "../support/memory-io.ts";

/** Runs one command line against a master that answers like this. */
async function mesarch(master: FakeMaster, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io: MemoryIo = memoryIo({ MESARCH_MASTERS: master.address });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

async function leading(): Promise<FakeMaster> {
  const master = await FakeMaster.start("m1");
  master.lead(5);
  return master;
}

const lastCall = (master: FakeMaster): OperatorRequest["call"] => master.operatorRequests.at(-1)?.call;

test("status on one screen; 5 when the cluster warns", async (t) => {
  await using master = await leading();
  const value = Status.fromPartial({ clusterId: "c1", leader: "m1", leaderAddress: "h:1", epoch: { generation: 1, revision: 5 }, ledForMs: 61_000, masters: 3, agentsIn: 2, tasks: { TASK_RUNNING: 4 } });
  master.onOperator = () => ({ $case: "status", value });
  const healthy = await mesarch(master, "status");
  t.is(healthy.code, 0);
  t.regex(healthy.out, /^Leader\s+m1 at h:1, epoch 1-5, for 1m1s$/m);
  t.regex(healthy.out, /^Tasks\s+4 running$/m);
  value.warnings.push("mute: no answer from the store");
  const unwell = await mesarch(master, "status", "-o", "json");
  t.is(unwell.code, 5);
  t.is(JSON.parse(unwell.out).status.warnings[0], "mute: no answer from the store");
});

test("masters, agents and past leaders as tables", async (t) => {
  await using master = await leading();
  master.onOperator = ({ call }) => {
    if (call?.$case === "listMasters") {
      return { $case: "masters", value: Masters.fromPartial({ masters: [{ name: "m1", role: "leader", address: "h:1", foldedRevision: 7, lastHeardMs: 0 }] }) };
    }
    if (call?.$case === "getLeaderHistory") {
      return { $case: "leaderHistory", value: LeaderHistory.fromPartial({ leaders: [{ epoch: { generation: 1, revision: 5 }, master: "m1", cause: "crash", phases: { electedMs: 24 } }] }) };
    }
    const scalar = (name: string, value: number) => ({ name, type: 0 as const, scalar: { value } });
    return {
      $case: "agents",
      value: Agents.fromPartial({
        agents: [{ id: "S1", record: { info: { hostname: "host1" }, standing: { $case: "in", value: true } }, connected: true, confirmed: true, total: [scalar("cpus", 4)], used: [scalar("cpus", 1.5)], tasks: 2 }],
      }),
    };
  };
  t.is((await mesarch(master, "master", "list")).out, "NAME  ROLE    ADDRESS  REVISION  HEARD  AGENTS\nm1    leader  h:1             7  now         0\n");
  t.is((await mesarch(master, "agent", "list")).out, "ID  HOST   STATE      TASKS   CPUS  MEM\nS1  host1  confirmed      2  1.5/4  0/0\n");
  t.regex((await mesarch(master, "leader", "history")).out, /1-5\s+m1\s+-\s+crash\s+-\s+24ms/);
});

test("tasks: list, inspect, kill with a grace", async (t) => {
  await using master = await leading();
  const task = { record: { launchId: "l1", frameworkId: "f1", agentId: "S1", info: { name: "web", taskId: { value: "web-1" } } }, shownState: 1, agentAddress: "h:2" };
  master.onOperator = ({ call }) =>
    call?.$case === "killTask"
      ? { $case: "done", value: { message: "ordered" } }
      : { $case: "tasks", value: Tasks.fromPartial({ tasks: [task], truncated: call?.$case === "listTasks" }) };
  const listed = await mesarch(master, "task", "list", "--all", "--limit", "1");
  t.is(listed.out, "ID     NAME  STATE         AGENT  FRAMEWORK\nweb-1  web   TASK_RUNNING  S1     f1\n");
  t.regex(listed.err, /more tasks match/);
  t.regex((await mesarch(master, "task", "inspect", "web", "-o", "yaml")).out, /^launchId: l1$/m);
  t.is((await mesarch(master, "task", "kill", "web-1", "--grace", "10s")).err, "ordered\n");
  t.like(lastCall(master), { $case: "killTask", value: { id: "web-1", graceMs: 10_000 } });
});

test("orders that cannot be undone want --yes", async (t) => {
  await using master = await leading();
  master.onOperator = ({ call }) =>
    call?.$case === "listAgents"
      ? { $case: "agents", value: Agents.fromPartial({ agents: [{ id: "S1", record: { info: { hostname: "host1" } } }] }) }
      : { $case: "done", value: { message: "" } };
  const asked = await mesarch(master, "agent", "gone", "host1");
  t.is(asked.code, 4);
  t.regex(asked.err, /S1 would be gone for good[^]*--yes/);
  t.is((await mesarch(master, "agent", "gone", "host1", "--yes")).code, 0);
  t.like(lastCall(master), { $case: "markAgentGone", value: { agentId: "S1" } });
});

test("orders answer programs with a document", async (t) => {
  await using master = await leading();
  master.onOperator = ({ call }) =>
    call?.$case === "listAgents"
      ? { $case: "agents", value: Agents.fromPartial({ agents: [{ id: "S1", record: { info: { hostname: "host1" } } }] }) }
      : call?.$case === "listFrameworks"
        ? { $case: "frameworks", value: Frameworks.fromPartial({ frameworks: [{ id: "F1", record: { info: { name: "f" } } }] }) }
        : { $case: "done", value: { message: "as told" } };
  const orders = [
    [["task", "kill", "t1"], { order: "kill", id: "t1" }],
    [["agent", "gone", "S1", "--yes"], { order: "gone", id: "S1" }],
    [["agent", "deactivate", "S1"], { order: "deactivate", id: "S1" }],
    [["agent", "activate", "S1"], { order: "activate", id: "S1" }],
    [["framework", "teardown", "F1", "--yes"], { order: "teardown", id: "F1" }],
  ] as const;
  for (const [words, wanted] of orders) {
    const { out, err } = await mesarch(master, ...words, "-o", "json");
    t.deepEqual(JSON.parse(out), { apiVersion: "mesarch/v1", kind: "Done", ...wanted, message: "as told" });
    t.is(err, "");
    t.like(await mesarch(master, ...words), { out: "", err: "as told\n" });
  }
});

test("events: without --follow what is there, once; with it, a master is waited for as long as --timeout says", async (t) => {
  await using master = await FakeMaster.start("m1");
  const nobody = await mesarch(master, "events", "--follow", "--timeout", "100ms");
  t.is(nobody.code, 2);
  t.regex(nobody.err, /no leader answered within 100 ms/);
  t.is((await mesarch(master, "events", "--timeout", "100ms")).code, 2);

  master.lead(5);
  master.onOperator = ({ call }) => {
    if (call?.$case === "getLeaderHistory") return { $case: "leaderHistory", value: LeaderHistory.fromPartial({ leaders: [{ epoch: { generation: 1, revision: 5 }, master: "m1", cause: "crash" }] }) };
    if (call?.$case === "listAgents") return { $case: "agents", value: Agents.fromPartial({ agents: [{ id: "S1", record: { info: { hostname: "host1" }, standing: { $case: "in", value: true } } }] }) };
    if (call?.$case === "listFrameworks") return { $case: "frameworks", value: Frameworks.fromPartial({ frameworks: [{ id: "F1", record: { info: { name: "web" } } }] }) };
    if (call?.$case === "listTasks") return { $case: "tasks", value: Tasks.fromPartial({ tasks: [{ record: { agentId: "S1", info: { taskId: { value: "t1" } } }, shownState: 1 }] }) };
    return { $case: "status", value: Status.fromPartial({}) };
  };
  const shown = await mesarch(master, "events");
  t.is(shown.code, 0);
  t.deepEqual(shown.out.split("\n").map((line) => line.trim().split(/ {2,}/).slice(1, 3).join(" ")), ["leader m1", "agent S1", "framework F1", "task t1", ""]);
  const lines = (await mesarch(master, "events", "-o", "json")).out.trim().split("\n").map((line) => JSON.parse(line) as { type: string });
  t.deepEqual(lines.map(({ type }) => type), ["leader", "agent", "framework", "task"]);
  t.is((await mesarch(master, "events", "-o", "yaml")).out.match(/^---$/gm)?.length, 4);
});

test("each failure has its exit code and says what to do", async (t) => {
  await using master = await FakeMaster.start("m1");
  const nobody = await mesarch(master, "status", "--timeout", "100ms");
  t.is(nobody.code, 2);
  t.regex(nobody.err, /^error: no leader answered within 100 ms: .*\nCheck that the addresses are right/);
  master.lead(5);
  master.onOperator = () => ({ refuse: grpc.NOT_FOUND, details: "no such task" });
  t.is((await mesarch(master, "task", "kill", "x")).code, 3);
  master.onOperator = () => ({ refuse: grpc.PERMISSION_DENIED, details: "not yours" });
  t.is((await mesarch(master, "task", "kill", "x")).code, 4);
});
