import test from "ava";
import { runCli } from "../../src/cli/program.ts";
import { PrefixedOutput } from "../../src/cli/run/output.ts";
import { TaskState } from "../../src/sdk/index.ts";
import { Tasks } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { FakeAgent } from "../support/fake-agent.ts";
import { FakeMaster, type FakeCall, type FakeSession } from "../support/fake-master.ts";
import { memoryIo } from "../support/memory-io.ts";

const scalar = (name: string, value: number) => ({ name, type: 0 as const, scalar: { value } });

let offers = 0;
function sendOffer(session: FakeSession, hostname = "host1"): void {
  const offer = { id: { value: `o${offers++}` }, agentId: { value: "S1" }, hostname, resources: [scalar("cpus", 4), scalar("mem", 4_096)] };
  session.event({ type: Event_Type.OFFERS, offers: { offers: [offer] } });
}

function sendUpdate(session: FakeSession, taskId: string, state: TaskState, exit?: number): void {
  const labels = exit === undefined ? undefined : { labels: [{ key: "mesarch.exit_status", value: String(exit) }] };
  const status = { taskId: { value: taskId }, agentId: { value: "S1" }, state, uuid: Buffer.alloc(16, 1), labels };
  session.event({ type: Event_Type.UPDATE, update: { status } });
}

const launched = ({ call }: FakeCall): string[] =>
  (call.accept?.operations[0]?.launch?.taskInfos ?? []).map((task) => task.taskId?.value ?? "");

interface World extends AsyncDisposable {
  readonly master: FakeMaster;
}

/** A master that offers at once; `onLaunch` plays the agent. */
async function cluster(onLaunch: (session: FakeSession, taskIds: string[]) => void): Promise<World> {
  const agent = await FakeAgent.start(({ stream }) => (stream === "stdout" ? "hello\n" : "oops\n"));
  const master = await FakeMaster.start("m1");
  master.lead(5);
  master.onOperator = () => ({
    $case: "tasks",
    value: Tasks.fromPartial({ tasks: [{ record: { launchId: "l1", agentId: "S1" }, agentAddress: agent.address }] }),
  });
  master.onCall = (call) => {
    master.answer(call);
    if (call.kind === "SUBSCRIBE" || call.kind === "REVIVE") sendOffer(call.session);
    if (call.kind === "ACCEPT") onLaunch(call.session, launched(call));
  };
  return {
    master,
    [Symbol.asyncDispose]: async () => {
      await master[Symbol.asyncDispose]();
      await agent[Symbol.asyncDispose]();
    },
  };
}

test("runs a command as if it ran here: output, errors and exit code", async (t) => {
  await using world = await cluster((session, [task]) => {
    sendUpdate(session, task!, TaskState.TASK_RUNNING);
    sendUpdate(session, task!, TaskState.TASK_FAILED, 3);
  });
  const { master } = world;
  const io = memoryIo({ MESARCH_MASTERS: master.address });
  t.is(await runCli(["run", "--quiet", "--cpus", "2", "--env", "A=b=c", "--", "sh", "-c", "echo hello; exit 3"], io), 3);
  t.is(io.out(), "hello\n");
  t.is(io.err(), "oops\n");
  const accept = await master.calls.next(({ kind }) => kind === "ACCEPT");
  const task = accept.call.accept!.operations[0]!.launch!.taskInfos[0]!;
  t.deepEqual(task.command?.arguments, ["sh", "-c", "echo hello; exit 3"]);
  t.deepEqual(task.command?.environment?.variables.map(({ name, value }) => [name, value]), [["A", "b=c"]]);
  t.is(master.calls.all.at(-1)?.kind, "TEARDOWN");
});

test("several instances have their output marked, and the worst exit code counts", async (t) => {
  await using world = await cluster((session, tasks) => tasks.forEach((task, i) => sendUpdate(session, task, i === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED, i)));
  const { master } = world;
  const io = memoryIo({ MESARCH_MASTERS: master.address });
  t.is(await runCli(["run", "-q", "--name", "w", "--instances", "3", "true"], io), 2);
  t.deepEqual(io.out().trim().split("\n").sort(), ["w-0 | hello", "w-1 | hello", "w-2 | hello"]);
});

