import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import test from "ava";
import { AgentOperatorServiceClient, type LogChunk, type ReadLogRequest } from "../../src/wire/gen/mesarch/v1/agent_operator.ts";
import { TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { AgentMaster, launchOrder } from "./agent-master.ts";

const { TASK_RUNNING, TASK_FINISHED, TASK_FAILED, TASK_KILLED } = TaskState;

/** Control groups are named after it, so it is new each time, as a leader's are. */
const newLaunchId = (): string => randomBytes(16).toString("hex");

/** A host with a work directory, on which agent processes come and go. */
class Host implements AsyncDisposable {
  readonly directory: string;
  readonly master: AgentMaster;
  readonly #agents = new Set<ChildProcess>();
  address = "";

  private constructor(directory: string, master: AgentMaster) {
    this.directory = directory;
    this.master = master;
  }

  static async open(): Promise<Host> {
    return new Host(await mkdtemp(join(tmpdir(), "mesarch-agent-")), await AgentMaster.listen());
  }

  spawn(): ChildProcess {
    const options = {
      masters: [this.master.address], workDirectory: this.directory, ip: "127.0.0.1", port: 0, resources: "cpus:4;mem:1024;disk:1024",
    };
    const args = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "agent-main.ts"), JSON.stringify(options)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#agents.add(child);
    child.once("exit", () => this.#agents.delete(child));
    return child;
  }

  /** Resolves when it stands and told its address. */
  async agent(): Promise<ChildProcess> {
    const child = this.spawn();
    child.stderr!.pipe(process.stderr);
    [this.address] = (await once(createInterface(child.stdout!), "line")) as [string];
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents].map((child) => end(child, "SIGKILL")));
    await this.master[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit");
  child.kill(signal);
  return ((await exited) as [number | null])[0];
}

async function readLog(address: string, launchId: string, request: Partial<ReadLogRequest>): Promise<string> {
  const client = new AgentOperatorServiceClient(address, credentials.createInsecure());
  try {
    let text = "";
    const full = { launchId, stream: "stdout", offset: 0, follow: false, ...request };
    for await (const chunk of client.readLog(full) as AsyncIterable<LogChunk>) text += Buffer.from(chunk.data).toString();
    return text;
  } finally {
    client.close();
  }
}

test("a task outlives its agent's death, is reported again, and can be killed (8.4, 8.8, 6.4)", async (t) => {
  const launchId = newLaunchId();
  await using host = await Host.open();
  const first = await host.agent();
  const before = await host.master.greeted();
  await before.adopt(5);
  before.say(launchOrder(launchId, "trap 'exit 7' TERM; while :; do sleep 0.02; done"));
  const running = await before.update(TASK_RUNNING);
  await end(first, "SIGKILL");

  await host.agent();
  const after = await host.master.greeted();
  const report = await after.adopt(6);
  t.is(report.agentId, "agent-1");
  t.is(report.incarnation!.starts, 2);
  t.is(report.storedEpoch!.revision, 5);
  t.like(report.held[0], { launchId, state: TASK_RUNNING, unstarted: false });
  const repeated = await after.update(TASK_RUNNING);
  t.deepEqual(repeated.status!.uuid, running.status!.uuid);
  t.is(repeated.status!.containerStatus!.executorPid, running.status!.containerStatus!.executorPid);
  after.acknowledge(repeated);
  after.say({ $case: "kill", value: { launchId, graceMs: 10_000 } });
  const killed = await after.update(TASK_KILLED);
  t.is(killed.status!.labels!.labels[0]!.value, "7");
  after.acknowledge(killed);
  t.deepEqual((await after.next("forgotten")).launchIds, [launchId]);
});

test("a task that ends while no agent is there is reported with its exit status (8.4)", async (t) => {
  const launchId = newLaunchId();
  await using host = await Host.open();
  const first = await host.agent();
  const before = await host.master.greeted();
  await before.adopt(5);
  const flag = join(host.directory, "flag");
  before.say(launchOrder(launchId, `until [ -e ${flag} ]; do sleep 0.02; done; exit 3`));
  before.acknowledge(await before.update(TASK_RUNNING));
  // The acknowledgement has no answer; one for a pong sent after it says that it was handled.
  before.say({ $case: "ping", value: { sequence: 1 } });
  await before.next("pong");
  await end(first, "SIGTERM");
  await rm(flag, { force: true });
  const touch = spawn("touch", [flag]);
  await once(touch, "exit");

  await host.agent();
  const after = await host.master.greeted();
  await after.adopt(6);
  const failed = await after.update(TASK_FAILED);
  t.is(failed.status!.labels!.labels[0]!.value, "3");
});

test("its output is served: followed until the end, from an offset, from the end", async (t) => {
  const launchId = newLaunchId();
  await using host = await Host.open();
  await host.agent();
  const master = await host.master.greeted();
  await master.adopt(5);
  const task = `task-${launchId.slice(0, 4)}`;
  master.say(launchOrder(launchId, "echo one; echo no >&2; sleep 0.3; echo two; echo $MESOS_TASK_ID"));
  await master.update(TASK_RUNNING);
  t.is(await readLog(host.address, launchId, { follow: true }), `one\ntwo\n${task}\n`);
  t.is(await readLog(host.address, launchId, { stream: "stderr" }), "no\n");
  t.is(await readLog(host.address, launchId, { offset: 4 }), `two\n${task}\n`);
  t.is(await readLog(host.address, launchId, { offset: -5 }), `${task.slice(-4)}\n`);
  await t.throwsAsync(readLog(host.address, newLaunchId(), {}), { code: 5 });
  await t.throwsAsync(readLog(host.address, "../epoch", {}), { code: 3 });
  await t.throwsAsync(readLog(host.address, launchId, { stream: "passwd" }), { code: 3 });
});

test("8.1: a second agent over the same work directory is refused and disturbs nobody; a killed one leaves no lock", async (t) => {
  const launchId = newLaunchId();
  await using host = await Host.open();
  const first = await host.agent();
  const master = await host.master.greeted();
  await master.adopt(5);
  const second = host.spawn();
  let said = "";
  second.stderr!.on("data", (data: Buffer) => void (said += data.toString()));
  const [code] = (await once(second, "close")) as [number];
  t.is(code, 1);
  t.regex(said, /another agent uses the work directory/);
  master.say(launchOrder(launchId, "true"));
  master.acknowledge(await master.update(TASK_RUNNING));
  await master.update(TASK_FINISHED);
  await end(first, "SIGKILL");
  await t.notThrowsAsync(host.agent());
});

test("a start that cannot work is FAILED with the reason", async (t) => {
  const launchId = newLaunchId();
  await using host = await Host.open();
  await host.agent();
  const master = await host.master.greeted();
  await master.adopt(5);
  const order = launchOrder(launchId, "true");
  if (order.$case === "launch") order.value.task!.command!.user = "nobody-of-that-name";
  master.say(order);
  const failed = await master.update(TASK_FAILED);
  t.regex(failed.status!.message!, /nobody-of-that-name/);
});
