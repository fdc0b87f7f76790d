/** One agent machine in a world a test moves by hand: its journal, its runs, its clock, and masters that talk to it. */
import { NO_EPOCH, type Epoch } from "../../../src/base/epoch.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Input, LinkId } from "../../../src/core/agent/input.ts";
import { violations } from "../../../src/core/agent/invariants.ts";
import { AgentMachine } from "../../../src/core/agent/machine.ts";
import type { Output } from "../../../src/core/agent/output.ts";
import { defaultAgentTimings } from "../../../src/core/agent/settings.ts";
import { Resources } from "../../../src/model/resources.ts";
import { stateName } from "../../../src/model/task-state.ts";
import type { RunState } from "../../../src/ports/containers.ts";
import type { AgentMessage, MasterMessage, Report, TaskUpdate } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { JournalRecord } from "../../../src/wire/gen/mesarch/v1/checkpoint.ts";
import { AgentInfo, FrameworkInfo, TaskInfo } from "../../../src/wire/gen/mesos/v1/mesos.ts";

export type Order = NonNullable<MasterMessage["body"]>;

export const CLUSTER = "cluster-1";
export const AGENT = "agent-1";

/** Launch id number `n`. */
export function launchId(n: number): string {
  return n.toString(16).padStart(32, "0");
}

export class AgentWorld {
  now = 0;
  /** The wall clock shows this much more than `now`. */
  wallOffset = 1_000_000;
  /** The boot the host is in; see `restart`. */
  boot = "boot-1";
  starts = 0;
  /** What is durable. */
  journal: Uint8Array[] = [];
  epoch: Epoch = NO_EPOCH;
  resources = "cpus:4;mem:1024;ports:[1000-1009]";
  machine!: AgentMachine;
  /** Everything asked for since the last look. */
  outputs: Output[] = [];
  #links = 0;

  static started(): AgentWorld {
    const world = new AgentWorld();
    world.restart();
    return world;
  }

  /** A new process over what is durable. `runs`: what it finds of earlier ones, by number of launch. */
  restart(runs: Record<number, RunState> = {}): void {
    this.starts += 1;
    const resources = Resources.parse(this.resources);
    if (!resources.ok) throw new Error(resources.error);
    this.machine = new AgentMachine({
      settings: {
        ...defaultAgentTimings,
        info: AgentInfo.fromPartial({ hostname: "host-1", resources: resources.value.toMesos() }),
        resources: resources.value,
        address: "10.0.0.1:6051",
        ip: "10.0.0.1",
        bootId: this.boot,
        incarnation: { starts: this.starts, nonce: "nonce" },
      },
      random: seededRandom(this.starts),
      epoch: this.epoch,
      records: this.journal.map((bytes) => JournalRecord.decode(bytes)),
    });
    this.outputs = [];
    this.step({ kind: "started", runs: new Map(Object.entries(runs).map(([n, state]) => [launchId(Number(n)), state])) });
  }

  /** One step, made durable at once. */
  step(input: Input): void {
    const { writes, outputs } = this.machine.step(input, this.now, this.now + this.wallOffset);
    for (const write of writes) {
      if (write.kind === "epoch") this.epoch = write.epoch;
      else this.journal.push(JournalRecord.encode(write.record).finish());
    }
    this.outputs.push(...outputs);
    const broken = violations(this.machine.state);
    if (broken.length > 0) throw new Error(broken.join("; "));
  }

  /** A step whose writes never reach the disk. */
  stepUnsynced(input: Input): readonly Output[] {
    return this.machine.step(input, this.now, this.now).outputs;
  }