test("a task whose offer was gone is launched on the next one", async (t) => {
  let refused = false;
  await using world = await cluster((session, [task]) => {
    sendUpdate(session, task!, refused ? TaskState.TASK_FINISHED : TaskState.TASK_DROPPED, refused ? 0 : undefined);
    refused = true;
  });
  const { master } = world;
  const io = memoryIo({ MESARCH_MASTERS: master.address });
  t.is(await runCli(["run", "true"], io), 0);
  t.is(master.calls.all.filter(({ kind }) => kind === "ACCEPT").length, 2);
  t.regex(io.err(), /not started.*trying again/);
});

test("a launch that the master does not take ends the command with the reason", async (t) => {
  for (const mode of [[], ["--detach"]]) {
    await using world = await cluster(() => {});
    const { master } = world;
    const answer = master.onCall;
    master.onCall = (call) => (call.kind === "ACCEPT" ? call.session.reply(call.number, 400, "no such thing") : answer(call));
    const io = memoryIo({ MESARCH_MASTERS: master.address });
    t.is(await runCli(["run", ...mode, "true"], io), 4);
    t.regex(io.err(), /ACCEPT is not valid: no such thing/);
  }
});

test("13.4 instances are launched as many at a time as one call holds", async (t) => {
  const sizes: number[] = [];
  await using world = await cluster((session, tasks) => {
    sizes.push(tasks.length);
    for (const task of tasks) sendUpdate(session, task, TaskState.TASK_FINISHED, 0);
    sendOffer(session);
  });
  const env = Array.from({ length: 50 }, (_, i) => ["--env", `NAME_${i}=${"x".repeat(2_000)}`]).flat();
  const io = memoryIo({ MESARCH_MASTERS: world.master.address });
  t.is(await runCli(["run", "-q", "--cpus", "0.01", "--mem", "1", "--instances", "10", ...env, "--", "true"], io), 0);
  t.deepEqual(sizes, [5, 5]);
});

test("Ctrl-C ends the tasks and then the command, with 130", async (t) => {
  await using world = await cluster((session, [task]) => sendUpdate(session, task!, TaskState.TASK_RUNNING));
  const { master } = world;
  const io = memoryIo({ MESARCH_MASTERS: master.address });
  const running = runCli(["run", "--", "sleep", "100"], io);
  await master.calls.next(({ kind }) => kind === "ACKNOWLEDGE");
  const answer = master.onCall;
  master.onCall = (call) => {
    answer(call);
    if (call.kind === "KILL") sendUpdate(call.session, call.call.kill!.taskId!.value!, TaskState.TASK_KILLED);
  };
  io.interrupt();
  t.is(await running, 130);
});

test("--detach leaves the task running and prints the ids", async (t) => {
  await using world = await cluster((session, [task]) => sendUpdate(session, task!, TaskState.TASK_RUNNING));
  const { master } = world;
  const io = memoryIo({ MESARCH_MASTERS: master.address });
  t.is(await runCli(["run", "--detach", "--", "sleep", "100"], io), 0);
  const { call } = await master.calls.next(({ kind }) => kind === "SUBSCRIBE");
  t.true(call.subscribe!.frameworkInfo!.failoverTimeout! > 300_000_000);
  t.regex(io.out(), new RegExp(`^framework ${call.frameworkId!.value}\ntask run-\\w+\n$`));
  t.false(master.calls.all.some(({ kind }) => kind === "TEARDOWN"));
});

test("offers that a constraint excludes are declined", async (t) => {
  await using world = await cluster((session, [task]) => sendUpdate(session, task!, TaskState.TASK_FINISHED, 0));
  const { master } = world;
  const io = memoryIo({ MESARCH_MASTERS: master.address });
  const running = runCli(["run", "-q", "--constraint", "hostname:LIKE:host2", "true"], io);
  const { session } = await master.calls.next(({ kind }) => kind === "DECLINE");
  sendOffer(session, "host2");
  t.is(await running, 0);
  t.is((await runCli(["run", "--constraint", "nonsense", "true"], io)), 64);
});

test("lines of a task are kept whole", (t) => {
  const io = memoryIo();
  const output = new PrefixedOutput(io.stdout, "a | ");
  output.write(Buffer.from("one\ntw"));
  output.write(Buffer.from("o\nthree"));
  t.is(io.out(), "a | one\na | two\n");
  output.end();
  t.is(io.out(), "a | one\na | two\na | three\n");
  output.write(Buffer.alloc(70_000, "x"));
  t.true(io.out().length > 65_536, "a line without end is not kept in memory");
});