  link(): FakeLink {
    this.#links += 1;
    this.step({ kind: "linkOpened", link: this.#links });
    return new FakeLink(this, this.#links);
  }

  /** A link whose master leads epoch (1, `revision`) and has confirmed the agent. */
  confirmed(revision = 5): FakeLink {
    const link = this.link();
    link.lead(revision);
    link.confirm();
    this.outputs = [];
    return link;
  }

  run(n: number, state: RunState): void {
    this.step({ kind: "runChanged", launchId: launchId(n), state });
  }

  /** Moves time and handles every deadline on the way. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let due = this.machine.nextDeadline(); due !== undefined && due <= end; due = this.machine.nextDeadline()) {
      this.now = Math.max(this.now, due);
      this.step({ kind: "deadline" });
    }
    this.now = end;
  }

  /** What was asked for since the last look, in short. */
  take(): string[] {
    const all = this.outputs.map(inShort);
    this.outputs = [];
    return all;
  }

  /** Says taken since the last look, of one kind. */
  said<C extends NonNullable<AgentMessage["body"]>["$case"]>($case: C): Extract<NonNullable<AgentMessage["body"]>, { $case: C }>["value"][] {
    return this.outputs.flatMap((output) =>
      output.kind === "say" && output.message.body?.$case === $case ? [output.message.body.value as never] : [],
    );
  }

  report(): Report {
    return this.said("report").at(-1)!;
  }

  update(): TaskUpdate {
    return this.said("update").at(-1)!;
  }
}

export class FakeLink {
  readonly world: AgentWorld;
  readonly id: LinkId;
  session = 0;
  revision = 0;

  constructor(world: AgentWorld, id: LinkId) {
    this.world = world;
    this.id = id;
  }

  /** Says `lead`, in a new session. */
  lead(revision: number, { generation = 1, clusterId = CLUSTER, pingTimeoutMs = 75_000 } = {}): void {
    this.revision = revision;
    this.session += 1;
    this.say({ $case: "lead", value: { pingTimeoutMs } }, { generation, clusterId });
  }

  confirm(): void {
    this.say({ $case: "confirm", value: { agentId: AGENT } });
  }

  say(body: Order, { generation = 1, clusterId = CLUSTER, revision = this.revision, session = this.session } = {}): void {
    const batch = { clusterId, epoch: { generation, revision }, session, messages: [{ body }] };
    this.world.step({ kind: "fromMaster", link: this.id, batch });
  }

  launch(n: number, task: LaunchOptions = {}): void {
    this.say(launchOrder(n, task));
  }

  kill(n: number, graceMs = 3000): void {
    this.say({ $case: "kill", value: { launchId: launchId(n), graceMs } });
  }

  acknowledge({ launchId, status }: TaskUpdate): void {
    this.say({ $case: "acknowledge", value: { launchId, uuid: Buffer.from(status!.uuid!) } });
  }

  close(): void {
    this.world.step({ kind: "linkClosed", link: this.id });
  }
}

export interface LaunchOptions {
  readonly resources?: string;
  readonly command?: string;
  readonly framework?: Partial<FrameworkInfo>;
  readonly task?: Partial<TaskInfo>;
}

export function launchOrder(n: number, { resources = "cpus:1", command = "true", framework, task }: LaunchOptions = {}): Order {
  const parsed = Resources.parse(resources);
  if (!parsed.ok) throw new Error(parsed.error);
  return {
    $case: "launch",
    value: {
      launchId: launchId(n),
      framework: FrameworkInfo.fromPartial({ user: "", name: "f", id: { value: "framework-1" }, ...framework }),
      task: TaskInfo.fromPartial({
        name: "t",
        taskId: { value: `task-${n}` },
        agentId: { value: AGENT },
        command: { value: command },
        resources: parsed.value.toMesos(),
        ...task,
      }),
      traceparent: "",
      role: "*",
    },
  };
}

export const RUNNING: RunState = { kind: "running", pid: 4711, monitored: true };

export function exited(status: number, killed = false): RunState {
  return { kind: "exited", status, killed, endedAtMs: 0 };
}

function short(launchId: string): string {
  return String(parseInt(launchId, 16));
}

function inShort(output: Output): string {
  switch (output.kind) {
    case "say":
      return sayInShort(output.message);
    case "start":
      return `start ${short(output.task.launchId)}`;
    case "kill":
      return `kill ${short(output.launchId)} ${output.graceMs}`;
    case "cancel":
    case "collect":
      return `${output.kind} ${short(output.launchId)}`;
    case "leave":
      return `leave ${output.reason}`;
    case "closeLink":
      return `close ${output.link}`;
    case "alarm":
      return `alarm ${output.cause}`;
  }
}

function sayInShort({ body }: AgentMessage): string {
  switch (body?.$case) {
    case "update": {
      const { launchId, seq, status, latestState } = body.value;
      const latest = latestState === status!.state ? "" : ` latest ${stateName(latestState as 0)}`;
      return `update ${short(launchId)}.${seq} ${stateName(status!.state!)}${latest}`;
    }
    case "forgotten":
      return `forgotten ${body.value.launchIds.map(short).join(" ")}`;
    case "report":
      return `report ${body.value.listed ? "list" : "digest"} ${body.value.tasks?.count}`;
    case "epochRefused":
      return `refused, obeys ${body.value.storedEpoch?.revision}`;
    default:
      return body?.$case ?? "nothing";
  }
}
